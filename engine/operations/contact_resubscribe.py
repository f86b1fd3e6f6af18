"""Opting in again, once, a contact who had unsubscribed (contract v3.md 2.1.16)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from engine.contacts import record
from engine.contacts.decisions import ContactWrite, Found, Outcome
from engine.errors import Conflict, NotFound


@dataclass(frozen=True, slots=True)
class Resubscribe(ContactWrite):
    """The contact may be mailed again, and is on these lists too."""

    kind: ClassVar[str] = "contact_resubscribe"

    id: UUID
    lists: tuple[UUID, ...]

    @property
    def contact_id(self) -> UUID:
        return self.id

    @property
    def list_ids(self) -> tuple[UUID, ...]:
        return self.lists

    def decide(self, found: Found) -> Outcome:
        row, now = found.row, found.now
        if not row or row["deleted_at"] is not None:
            raise NotFound(f"there is no contact {self.id}")
        if row["permission"] != "unsubscribed":
            raise Conflict("the contact has not unsubscribed")
        if row["resubscribed_at"] is not None:
            raise Conflict("the contact was resubscribed before, which can be done once")
        row = record.with_permission(row, "explicit", "Account", now)
        row |= {"resubscribed_at": now, "updated_at": now, "update_source": "Account"}
        return Outcome(row, frozenset(found.names.lists.values()))
