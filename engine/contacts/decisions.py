"""What the write of one contact has before it when it decides what becomes of that contact, and what it decides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from engine.contacts.record import Row
from engine.emails import email_key
from engine.errors import EmailTaken
from engine.fields import Field
from engine.sets.catalog import SetKind
from engine.sets.reading import MemberOf


@dataclass(frozen=True, slots=True)
class Names:
    """What the ids and numbers in a write stand for: numbers of sets, kinds of numbers, and custom fields."""

    lists: Mapping[UUID, int] = field(default_factory=dict)
    tags: Mapping[UUID, int] = field(default_factory=dict)
    fields: Mapping[UUID, Field] = field(default_factory=dict)
    kinds: Mapping[int, SetKind] = field(default_factory=dict)
    numbered_fields: Mapping[int, Field] = field(default_factory=dict)


class Holder(NamedTuple):
    """A contact that has an address."""

    contact_no: int
    contact_id: UUID


@dataclass(frozen=True, slots=True)
class Addresses:
    """Whose the addresses are that writes name, by their keys.

    first: of dialects that know no twins, be it a deleted contact; living: the first who is not deleted, namesakes: the
    number of the first of these who has the names that nobody may have beside it, and last: the greatest ordinal there
    is, for writes that know twins.
    """

    first: Mapping[str, Holder]
    living: Mapping[str, Holder] = field(default_factory=dict)
    namesakes: Mapping[str, int] = field(default_factory=dict)
    last: Mapping[str, int] = field(default_factory=dict)

    def next_ordinal(self, key: str) -> int:
        """The ordinal of one more contact with the address."""
        return self.last[key] + 1 if key in self.first else 0


@dataclass(frozen=True, slots=True)
class Found:
    """What a write has before it.

    row: its contact as it is stored, empty if it is not; contact_no: that contact's number, or the new one's; sets:
    those of the write's kinds that the contact is in; tags_before: those that its deletion took off; addresses: whose
    those are that the write names.
    """

    account_id: int
    now: datetime
    names: Names
    contact_no: int
    row: Row
    sets: Sequence[MemberOf]
    tags_before: frozenset[int]
    addresses: Addresses

    def members_of(self, kind: SetKind) -> frozenset[int]:
        """The sets of this kind that the contact is in."""
        return frozenset(each.set_no for each in self.sets if each.kind == kind)

    def insist_on_email(self, email: str) -> None:
        """Raises EmailTaken when another contact has the address, be it a deleted one. A twin may keep its own."""
        key = email_key(email)
        holder = self.addresses.first.get(key)
        if holder is not None and key != self.row.get("email_key"):
            message = f"Validation failed: Email already exists for contact {holder.contact_id}"
            raise EmailTaken(message, holder.contact_no)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a write makes of its contact: the whole row, the sets that it joins, if it is not in them, and leaves."""

    row: Row
    joins: frozenset[int] = frozenset()
    leaves: frozenset[int] = frozenset()
