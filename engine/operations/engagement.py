"""Engagement levels of contacts (contract v3.md 3.14): set by hand, and computed; both are extensions."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from engine.activities.model import Activity, Queue
from engine.activities.operation import Batch, BatchedOperation, Operation, Plan, Progress, Resources, Scheduled
from engine.database import Transaction
from engine.operations.memberships import ChangeOfSets, MembershipRequest
from engine.sets.membership import Mask
from engine.sets.system import ACTIVE, ENGAGEMENT, LEVEL_BY_HAND, TRACKING
from engine.sources import Level
from engine.tracking import engagement


class SetEngagement(MembershipRequest):
    """Puts everybody of the source at one level, and so at no other."""

    kind: ClassVar[str] = "contacts_engagement_set"

    engagement_level: Level

    async def targets(self, _tx: Transaction) -> tuple[tuple[int, ...], tuple[int, ...]]:
        level = ENGAGEMENT[self.engagement_level]
        return (level, LEVEL_BY_HAND), tuple(sorted(set(ENGAGEMENT.values()) - {level}))


class ComputeEngagement:
    """A request to compute the level of every active contact."""

    kind: ClassVar[str] = "contacts_engagement_compute"
    queue: ClassVar[Queue] = Queue.BULK
    listed: ClassVar[bool] = True

    async def plan(self, _tx: Transaction) -> Plan:
        return Plan(
            request={},
            reads=frozenset({TRACKING, ACTIVE}),
            writes=frozenset({*ENGAGEMENT.values(), LEVEL_BY_HAND}),
            listed=self.listed,
        )


class ComputeEngagementByTheClock(ComputeEngagement):
    """The same when nobody asked for it."""

    listed = False


@dataclass(frozen=True, slots=True)
class Computation:
    """All of it, in one transaction. `kept` are the sets whose members keep their level."""

    kept: tuple[int, ...]

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        done = await engagement.write(tx, activity.sequence, self.kept)
        return Progress({"done": True}, done.contacts, done.contacts, changed_count=done.changed)


class EngagementComputing(BatchedOperation):
    """Computes as one batch, since it has to know a setting."""

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        if activity.cursor is None:
            yield Computation((LEVEL_BY_HAND,) if resources.settings.engagement_by_hand_wins else ())


OPERATIONS: dict[str, Operation] = {
    SetEngagement.kind: ChangeOfSets(Mask.DELETED),
    ComputeEngagement.kind: EngagementComputing(),
}
SCHEDULED = {
    ComputeEngagement.kind: Scheduled(
        ComputeEngagementByTheClock, lambda settings: timedelta(days=settings.engagement_days)
    )
}
