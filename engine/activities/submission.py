"""Taking activities in: submit, retry, cancel. Each answers at once; the work is done by whoever claims it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from engine.activities import order
from engine.activities.model import Activity, Message, Queue, State, json_text
from engine.activities.operation import Plan, Request
from engine.activities.order import REDISPATCH_SECONDS, End
from engine.database import Database, Transaction
from engine.errors import AlreadyFinal, MusterError, NotFinal, NotFound, TooManyActivities, UnknownTarget
from engine.principals import Principal
from engine.sets import catalog
from engine.settings import Settings


class Submitted(NamedTuple):
    """A queued activity, and the messages to send now that it is committed."""

    activity: Activity
    messages: list[Message]


@dataclass(frozen=True, slots=True)
class _Entry:
    """What is to be entered into the account's order."""

    principal: Principal
    kind: str
    queue: Queue
    plan: Plan


async def submit(db: Database, settings: Settings, principal: Principal, request: Request) -> Submitted:
    """Queues the request as an activity of the principal's account.

    Raises Invalid or UnknownTarget when the request cannot be done, TooManyActivities when the account has as many
    unfinished ones as it may have. A refused request leaves nothing.
    """
    async with db.scheduling(principal.account_id) as tx:
        return await enter(tx, settings, principal, request)


async def enter(tx: Transaction, settings: Settings, principal: Principal, request: Request) -> Submitted:
    """As `submit`, in a transaction that holds the account's lock; after a refusal it can go on."""
    return await _enter_alone(tx, settings, await _planned(tx, principal, request))


async def submit_together(
    db: Database, settings: Settings, account_id: int, asked: Sequence[tuple[Principal, Request]]
) -> list[Submitted | MusterError]:
    """Queues requests of one account in this order, in one transaction; each is queued or refused on its own.

    Any other error is everybody's, and nothing was queued then, unless the connection broke in the commit.
    """
    async with db.scheduling(account_id) as tx:
        entries = [await _attempt(tx, principal, request) for principal, request in asked]
        entered = iter(await _enter(tx, settings, [each for each in entries if isinstance(each, _Entry)]))
        return [next(entered) if isinstance(each, _Entry) else each for each in entries]


async def retry(db: Database, settings: Settings, principal: Principal, activity_id: UUID) -> Submitted:
    """Queues an ended activity again, as a new one linked to it; batched work goes on after its finished batches.

    Raises NotFound, NotFinal, TooManyActivities.
    """
    async with db.scheduling(principal.account_id) as tx:
        first = await _lock(tx, settings, activity_id)
        if not first.state.is_final:
            raise NotFinal(f"activity {activity_id} is {first.state}; only an ended activity can be retried")
        plan = Plan(
            first.request,
            first.reads,
            first.writes,
            listed=first.listed,
            source_file_name=first.source_file_name,
            cursor=first.cursor,
            retry_of=activity_id,
        )
        return await _enter_alone(tx, settings, _Entry(principal, first.kind, Queue(first.queue), plan))


async def cancel(db: Database, settings: Settings, principal: Principal, activity_id: UUID) -> Submitted:
    """Cancels at once what has not begun; what runs in batches stops before its next one.

    What was done stays and is reported exactly. Raises NotFound, AlreadyFinal.
    """
    async with db.scheduling(principal.account_id) as tx:
        activity = await _lock(tx, settings, activity_id)
        if activity.state.is_final:
            raise AlreadyFinal(f"activity {activity_id} is {activity.state} already")
        messages = []
        if activity.state is State.INITIALIZED:
            end = End(activity.sequence, activity.fence)
            messages = await order.finish(tx, settings, State.CANCELLED, [end])
        else:
            await tx.run("request_cancel", sequence=activity.sequence)
        return Submitted(await _lock(tx, settings, activity_id), messages)


async def _planned(tx: Transaction, principal: Principal, request: Request) -> _Entry:
    return _Entry(principal, request.kind, request.queue, await request.plan(tx))


async def _attempt(tx: Transaction, principal: Principal, request: Request) -> _Entry | MusterError:
    """A refusal has written nothing, so it leaves its neighbours' transaction as it was."""
    try:
        return await _planned(tx, principal, request)
    except MusterError as error:
        return error


async def _lock(tx: Transaction, settings: Settings, activity_id: UUID) -> Activity:
    row = await tx.one("lock_activity", activity_id=activity_id, retention_days=settings.retention_days)
    if row is None:
        raise NotFound(f"there is no activity {activity_id}")
    return Activity.of(row)


async def _enter_alone(tx: Transaction, settings: Settings, entry: _Entry) -> Submitted:
    [result] = await _enter(tx, settings, [entry])
    if isinstance(result, MusterError):
        raise result
    return result


async def _enter(tx: Transaction, settings: Settings, entries: Sequence[_Entry]) -> list[Submitted | MusterError]:
    """Each entry's place in the order; refused are those that name a deleted set, or for which there is no room."""
    if not entries:
        return []
    requests = [json_text(entry.plan.request) for entry in entries]
    named = sorted({set_no for entry in entries for set_no in entry.plan.named})
    rows = await tx.all(
        "submit_activities",
        count=len(entries),
        entries=json_text(list(_told(entries))),
        requests=requests,
        named=named,
        named_ids=[tx.known_sets.set_id(tx.account_id, set_no) for set_no in named],
        most_unfinished=settings.max_unfinished,
        window=settings.window,
        redispatch_seconds=REDISPATCH_SECONDS,
    )
    if rows:
        rows.sort(key=itemgetter("sequence"))
        return [_submitted(tx, *entered) for entered in zip(entries, requests, rows, strict=True)]
    if len(entries) == 1:
        return [await _why_not(tx, settings, entries[0])]
    return [result for entry in entries for result in await _enter(tx, settings, [entry])]


async def _why_not(tx: Transaction, settings: Settings, entry: _Entry) -> MusterError:
    """Why there is no place for the entry."""
    try:
        await catalog.insist_on(tx, entry.plan.named)
    except UnknownTarget as error:
        return error
    most = settings.max_unfinished
    return TooManyActivities(f"the account has {most} unfinished activities; wait for some to end")


def _told(entries: Sequence[_Entry]) -> Iterator[dict[str, Any]]:
    """The entries as `submit_activities` reads them."""
    places = Counter[Queue]()
    for entry in entries:
        places[entry.queue] += 1
        plan = entry.plan
        yield {
            "kind": entry.kind,
            "queue": entry.queue.value,
            "nth": places[entry.queue],
            "principal_id": entry.principal.principal_id,
            "reads": sorted(plan.reads),
            "writes": sorted(plan.writes),
            "shareable": plan.shareable,
            "listed": plan.listed,
            "known_id": plan.activity_id,
            "retry_of": plan.retry_of,
            "source_file_name": plan.source_file_name,
            "cursor": plan.cursor,
        }


def _submitted(tx: Transaction, entry: _Entry, request_text: str, row: asyncpg.Record) -> Submitted:
    activity = Activity(
        account_id=tx.account_id,
        sequence=row["sequence"],
        activity_id=row["activity_id"],
        kind=entry.kind,
        queue=entry.queue,
        state=State.INITIALIZED,
        principal_id=entry.principal.principal_id,
        request_text=request_text,
        reads=entry.plan.reads,
        writes=entry.plan.writes,
        listed=entry.plan.listed,
        retry_of=entry.plan.retry_of,
        source_file_name=entry.plan.source_file_name,
        created_at=row["created_at"],
        updated_at=row["created_at"],
        cursor=entry.plan.cursor,
    )
    message = Message(activity.account_id, activity.activity_id, activity.queue)
    return Submitted(activity, [message] if row["queued"] else [])
