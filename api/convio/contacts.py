"""Contacts of an address book (contract convio.md 6.7, 6.8)."""

from engine.contacts import reading
from engine.database import Transaction
from engine.errors import Invalid


async def insist_on(tx: Transaction, contact_no: int) -> None:
    """Raises Invalid unless the address book has the contact."""
    if contact_no not in await reading.ids_by_number(tx, [contact_no]):
        raise Invalid(f"Contact {contact_no} was not found.")
