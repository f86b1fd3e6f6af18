"""Giving a contact the scores that others have worked out for it."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar
from uuid import UUID

from engine.contacts.decisions import ContactWrite, Found, Outcome
from engine.errors import NotFound


@dataclass(frozen=True, slots=True)
class SetLeadScores(ContactWrite):
    """The contact has these scores and no others; None is no score.

    It counts as updated when it was before: a score says nothing new of the contact itself.
    """

    kind: ClassVar[str] = "contact_lead_scores"

    id: UUID
    demographic: Decimal | None
    activity: Decimal | None

    @property
    def contact_id(self) -> UUID:
        return self.id

    def decide(self, found: Found) -> Outcome:
        row = found.row
        if not row or row["deleted_at"] is not None:
            raise NotFound(f"there is no contact {self.id}")
        return Outcome(row | {"demographic_score": self.demographic, "activity_score": self.activity})
