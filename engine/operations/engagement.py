"""Storing the engagement level of contacts (an extension; levels: contract v3.md 3.14)."""

from typing import ClassVar

from engine.database import Transaction
from engine.operations.memberships import ChangeOfSets, MembershipRequest
from engine.sets.membership import Mask
from engine.sets.system import ENGAGEMENT
from engine.sources import Level


class SetEngagement(MembershipRequest):
    """Puts everybody of the source at one level, and so at no other."""

    kind: ClassVar[str] = "contacts_engagement_set"

    engagement_level: Level

    async def targets(self, _tx: Transaction) -> tuple[tuple[int, ...], tuple[int, ...]]:
        level = ENGAGEMENT[self.engagement_level]
        return (level,), tuple(sorted(set(ENGAGEMENT.values()) - {level}))


OPERATIONS = {SetEngagement.kind: ChangeOfSets(Mask.DELETED)}
