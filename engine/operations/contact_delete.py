"""Deleting contacts: one at once (contract v3.md 2.1.12), or many as an activity (3.7).

A deleted contact is kept, and is in no set at all: its bits are cleared, so it leaves no trace in counts.
"""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from engine.contacts import record
from engine.contacts.writing import ContactWrite, Found, Outcome
from engine.errors import NotFound
from engine.sets.catalog import SetKind


@dataclass(frozen=True, slots=True)
class DeleteContact(ContactWrite):
    """Deletes one contact; one that is deleted already is not there."""

    kind: ClassVar[str] = "contact_delete"
    kinds: ClassVar = (*SetKind, "system", "tracking")

    id: UUID

    @property
    def contact_id(self) -> UUID:
        return self.id

    def decide(self, found: Found) -> Outcome:
        if not found.row or found.row["deleted_at"] is not None:
            raise NotFound(f"there is no contact {self.id}")
        leaves = frozenset(each.set_no for each in found.sets)
        return Outcome(record.deleted(found.row, found.now), leaves=leaves)
