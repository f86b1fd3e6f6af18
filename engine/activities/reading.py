"""Reading activities: one, a page, and the errors of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from uuid import UUID

from engine.activities.model import Activity, State
from engine.database import Database, Transaction
from engine.errors import ItemError, NotFound
from engine.sets.chunks import numbers_of
from engine.settings import Settings

#: What the error of a skipped contact says, by code.
SKIPPED = {
    "contact_deleted": "the contact was deleted",
    "contact_unsubscribed": "the contact has unsubscribed",
}
#: Greater than every sequence.
NEWEST = 2**63 - 1


@dataclass(frozen=True, slots=True)
class ErrorPosition:
    """How far a page of errors went: the failure, then the error rows, then the skipped contacts by code and number."""

    error_no: int = -1
    code: str = ""
    contact_no: int = 0


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """A page of errors of one activity; `next` is None on the last."""

    errors: list[ItemError]
    next: ErrorPosition | None


async def find(db: Database, settings: Settings, account_id: int, activity_id: UUID) -> Activity:
    """The activity. Raises NotFound when the account has none of this id, or it is past the retention time."""
    async with db.account(account_id) as tx:
        row = await tx.one("activity_by_id", activity_id=activity_id, retention_days=settings.retention_days)
    if row is None:
        raise NotFound(f"there is no activity {activity_id}")
    return Activity.of(row)


async def recorded(db: Database, account_id: int, activity_id: UUID) -> Activity | None:
    """The activity that has been given this id, however long ago."""
    async with db.account(account_id) as tx:
        row = await tx.one("activity_of_record", activity_id=activity_id)
    return None if row is None else Activity.of(row)


async def page(
    db: Database,
    settings: Settings,
    account_id: int,
    *,
    limit: int,
    state: State | None,
    before: int = NEWEST,
) -> list[Activity]:
    """The account's activities within the retention time, newest first, from before sequence `before`."""
    async with db.account(account_id) as tx:
        rows = await tx.all(
            "activities_newest_first",
            limit=limit,
            state=state,
            before=before,
            retention_days=settings.retention_days,
        )
    return [Activity.of(row) for row in rows]


async def frozen_source(tx: Transaction, sequence: int) -> frozenset[int]:
    """The numbers of the contacts that an activity did its work on, if it decided once whom it meant: those, less those
    it skipped.
    """
    rows = await tx.all("frozen_source", sequence=sequence)
    return frozenset(contact_no for row in rows for contact_no in numbers_of(row["chunk"], row["bits"]))


async def errors(
    tx: Transaction, activity: Activity, *, limit: int, after: ErrorPosition = ErrorPosition()
) -> ErrorPage:
    """A page of what went wrong: why the activity ended early, if it did, and every item not done as asked, once."""
    found = _failure(activity) if after == ErrorPosition() else []
    if activity.error_count and len(found) < limit and not after.code:
        found += await _error_rows(tx, activity.sequence, limit - len(found), after)
    if activity.error_count and len(found) < limit:
        found += await _skipped(tx, activity.sequence, limit - len(found), after)
    return ErrorPage([error for error, _ in found], found[-1][1] if len(found) == limit else None)


def _failure(activity: Activity) -> list[tuple[ItemError, ErrorPosition]]:
    if activity.failure is None:
        return []
    return [(ItemError("", activity.failure_code or activity.state, activity.failure), ErrorPosition(error_no=0))]


async def _error_rows(
    tx: Transaction, sequence: int, limit: int, after: ErrorPosition
) -> list[tuple[ItemError, ErrorPosition]]:
    rows = await tx.all("activity_error_rows", sequence=sequence, limit=limit, after_error_no=after.error_no)
    return [
        (ItemError(row["item"], row["code"], row["message"]), ErrorPosition(error_no=row["error_no"])) for row in rows
    ]


async def _skipped(
    tx: Transaction, sequence: int, limit: int, after: ErrorPosition
) -> list[tuple[ItemError, ErrorPosition]]:
    rows = await tx.all(
        "skipped_chunks", sequence=sequence, limit=limit, after_code=after.code, after_contact_no=after.contact_no
    )
    numbers = ((row["code"], contact_no) for row in rows for contact_no in numbers_of(row["chunk"], row["bits"]))
    skipped = list(islice(numbers, limit))
    contact_ids = await _contact_ids(tx, [contact_no for _, contact_no in skipped])
    return [
        (_skip(contact_ids.get(contact_no), contact_no, code), ErrorPosition(after.error_no, code, contact_no))
        for code, contact_no in skipped
    ]


def _skip(contact_id: str | None, contact_no: int, code: str) -> ItemError:
    """Who was named by a number that nobody has is told by that."""
    if contact_id is None:
        return ItemError(str(contact_no), "contact_not_found", "there is no such contact")
    return ItemError(contact_id, code, SKIPPED[code])


async def _contact_ids(tx: Transaction, contact_nos: Sequence[int]) -> dict[int, str]:
    rows = await tx.all("contact_ids", contact_nos=contact_nos) if contact_nos else ()
    return {row["contact_no"]: str(row["contact_id"]) for row in rows}
