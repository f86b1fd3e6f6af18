"""Pruning what is kept only for the retention time: the errors of single items, uploaded and exported files, calls that
have ended.

And sessions that have ended, which are of no account: whichever is pruned next takes them along.

What an activity did and whom it meant is never pruned: undo, history and counts read it. Nothing goes of an activity
that has not ended, or that can still be retried: it ended longer ago than it may have been submitted for that. And
nothing goes out of turn: activities are pruned in their order, so one that has not ended keeps those after it.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Container
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path, PurePath
from typing import ClassVar

from engine import files, principals
from engine.activities.model import Activity, Queue
from engine.activities.operation import Batch, BatchedOperation, Plan, Progress, Resources, Scheduled
from engine.database import Database, Transaction
from engine.imports import staged
from engine.operations.contact_exports import ContactExports
from engine.operations.contacts_import import ContactsFileImport, ContactsJsonImport
from engine.operations.tracking_events import TrackingEvents

#: Activities that one batch looks at, and error rows that it deletes, at most: a tenth of a second.
ACTIVITIES = 1000
ERROR_ROWS = 10_000
#: Calls, results of calls (each may be some hundred KiB), and staged imports, that are deleted at once at most.
CALLS, RESULTS, STAGED_IMPORTS = 10_000, 500, 20

#: The kinds whose requests or cursors name files.
WITH_FILES = (ContactsFileImport.kind, ContactsJsonImport.kind, TrackingEvents.kind, ContactExports.kind)


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


@dataclass(frozen=True, slots=True)
class RowsBatch:
    """Deletes what ended more than so many days ago, by a statement that takes how many rows it deletes at most."""

    statement: str
    days: int
    limit: int

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        deleted = await tx.run(self.statement, days=self.days, limit=self.limit)
        items = activity.items_completed + deleted
        return Progress(cursor={}, items_total=items, items_completed=items)


class Prune(BatchedOperation):
    """Prunes errors, results, calls and files. The account tells how far it came, so it may begin anew at any time."""

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        db, days, result_days = resources.db, resources.settings.retention_days, resources.settings.result_days
        while await _has_old("has_old_results", activity, db, result_days):
            yield RowsBatch("prune_results", result_days, RESULTS)
        while until := await _prunable(activity, resources):
            yield ErrorsBatch(until)
        await _prune_staged(activity, db, days)
        while await _has_old("has_old_calls", activity, db, days):
            yield RowsBatch("prune_calls", days, CALLS)
        await _discard_files(activity.account_id, resources)
        await principals.prune_sessions(resources.db)


async def _has_old(statement: str, activity: Activity, db: Database, days: int) -> bool:
    async with db.account(activity.account_id) as tx:
        return bool(await tx.value(statement, days=days))


async def _prunable(activity: Activity, resources: Resources) -> int | None:
    async with resources.db.account(activity.account_id) as tx:
        days = resources.settings.retention_days
        until: int | None = await tx.value("prunable_until", retention_days=days, limit=ACTIVITIES)
        return until


async def _prune_staged(activity: Activity, db: Database, retention_days: int) -> None:
    """Imports that never began, and those whose activity is pruned; a piece of one may have megabytes."""
    while True:
        async with db.account(activity.account_id) as tx:
            if not await staged.prune(tx, retention_days=retention_days, limit=STAGED_IMPORTS):
                return


async def _discard_files(account_id: int, resources: Resources) -> None:
    """Removes the account's files that no activity needs which is not pruned.

    Also those that no activity ever knew: uploads of a process that was killed. A file must be as old as the retention
    time, too, since that of an activity which is being submitted is there before it is known.
    """
    settings = resources.settings
    async with resources.db.account(account_id) as tx:
        rows = await tx.all("files_in_use", kinds=WITH_FILES)
    needed = frozenset(_known_by(name) for row in rows for name in row if name is not None)
    oldest = time.time() - timedelta(days=settings.retention_days).total_seconds()
    for folder in (files.uploads(settings, account_id), files.exports(settings, account_id)):
        await asyncio.to_thread(_discard, folder, oldest, needed)


def _discard(folder: Path, oldest: float, needed: Container[str]) -> None:
    """Removes files of a folder, if there is one, that were last changed before `oldest` and are not needed."""
    for path in folder.iterdir() if folder.is_dir() else ():
        with suppress(FileNotFoundError):  # another worker was faster
            if _known_by(path.name) not in needed and path.stat().st_mtime < oldest:
                path.unlink()


def _known_by(name: str) -> str:
    """What an upload, and all files of one export, are known by: the name up to the first point."""
    return PurePath(name).name.partition(".")[0]


OPERATIONS = {Retention.kind: Prune()}
SCHEDULED = {Retention.kind: Scheduled(Retention, lambda settings: timedelta(hours=settings.pruning_hours))}
