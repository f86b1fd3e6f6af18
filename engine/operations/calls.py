"""Calls one after the other as one activity: each is done in its turn, and what came of it is kept for some days.

What a call is, and who does it, is not known here (engine/callees.py). A call is its own transaction, or several; its
answer is kept in another one. A worker that dies between the two leaves the call to be asked again, under the same
record id, by which it finds what it has done.
"""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID, uuid5

from engine import hooks
from engine.activities import reading, submission
from engine.activities.model import Activity, Queue, State
from engine.activities.operation import Batch, BatchedOperation, Plan, Progress, Resources
from engine.activities.submission import Submitted
from engine.callees import Answered, Asked, Callees
from engine.database import Database, Transaction
from engine.errors import Conflict, NotFinal, NotFound, Unusable
from engine.principals import Principal
from engine.settings import Settings

#: Results that are read at once: each may be a MiB.
RESULTS_AT_ONCE = 8
#: An earlier attempt of nobody.
NO_ATTEMPT = 0


@dataclass(frozen=True, slots=True)
class Calls:
    """A request to have a callee do calls, with what they have in common; then its URL is called, if it has one."""

    kind: ClassVar[str] = "calls"
    queue: ClassVar[Queue] = Queue.BULK

    callee: str
    calls: Sequence[Mapping[str, Any]]
    common: Mapping[str, Any]
    callback_url: str | None = None

    async def plan(self, _tx: Transaction) -> Plan:
        """The calls take their own places in the account's order, so the activity itself meets nobody."""
        request = {
            "callee": self.callee,
            "calls": self.calls,
            "common": self.common,
            "callback_url": self.callback_url,
            "handle": None,
            "earlier": NO_ATTEMPT,
        }
        return Plan(request, reads=frozenset(), writes=frozenset(), listed=False)


@dataclass(frozen=True, slots=True)
class _Again:
    """The calls of an activity that has ended, but for those that were done."""

    kind: ClassVar[str] = Calls.kind
    queue: ClassVar[Queue] = Calls.queue

    last: Activity
    common: Mapping[str, Any]

    async def plan(self, _tx: Transaction) -> Plan:
        handle = handle_of(self.last)
        request = {**self.last.request, "common": self.common, "handle": handle, "earlier": self.last.sequence}
        return Plan(request, reads=frozenset(), writes=frozenset(), listed=False, retry_of=handle)


def handle_of(activity: Activity) -> UUID:
    """What the client knows the activity by: its first attempt's id."""
    handle = activity.request["handle"]
    return UUID(handle) if handle else activity.retry_of or activity.activity_id


async def find(tx: Transaction, settings: Settings, handle: UUID) -> Activity:
    """The last attempt of the activity that a client knows by this. Raises NotFound."""
    row = await tx.one("last_attempt", kind=Calls.kind, handle=handle, retention_days=settings.retention_days)
    if row is None:
        raise NotFound(f"there is no activity {handle} that does calls")
    return Activity.of(row)


async def ended(tx: Transaction, settings: Settings, handle: UUID) -> Activity:
    """The last attempt, of which `results` tells what came of the calls.

    Raises NotFinal, and NotFound when they ended longer ago than that is kept.
    """
    activity = await find(tx, settings, handle)
    if not activity.state.is_final:
        raise NotFinal(f"activity {handle} is {activity.state}")
    await _insist_on_results(tx, settings, activity)
    return activity


async def results(db: Database, activity: Activity) -> AsyncGenerator[str | None, None]:
    """What came of each call of an ended activity, in their order; None of one that was not done.

    Some are read at a time, each time in a transaction of its own: together they may be hundreds of MiB.
    """
    count = len(activity.request["calls"])
    for first in range(0, count, RESULTS_AT_ONCE):
        async with db.account(activity.account_id) as tx:
            some = {"sequence": activity.sequence, "first": first, "end": first + RESULTS_AT_ONCE}
            kept = {row["item"]: row["result"] for row in await tx.all("results_of_calls", **some)}
        for item in range(first, min(first + RESULTS_AT_ONCE, count)):
            yield kept.get(item)


async def again(
    db: Database, settings: Settings, principal: Principal, handle: UUID, common: Mapping[str, Any]
) -> Submitted:
    """Has what failed or was not done asked again, as a new activity that is linked to the first.

    Raises NotFound, also when what came of it is not kept any more, NotFinal while it runs, Conflict when all was done,
    and TooManyActivities.
    """
    async with db.scheduling(principal.account_id) as tx:
        last = await find(tx, settings, handle)
        if not last.state.is_final:
            raise NotFinal(f"activity {handle} is {last.state}; only an ended activity can be done again")
        await _insist_on_results(tx, settings, last)
        if last.items_completed == last.items_total and not last.error_count:
            raise Conflict(f"every call of activity {handle} was done")
        return await submission.enter(tx, settings, principal, _Again(last, common))


async def call_back_again(tx: Transaction, settings: Settings, handle: UUID) -> bool:
    """Has the URL called again. False without one, before the end, and when that is too long ago. Raises NotFound."""
    activity = await find(tx, settings, handle)
    url = activity.request["callback_url"]
    if url is None or not (activity.state.is_final and await _are_kept(tx, settings, activity)):
        return False
    await hooks.enter_callback(tx, url, activity.activity_id)
    return True


async def told(callees: Callees, db: Database, account_id: int, activity_id: UUID) -> AsyncGenerator[bytes, None]:
    """What a callback tells of an activity, in pieces. Raises NotFound when there is no such activity."""
    activity = await reading.recorded(db, account_id, activity_id)
    if activity is None:
        raise NotFound(f"there is no activity {activity_id}")
    request = activity.request
    async for piece in callees[request["callee"]].told(handle_of(activity), request["calls"], results(db, activity)):
        yield piece


async def _are_kept(tx: Transaction, settings: Settings, activity: Activity) -> bool:
    """Whether what came of an ended activity is kept still."""
    return bool(await tx.value("results_are_kept", sequence=activity.sequence, result_days=settings.result_days))


async def _insist_on_results(tx: Transaction, settings: Settings, activity: Activity) -> None:
    if not await _are_kept(tx, settings, activity):
        raise NotFound(f"what came of activity {activity.activity_id} is not kept any more")


class Beginning:
    """The first step: what an earlier attempt has done need not be done again."""

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        request = activity.request
        done = await tx.run("copy_results", sequence=activity.sequence, earlier=request["earlier"])
        return Progress({}, items_total=len(request["calls"]), items_completed=done)


@dataclass(frozen=True, slots=True)
class Keeping:
    """Keeps what came of one call."""

    item: int
    answered: Answered

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        await tx.run("keep_result", sequence=activity.sequence, item=self.item, **self.answered._asdict())
        return Progress(
            cursor={},
            items_total=activity.items_total,
            items_completed=activity.items_completed + 1,
            error_count=int(self.answered.failed),
        )


class DoingCalls(BatchedOperation):
    """Does any request for calls, and has its URL called when it ends."""

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        if activity.cursor is None:
            yield Beginning()
        request, handle = activity.request, handle_of(activity)
        callee = resources.callees.get(request["callee"])
        if callee is None:
            raise Unusable(f"this worker does no calls for {request['callee']}")
        async with resources.db.account(activity.account_id) as tx:
            done = {row["item"] for row in await tx.all("items_done", sequence=activity.sequence)}
        for item, call in enumerate(request["calls"]):
            if item not in done:
                record_id = uuid5(handle, str(item))
                asked = Asked(activity.account_id, request["common"], call, record_id)
                yield Keeping(item, await callee.call(asked))

    async def ended(self, tx: Transaction, activity: Activity, _state: State) -> None:
        if url := activity.request["callback_url"]:
            await hooks.enter_callback(tx, url, activity.activity_id)


OPERATIONS = {Calls.kind: DoingCalls()}
