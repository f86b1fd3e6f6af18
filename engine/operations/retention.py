"""Pruning what is kept only for the retention time: the errors of single items, uploaded and exported files.

What an activity did and whom it meant is never pruned: undo, history and counts read it.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from engine.activities.model import Activity, Queue
from engine.activities.operation import Batch, BatchedOperation, Plan, Progress, Resources, Scheduled
from engine.database import Transaction

#: Activities that one batch looks at, and error rows that it deletes, at most: a tenth of a second.
ACTIVITIES = 1000
ERROR_ROWS = 10_000


class Retention:
    """A request to prune the account. Nobody is affected by it, so it reads and writes no sets and waits for nobody."""

    kind: ClassVar[str] = "retention"
    queue: ClassVar[Queue] = Queue.BULK

    async def plan(self, _tx: Transaction) -> Plan:
        return Plan(request={}, reads=frozenset(), writes=frozenset(), listed=False)


@dataclass(frozen=True, slots=True)
class ErrorsBatch:
    """Deletes error rows of the activities up to a sequence; when none is left, these are pruned."""

    until: int

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        deleted = await tx.run("prune_activity_errors", until=self.until, limit=ERROR_ROWS)
        if deleted < ERROR_ROWS:
            await tx.run("note_pruned", until=self.until)
        items = activity.items_completed + deleted
        return Progress(cursor={"until": self.until}, items_total=items, items_completed=items)


class Prune(BatchedOperation):
    """Prunes in the order of the activities. The account tells how far it came, so it may begin anew at any time."""

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        while True:
            async with resources.db.account(activity.account_id) as tx:
                days = resources.settings.retention_days
                until = await tx.value("prunable_until", retention_days=days, limit=ACTIVITIES)
            if until is None:
                return
            yield ErrorsBatch(until)


OPERATIONS = {Retention.kind: Prune()}
SCHEDULED = {Retention.kind: Scheduled(Retention, lambda settings: timedelta(hours=settings.pruning_hours))}
