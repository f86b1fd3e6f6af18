"""Custom fields of an account's contacts. Values lie in the contact row, by field number."""

from uuid import UUID

from engine.database import Transaction


async def numbers(tx: Transaction) -> dict[str, int]:
    """The field numbers by name."""
    return {row["name"]: row["field_no"] for row in await tx.all("custom_fields")}


async def ids(tx: Transaction) -> dict[int, UUID]:
    """The public ids by field number."""
    return {row["field_no"]: row["field_id"] for row in await tx.all("custom_fields")}
