"""A contact who signs up itself, through a form (contract v3.md 2.1.13)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from engine.contacts import record
from engine.contacts.decisions import Found, Outcome
from engine.contacts.details import DetailedWrite, Details
from engine.contacts.record import Address, Permission, Phone, Row
from engine.errors import Invalid, MusterError, NotFound
from engine.sets.system import ACTIVE

#: A contact's phone numbers and addresses (contract v3.md 1.9).
MOST_ENTRIES = 3


@dataclass(frozen=True, slots=True)
class SignUp(DetailedWrite):
    """Makes or changes the contact with the address of the details: only what is said changes, lists are added.

    confirms: whether it has to confirm by mail that it wants any (double opt-in), unless it may be mailed already.
    """

    kind: ClassVar[str] = "contact_sign_up"
    unknown_set: ClassVar[type[MusterError]] = NotFound

    details: Details
    confirms: bool

    @property
    def holder_of(self) -> str | None:
        return self.details.email

    def decide(self, found: Found) -> Outcome:
        row = self._changed(found) if found.row else self._made(found)
        row = record.with_properties(row, self.details.core) | self._entries(row, found)
        if self.details.custom_values:
            row["custom_values"] = {**(row.get("custom_values") or {}), **self.custom_values(found)}
        tags = found.tags_before if found.row else frozenset[int]()
        return Outcome(row, frozenset(found.names.lists.values()) | tags)

    def _made(self, found: Found) -> Row:
        row = record.new(found.account_id, found.contact_no, "Contact", found.now)
        row = record.with_email(row, self.emails[0], found.now)
        return record.with_permission(row, self._permission(row), "Contact", found.now)

    def _changed(self, found: Found) -> Row:
        row = found.row | {"update_source": "Contact", "updated_at": found.now}
        permission = self._permission(row)
        if row["deleted_at"] is not None:
            row = record.revived(row)
        return record.with_permission(row, permission, "Contact", found.now)

    def _permission(self, row: Row) -> Permission:
        if not self.confirms:
            return "explicit"
        may_be_mailed: Permission = row["permission"]
        return may_be_mailed if ACTIVE in record.system_sets(row) else "pending_confirmation"

    def _entries(self, row: Row, found: Found) -> Row:
        """The given phone number and address take the place of those of their kind."""
        phones, other_phones = _of_kinds(row.get("phone_numbers"), self.details.phones)
        addresses, other_addresses = _of_kinds(row.get("street_addresses"), self.details.addresses)
        entries = {
            "phone_numbers": [
                *other_phones,
                *record.phones(phones, self.details.phones or (), "Contact", found.now),
            ],
            "street_addresses": [
                *other_addresses,
                *record.addresses(addresses, self.details.addresses or (), found.now),
            ],
        }
        for name, given in entries.items():
            if len(given) > max(MOST_ENTRIES, len(row.get(name) or ())):
                raise Invalid(f"{name} does not have a valid value: the contact has {MOST_ENTRIES} of other kinds")
        return {name: given or None for name, given in entries.items()}


def _of_kinds(
    stored: Sequence[Row] | None, given: Sequence[Phone] | Sequence[Address] | None
) -> tuple[list[Row], list[Row]]:
    """The stored entries of the kinds that are given, and the others."""
    kinds = {each.kind for each in given or ()}
    entries = stored or ()
    return [e for e in entries if e["kind"] in kinds], [e for e in entries if e["kind"] not in kinds]
