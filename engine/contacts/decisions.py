"""Writes of one contact, as values: whom they mean, what they have before them, and what they decide.

How that comes into the tables is in engine/contacts/writing.py.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, NamedTuple
from uuid import UUID

from engine.contacts.record import Row
from engine.emails import email_key
from engine.errors import EmailTaken, Invalid, MusterError
from engine.fields import Field
from engine.sets import naming
from engine.sets.catalog import SetKind
from engine.sets.naming import SetName
from engine.sets.reading import MemberOf


@dataclass(frozen=True, slots=True)
class Names:
    """What the ids, numbers and names in a write stand for: numbers of sets, kinds of numbers, and custom fields.

    named: of sets that are meant by name; those that the write makes have none yet, but numbers that stand for them
    (engine/sets/naming.py).
    """

    lists: Mapping[UUID, int] = field(default_factory=dict)
    tags: Mapping[UUID, int] = field(default_factory=dict)
    fields: Mapping[UUID, Field] = field(default_factory=dict)
    kinds: Mapping[int, SetKind] = field(default_factory=dict)
    numbered_fields: Mapping[int, Field] = field(default_factory=dict)
    named: Mapping[naming.Key, int] = field(default_factory=dict)


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


@dataclass(frozen=True, slots=True)
class Written:
    """A written contact. changed: whether it is not as it was."""

    contact_id: UUID
    contact_no: int
    created: bool
    updated_at: datetime
    changed: bool


class ContactWrite(ABC):
    """One change of one contact."""

    kind: ClassVar[str]
    #: The kinds of sets of which it must know whether its contact is in them.
    kinds: ClassVar[tuple[str, ...]] = ()
    #: Whether it must know of contacts that have one of its addresses beside another.
    knows_twins: ClassVar[bool] = False
    #: How it is refused when it names a list or tag that does not exist (contract v3.md 1.8).
    unknown_set: ClassVar[type[MusterError]] = Invalid

    @property
    def contact_id(self) -> UUID | None:
        """Whom it means; None when that is said otherwise, or it is a new contact."""
        return None

    @property
    def contact_no(self) -> int | None:
        """Whom it means, by number."""
        return None

    @property
    def holder_of(self) -> str | None:
        """The address whose holder it means."""
        return None

    @property
    def emails(self) -> tuple[str, ...]:
        """The addresses of which it must know whose they are."""
        return ()

    @property
    def only_name(self) -> tuple[str, str] | None:
        """The first and last name that nobody else who has one of its addresses may have; None asks for nothing."""
        return None

    @property
    def list_ids(self) -> tuple[UUID, ...]:
        return ()

    @property
    def tag_ids(self) -> tuple[UUID, ...]:
        return ()

    @property
    def field_ids(self) -> tuple[UUID, ...]:
        return ()

    @property
    def set_nos(self) -> frozenset[int]:
        """Named sets of any kind, by number."""
        return frozenset()

    @property
    def needed_sets(self) -> tuple[SetName, ...]:
        """Named sets of any kind, by name: those that are not there are made with it."""
        return ()

    @property
    def named_sets(self) -> tuple[SetName, ...]:
        """Further ones, which may not be there."""
        return ()

    @property
    def most_sets(self) -> Mapping[SetKind, int]:
        """How many of a kind the account may have then."""
        return {}

    @property
    def record_id(self) -> UUID | None:
        """The id that its activity is to have: there is no second one of it. By default a new one."""
        return None

    @property
    def knows_fields(self) -> bool:
        """Whether it must know the custom fields of every scope."""
        return False

    @property
    def calls(self) -> tuple[int, ...]:
        """Hooks to call once it is done."""
        return ()

    @property
    def calls_on_create(self) -> tuple[int, ...]:
        """Hooks to call once it is done, if that made the contact."""
        return ()

    @property
    def is_of_new(self) -> bool:
        """Whether it means nobody who is there."""
        return self.contact_id is None and self.contact_no is None and self.holder_of is None

    @property
    def waits_for_others(self) -> bool:
        """Whether it waits for those who write its contact at this moment; else it is refused (contract v3.md 1.8)."""
        return False

    @property
    def keys(self) -> frozenset[object]:
        """What makes two writes ones to the same contact."""
        return frozenset({self.contact_id, self.contact_no, *map(email_key, self.emails)} - {None})

    def asks(self, _names: Names) -> Iterable[str]:
        """The kinds of sets of which it must know whether its contact is in them."""
        return self.kinds

    def ordinal(self, key: str, addresses: Addresses) -> int | None:
        """The ordinal with which its contact may have an address that is not its own yet; None if it may not."""
        return None if key in addresses.first else 0

    @abstractmethod
    def decide(self, found: Found) -> Outcome:
        """What becomes of the contact. Raises MusterError."""
