"""Recording tracking events (an extension): rows that came as JSON and are stored as a file until they are recorded.

In a file, not in the activity's row: whoever reads an activity, or a page of them, would read ten thousand events each.
"""

import asyncio
import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import itemgetter
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from engine.activities.item_errors import report
from engine.activities.model import Activity, Queue
from engine.activities.operation import Batch, BatchedOperation, Plan, Progress, Resources
from engine.database import Transaction
from engine.errors import Invalid
from engine.operations.engagement import ComputeEngagement
from engine.sets.system import ACTIVE, FIELDS, TRACKING, UNSUBSCRIBED
from engine.tracking import events, recording
from engine.tracking.events import Event, ListEvent, RowError


class TrackingEvents(BaseModel):
    """Stored events. `file` is the name of their file in the uploads directory: a JSON array of rows."""

    model_config = ConfigDict(frozen=True)
    kind: ClassVar[str] = "tracking_events"
    queue: ClassVar[Queue] = Queue.ACTIVITIES

    file: str
    names_emails: bool
    may_change_contacts: bool

    @classmethod
    def stored(cls, file: str, rows: Sequence[Any]) -> "TrackingEvents":
        """The request for these rows, which are in the file."""
        return cls(
            file=file, names_emails=events.names_emails(rows), may_change_contacts=events.may_change_contacts(rows)
        )

    async def plan(self, _tx: Transaction) -> Plan:
        """Which contact has an e-mail is a matter of fields; an id is known before it can be named."""
        changed = frozenset({ACTIVE, UNSUBSCRIBED, FIELDS}) if self.may_change_contacts else frozenset[int]()
        return Plan(
            request={"file": self.file},
            reads=frozenset({FIELDS}) if self.names_emails else frozenset(),
            writes=changed | {TRACKING},
        )


@dataclass(frozen=True, slots=True)
class Told:
    """All events of a request, which are recorded in one transaction."""

    rows: int
    events: Sequence[Event | ListEvent]
    errors: Sequence[RowError]
    first_set_no: int

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        written = await recording.write(tx, activity.sequence, self.events, self.first_set_no)
        errors = sorted([*self.errors, *written.errors], key=itemgetter(0))
        await report(tx, {activity.sequence: [error for _, error in errors]})
        return Progress({"done": True}, self.rows, self.rows, changed_count=written.changed, error_count=len(errors))


class Recording(BatchedOperation):
    """Records the events of a request as one batch; the file is read before its transaction begins."""

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        if activity.cursor is None:
            path = resources.settings.uploads / str(activity.request["file"])
            rows, told, errors = await asyncio.to_thread(_read, path, activity.created_at)
            async with resources.db.account(activity.account_id) as tx:
                first_set_no = await recording.reserve_sets(tx, told)
                await tx.run("schedule_once", kind=ComputeEngagement.kind)
            yield Told(rows, told, errors, first_set_no)


def _read(path: Path, now: datetime) -> tuple[int, list[Event | ListEvent], list[RowError]]:
    try:
        rows = json.loads(path.read_bytes())
    except OSError as error:
        raise Invalid(f"the stored events cannot be read: {error.strerror}") from error
    return len(rows), *events.read(rows, now)


OPERATIONS = {TrackingEvents.kind: Recording()}
