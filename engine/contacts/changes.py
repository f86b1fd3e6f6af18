"""What is to become of a contact, said in part: what is not said stays, and None clears."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Any, Final
from uuid import UUID

from engine.contacts import record
from engine.contacts.record import Address, Note, Permission, Phone, Row
from engine.sets.catalog import SetKind
from engine.sets.naming import SetName

#: The kind of an address that is given without one.
ADDRESS_KIND = "other"


class _Unsaid(Enum):
    UNSAID = 0


#: What is not said, where None says that there is none.
UNSAID: Final = _Unsaid.UNSAID


@dataclass(frozen=True, slots=True)
class Changes:
    """What is said of a contact.

    columns: values of record.CORE, of the year of birth and of scores; profile: further properties by name; phones: the
    number of each kind; address: parts of its first street address, as record.Address calls them; note: the text of its
    first note; custom_values: by number of the field. only: of a kind of sets those that it is in from now on; beside
    them joins, leaves: numbers of named sets, and joins_named, leaves_named: named sets by name, leaving being last.
    makes: names of which there are sets from now on, as there are of all it joins.
    """

    columns: Mapping[str, Any] = field(default_factory=dict)
    email: str | _Unsaid | None = UNSAID
    permission: Permission | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)
    phones: Mapping[str, str | None] = field(default_factory=dict)
    address: Mapping[str, str | None] = field(default_factory=dict)
    note: str | _Unsaid | None = UNSAID
    custom_values: Mapping[int, str | None] = field(default_factory=dict)
    joins: frozenset[int] = frozenset()
    leaves: frozenset[int] = frozenset()
    joins_named: tuple[SetName, ...] = ()
    leaves_named: tuple[SetName, ...] = ()
    makes: tuple[SetName, ...] = ()
    only: Mapping[SetKind, frozenset[int]] = field(default_factory=dict)

    @property
    def new_email(self) -> str | None:
        """The address that the contact is to have, if one is said."""
        return self.email if isinstance(self.email, str) else None

    @property
    def set_nos(self) -> frozenset[int]:
        return self.joins.union(self.leaves, *self.only.values())


def applied(row: Row, changes: Changes, now: datetime) -> Row:
    """The contact with what is said of its properties; its address, permission, custom values and sets are not here."""
    row = record.with_properties(row, changes.columns)
    if changes.profile:
        row = row | {"profile": merged(row.get("profile"), changes.profile)}
    if changes.phones:
        row = row | {"phone_numbers": _phones(row, changes.phones, now) or None}
    if changes.address:
        row = row | {"street_addresses": _addresses(row, changes.address, now) or None}
    if changes.note is not UNSAID:
        row = row | {"notes": _notes(row, changes.note, now) or None}
    return row


def merged(stored: Mapping[str, Any] | None, said: Mapping[str, Any]) -> Row | None:
    """The stored values with those that are said; None if there are none left."""
    left = {**(stored or {}), **said}
    return {name: value for name, value in left.items() if value is not None} or None


def _phones(row: Row, said: Mapping[str, str | None], now: datetime) -> list[Row]:
    """A number takes the place of the first of its kind; none, of all of its kind."""
    stored = row.get("phone_numbers") or []
    left, phones = dict(said), []
    for entry in stored:
        number = left.pop(entry["kind"], entry["phone_number"])
        if number is not None and said.get(entry["kind"], number) is not None:
            phones.append(Phone(entry["kind"], number))
    phones += [Phone(kind, number) for kind, number in left.items() if number is not None]
    return record.phones(stored, phones, "Account", now)


def _addresses(row: Row, said: Mapping[str, str | None], now: datetime) -> list[Row]:
    stored = row.get("street_addresses") or []
    addresses = [Address(**{part: entry.get(part) for part in Address._fields}) for entry in stored]
    first = (addresses[0] if addresses else Address(ADDRESS_KIND))._replace(**said)  # type: ignore[arg-type]
    is_left = any(first[1:])
    return record.addresses(stored, [first, *addresses[1:]] if is_left else addresses[1:], now)


def _notes(row: Row, text: str | None, now: datetime) -> list[Row]:
    stored = row.get("notes") or []
    first_id = UUID(stored[0]["note_id"]) if stored else None
    first = [] if text is None else [Note(text, first_id)]
    return record.notes(stored, [*first, *(Note(n["content"], UUID(n["note_id"])) for n in stored[1:])], now)
