"""The truth in plain Python: what writes of single contacts do, told one after the other (contract v3.md 2.1)."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from uuid import UUID

from engine.contacts.details import Details
from engine.contacts.record import Party
from engine.contacts.writing import ContactWrite
from engine.operations.contact_create import CreateContact
from engine.operations.contact_delete import DeleteContact
from engine.operations.contact_resubscribe import Resubscribe
from engine.operations.contact_sign_up import SignUp
from engine.operations.contact_update import UpdateContact


@dataclass
class Person:
    """A contact; `lost` are the tags that its deletion took."""

    email: str | None = None
    name: str | None = None
    permission: str = "not_set"
    opted_out_by: str | None = None
    resubscribed: bool = False
    deleted: bool = False
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
            self.deleted, self.tags = False, set(self.lost)
            if self.permission != "unsubscribed":
                self.opted_out_by = None


@dataclass
class People:
    """An account's contacts by id."""

    by_id: dict[UUID, Person] = field(default_factory=dict)
    by_number: dict[int, UUID] = field(default_factory=dict)

    def holder(self, email: str | None) -> UUID | None:
        return next((i for i, person in self.by_id.items() if email and person.email == email), None)

    def run(self, write: ContactWrite, new_id: UUID) -> tuple[UUID, bool]:
        """Does what a write says, which must be possible; whom it meant, and whether it is new, under `new_id`."""
        match write:
            case CreateContact(details, source):
                assert self.holder(details.email) is None
                self.by_id[new_id] = person = Person()
                self._give(person, details, source)
                return new_id, True
            case UpdateContact(contact_id, details, source):
                assert self.holder(details.email) in (None, contact_id)
                self._update(self.by_id[contact_id], details, source)
                return contact_id, False
            case DeleteContact():
                contact_id = self.by_number[write.id] if isinstance(write.id, int) else write.id
                self._delete(self.by_id[contact_id])
                return contact_id, False
            case Resubscribe(contact_id, lists):
                self._resubscribe(self.by_id[contact_id], lists)
                return contact_id, False
            case SignUp(details):
                return self._sign_up(details, new_id)
        raise TypeError(write)

    def _give(self, person: Person, details: Details, by: Party) -> None:
        person.email = details.email or person.email
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

    def _sign_up(self, details: Details, new_id: UUID) -> tuple[UUID, bool]:
        known = self.holder(details.email)
        person = self.by_id.setdefault(known or new_id, Person(email=details.email))
        person.revive()
        person.permit("explicit", "Contact")
        person.name = details.core.get("first_name", person.name)
        person.lists |= set(details.list_ids or ())
        return known or new_id, known is None
