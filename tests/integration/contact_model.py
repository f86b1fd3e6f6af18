"""The truth in plain Python: what writes of single contacts do, told one after the other (contract v3.md 2.1)."""

from collections.abc import Iterable, Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from uuid import UUID

from engine.contacts.changes import UNSAID, Changes
from engine.contacts.decisions import ContactWrite
from engine.contacts.details import Details
from engine.contacts.record import Party
from engine.operations.contact_create import CreateContact
from engine.operations.contact_delete import DeleteContact
from engine.operations.contact_resubscribe import Resubscribe
from engine.operations.contact_save import SaveContact
from engine.operations.contact_sign_up import SignUp
from engine.operations.contact_update import UpdateContact
from engine.sets.catalog import NamedSet, SetKind


@dataclass
class Person:
    """A contact; `lost` are the tags that its deletion took."""

    number: int
    email: str | None = None
    ordinal: int = 0
    name: str | None = None
    permission: str = "not_set"
    opted_out_by: str | None = None
    resubscribed: bool = False
    deleted: bool = False
    revived: bool = False
    lists: set[UUID] = field(default_factory=set)
    tags: set[UUID] = field(default_factory=set)
    lost: set[UUID] = field(default_factory=set)

    def permit(self, permission: str | None, by: Party) -> None:
        if permission == "unsubscribed":
            if self.permission != permission or by == "Contact":
                self.opted_out_by = by
            self.permission = permission
        elif permission is not None:
            if self.permission == "unsubscribed":
                self.opted_out_by = None
            self.permission = permission

    def revive(self) -> None:
        if self.deleted:
            self.deleted, self.revived, self.tags = False, True, set(self.lost)
            if self.permission != "unsubscribed":
                self.opted_out_by = None

    def move(self, email: str | None, ordinal: int = 0) -> None:
        if email != self.email:
            self.email, self.ordinal = email, ordinal


@dataclass
class People:
    """An account's contacts by id, and its sets by number. has_changed: whether the last write has."""

    sets: Mapping[int, NamedSet] = field(default_factory=dict)
    by_id: dict[UUID, Person] = field(default_factory=dict)
    has_changed: bool = False

    def holder(self, email: str | None) -> UUID | None:
        """Of those who have the address the first, deleted ones too."""
        return next((i for i, p in self.by_id.items() if email and (p.email, p.ordinal) == (email, 0)), None)

    def numbered(self, number: int) -> UUID:
        return next(contact_id for contact_id, person in self.by_id.items() if person.number == number)

    def run(self, write: ContactWrite, new_id: UUID, number: int) -> tuple[UUID, bool]:
        """Does what a write says, which must be possible; whom it meant, and whether it is new, under this id."""
        before = deepcopy(self.by_id)
        contact_id, created = self._run(write, new_id, number)
        # Of most writes it is not asked whether they change anything.
        self.has_changed = not isinstance(write, SaveContact) or self.by_id != before
        return contact_id, created

    def _run(self, write: ContactWrite, new_id: UUID, number: int) -> tuple[UUID, bool]:
        match write:
            case CreateContact(details, source):
                assert self.holder(details.email) is None
                self.by_id[new_id] = person = Person(number)
                self._give(person, details, source)
                return new_id, True
            case UpdateContact(contact_id, details, source):
                assert self.holder(details.email) in (None, contact_id) or self._keeps_its_own(contact_id, details)
                self._update(self.by_id[contact_id], details, source)
                return contact_id, False
            case DeleteContact(who):
                contact_id = self.numbered(who) if isinstance(who, int) else who
                self._delete(self.by_id[contact_id])
                return contact_id, False
            case Resubscribe(contact_id, lists):
                self._resubscribe(self.by_id[contact_id], lists)
                return contact_id, False
            case SignUp(details):
                return self._sign_up(details, new_id, number)
            case SaveContact():
                return self._save(write, new_id, number)
        raise TypeError(write)

    def _keeps_its_own(self, contact_id: UUID, details: Details) -> bool:
        return self.by_id[contact_id].email == details.email

    def _give(self, person: Person, details: Details, by: Party) -> None:
        person.move(details.email or person.email)
        person.permit(details.permission, by)
        joining = set(details.list_ids or ()) - person.lists
        assert not (joining and person.permission == "unsubscribed")
        person.lists = person.lists if details.list_ids is None else set(details.list_ids)
        person.tags = person.tags if details.tag_ids is None else set(details.tag_ids)
        person.name = details.core.get("first_name")
        assert person.name or person.email

    def _update(self, person: Person, details: Details, by: Party) -> None:
        if person.deleted:
            assert by == "Account"
        if person.permission == "unsubscribed" and person.opted_out_by == "Contact" and by == "Account":
            assert details.permission in (None, "unsubscribed")
        person.revive()
        self._give(person, details, by)

    def _delete(self, person: Person) -> None:
        assert not person.deleted
        person.deleted, person.lost = True, person.tags
        person.lists, person.tags = set(), set()
        person.opted_out_by = person.opted_out_by or "Account"

    def _resubscribe(self, person: Person, lists: Iterable[UUID]) -> None:
        assert (person.deleted, person.permission, person.resubscribed) == (False, "unsubscribed", False)
        person.permit("explicit", "Account")
        person.resubscribed = True
        person.lists |= set(lists)

    def _sign_up(self, details: Details, new_id: UUID, number: int) -> tuple[UUID, bool]:
        known = self.holder(details.email)
        person = self.by_id.setdefault(known or new_id, Person(number, email=details.email))
        person.revive()
        person.permit("explicit", "Contact")
        person.name = details.core.get("first_name", person.name)
        person.lists |= set(details.list_ids or ())
        return known or new_id, known is None

    def _save(self, write: SaveContact, new_id: UUID, number: int) -> tuple[UUID, bool]:
        made = write.number is None
        contact_id = new_id if write.number is None else self.numbered(write.number)
        person = self.by_id.setdefault(contact_id, Person(number, permission="implicit"))
        assert not person.deleted
        if write.changes.email is not UNSAID and write.changes.email != person.email:
            person.move(write.changes.new_email, self._ordinal(write.changes.new_email, write.twins))
        permission = write.changes.permission
        assert permission in (None, "unsubscribed") or person.opted_out_by != "Contact"
        person.permit(permission, "Account")
        person.name = write.changes.columns.get("first_name", person.name)
        lists = self._turned(person.lists, write.changes, SetKind.LIST)
        assert not (lists - person.lists and person.permission == "unsubscribed")
        person.lists, person.tags = lists, self._turned(person.tags, write.changes, SetKind.TAG)
        return contact_id, made

    def _ordinal(self, email: str | None, twins: bool) -> int:
        """The next that is free, which the first is if nobody has it."""
        holding = [person for person in self.by_id.values() if email and person.email == email]
        # Who is revived at the same moment may not be seen yet.
        assert twins or all(person.deleted or person.revived for person in holding)
        taken = {person.ordinal for person in holding}
        return max(taken) + 1 if 0 in taken else 0

    def _turned(self, before: set[UUID], changes: Changes, kind: SetKind) -> set[UUID]:
        def ids(set_nos: Iterable[int]) -> set[UUID]:
            return {self.sets[set_no].set_id for set_no in set_nos if self.sets[set_no].kind is kind}

        exactly = ids(changes.only[kind]) if kind in changes.only else before
        return (exactly | ids(changes.joins)) - ids(changes.leaves)
