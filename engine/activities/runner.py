"""Doing the work of claimed activities.

The runner owns transactions, leases, time limits and what becomes of failures; an operation only says what to change.
It must never let an error get lost: each claimed activity ends, is given back for another attempt, or is another
worker's by now.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from uuid import UUID, uuid4

import structlog

from engine import operations, principals
from engine.activities import claims, order, submission
from engine.activities.claims import Claim
from engine.activities.item_errors import report
from engine.activities.model import Activity, Message, Send, State, json_text
from engine.activities.operation import (
    BatchedOperation,
    MembershipOperation,
    Progress,
    Request,
    Resources,
    WholeOperation,
)
from engine.activities.order import End, Failure
from engine.callees import NOBODY, Callees
from engine.database import Database, Transaction
from engine.errors import LeaseLost, MusterError
from engine.sets import membership
from engine.sets.membership import Change, Result
from engine.settings import Settings

log = structlog.get_logger()

#: Transactions of small activities that a process has under way at once. Whoever comes meanwhile waits unclaimed, so
#: that its neighbours share its transaction. Bar d with 1, 2, 8 at once, two processes on two cores with other work on
#: them: 740, 560, 300 activities a second. With 1, one that waits for a lock would hold up all.
SMALL_AT_ONCE = 2
#: Seconds before the first new attempt after an unexpected failure; doubled for each further one.
FIRST_RETRY_SECONDS = 1.0


class Runner:
    """What one worker process does with messages. Holds the process's leases.

    send: takes the messages of activities that may run now, as soon as that is committed. callees: who does calls.
    """

    def __init__(self, db: Database, settings: Settings, send: Send, callees: Callees = NOBODY) -> None:
        self._db = db
        self._settings = settings
        self._send = send
        self._resources = Resources(db, settings, callees)
        self.worker_id: UUID = uuid4()
        #: Account, sequence and fence of what the process works on: it may take an activity over from itself.
        self._held: set[tuple[int, int, int]] = set()
        self._turns = asyncio.Semaphore(SMALL_AT_ONCE)

    async def run(self, message: Message) -> None:
        """Does the activity of the message, if it is to be done now."""
        async with AsyncExitStack() as turn:
            await turn.enter_async_context(self._turns)
            claim = await claims.claim(self._db, self._settings, self.worker_id, message)
            self._send(claim.messages)
            if not claim.activities:
                return
            if not claim.small:
                await turn.aclose()
            with structlog.contextvars.bound_contextvars(account_id=message.account_id):
                async with self._holding(claim):
                    await self._work(claim.activities)

    async def heartbeat(self) -> None:
        """Renews the leases of everything this process works on."""
        for account_id in {account_id for account_id, _, _ in self._held}:
            sequences = sorted({sequence for account, sequence, _ in self._held if account == account_id})
            await claims.renew(self._db, self._settings, self.worker_id, account_id, sequences)

    @asynccontextmanager
    async def _holding(self, claim: Claim) -> AsyncIterator[None]:
        held = {(activity.account_id, activity.sequence, activity.fence) for activity in claim.activities}
        self._held |= held
        try:
            yield
        except asyncio.CancelledError:
            await asyncio.shield(self._hand_over(claim))
            raise
        finally:
            self._held -= held

    async def _hand_over(self, claim: Claim) -> None:
        """The process is stopping: what is not done yet is free for others at once."""
        await self._give_back(claim.activities)

    async def _work(self, activities: Sequence[Activity]) -> None:
        if len(activities) > 1:
            try:
                return await self._write_together(activities)
            except LeaseLost:
                log.warning("lease_lost", activities=len(activities))
            except Exception:
                log.exception("shared_transaction_failed", activities=len(activities))
        for place, activity in enumerate(activities, start=1):
            if not await self._work_alone(activity):
                # Those after it may meet it: they go through the account's order again.
                return await self._give_back(activities[place:])
        return None

    async def _give_back(self, activities: Sequence[Activity]) -> None:
        for activity in activities:
            await claims.hand_over(self._db, self.worker_id, activity)
            self._send([Message(activity.account_id, activity.activity_id, activity.queue)])

    async def _work_alone(self, activity: Activity) -> bool:
        """Whether the activity has ended: else it is left to another attempt or worker."""
        with structlog.contextvars.bound_contextvars(activity_id=str(activity.activity_id), kind=activity.kind):
            try:
                return await self._attempt(activity)
            except LeaseLost:
                log.warning("lease_lost")
                return False

    async def _attempt(self, activity: Activity) -> bool:
        limit = asyncio.timeout(self._seconds_left(activity))
        try:
            async with limit:
                await self._do(activity)
        except LeaseLost:
            raise
        except TimeoutError as error:
            if not limit.expired():
                return await self._try_again(activity, error)
            await self._time_out(activity)
        except MusterError as error:
            log.warning("activity_failed", code=error.code, reason=error.message)
            await self._end(activity, State.FAILED, Failure(error.code, error.message))
        except Exception as error:  # noqa: BLE001 (whatever it is, it must not get lost)
            return await self._try_again(activity, error)
        return True

    def _seconds_left(self, activity: Activity) -> float:
        assert activity.started_at is not None
        spent = (activity.updated_at - activity.started_at).total_seconds()
        return max(0.0, self._settings.activity_time_limit - spent)

    async def _do(self, activity: Activity) -> None:
        match operations.named(activity.kind):
            case MembershipOperation():
                await self._write_together([activity])
            case WholeOperation() as operation:
                await self._write_whole(activity, operation)
            case BatchedOperation() as operation:
                await self._write_batches(activity, operation)

    async def _write_together(self, activities: Sequence[Activity]) -> None:
        """Membership activities of one account, in order and in one transaction."""
        async with self._db.account(activities[0].account_id) as tx:
            mine = await _still_mine(tx, activities)
            cancelled = [activity for activity in mine if activity.cancel_requested]
            working = [activity for activity in mine if not activity.cancel_requested]
            results = await _write(tx, working)
            messages = await _cancel(tx, self._settings, cancelled)
            messages += await self._complete(tx, working, results)
        self._send(messages)

    async def _write_whole(self, activity: Activity, operation: WholeOperation) -> None:
        """Work that is one transaction of its own."""
        async with self._db.account(activity.account_id) as tx:
            [current] = await _still_mine(tx, [activity])
            if current.cancel_requested:
                messages = await _cancel(tx, self._settings, [current])
            else:
                done = await operation.write(tx, current)
                messages = await self._complete(tx, [current], {current.sequence: done.result})
                messages += await self._leave(tx, done.left)
        self._send(messages)

    async def _leave(self, tx: Transaction, requests: Iterable[Request]) -> list[Message]:
        """Enters what Muster itself is to go on with. There is room for one: the activity that leaves it has ended."""
        muster = principals.muster(tx.account_id)
        entered = [await submission.enter(tx, self._settings, muster, request) for request in requests]
        return [message for submitted in entered for message in submitted.messages]

    async def _complete(
        self, tx: Transaction, activities: Sequence[Activity], results: Mapping[int, Result]
    ) -> list[Message]:
        if not activities:
            return []
        await report(tx, {sequence: result.errors for sequence, result in results.items()})
        ends = [_completed(activity, results[activity.sequence]) for activity in activities]
        messages = await order.finish(tx, self._settings, State.COMPLETED, ends)
        log.info("activities_completed", activities=len(ends), changed=sum(end.changed_count for end in ends))
        return messages

    async def _write_batches(self, activity: Activity, operation: BatchedOperation) -> None:
        """Batched work: each batch is a transaction, and its progress is committed with it."""
        async with aclosing(operation.batches(activity, self._resources)) as batches:
            async for batch in batches:
                async with self._db.account(activity.account_id) as tx:
                    [current] = await _still_mine(tx, [activity])
                    if current.cancel_requested:
                        break
                    messages = await _advance(tx, self._settings, current, await batch.write(tx, current))
                self._send(messages)
            else:
                return await self._end(activity, State.COMPLETED)
        return await self._end(activity, State.CANCELLED)

    async def _time_out(self, activity: Activity) -> None:
        seconds = self._settings.activity_time_limit
        log.warning("activity_timed_out", seconds=seconds)
        reason = Failure("timed_out", f"it was not done within {seconds} seconds of processing")
        await self._end(activity, State.TIMED_OUT, reason)

    async def _try_again(self, activity: Activity, error: Exception) -> bool:
        """An unexpected failure: another attempt later, or the end when there have been enough since the last batch."""
        async with self._db.account(activity.account_id) as tx:
            [current] = await _still_mine(tx, [activity])
        log.error("attempt_failed", attempt=current.attempts, exc_info=error)
        if current.attempts >= self._settings.max_attempts:
            message = f"each of {current.attempts} attempts failed, the last with {type(error).__name__}"
            reason = Failure("attempts_exhausted", f"{message} (the worker's log tells more)")
            await self._end(activity, State.FAILED, reason)
            return True
        pause = FIRST_RETRY_SECONDS * 2 ** max(0, current.attempts - 1)
        await claims.release(self._db, self.worker_id, activity, pause)
        return False

    async def _end(self, activity: Activity, state: State, failure: Failure | None = None) -> None:
        async with self._db.account(activity.account_id) as tx:
            await operations.ended(tx, activity, state)
            end = End(activity.sequence, activity.fence)
            messages = await order.finish(tx, self._settings, state, [end], failure)
        self._send(messages)


async def _still_mine(tx: Transaction, activities: Sequence[Activity]) -> list[Activity]:
    """The activities as they are now.

    Raises LeaseLost when another worker has taken one over: those after it in the batch may meet it.
    """
    rows = await tx.all(
        "claimed_activities",
        sequences=[activity.sequence for activity in activities],
        fences=[activity.fence for activity in activities],
    )
    if len(rows) != len(activities):
        raise LeaseLost("another worker has taken the activity over")
    return [Activity.of(row) for row in rows]


async def _write(tx: Transaction, activities: Sequence[Activity]) -> dict[int, Result]:
    if not activities:
        return {}
    return await membership.write(tx, [await _change(tx, activity) for activity in activities])


async def _change(tx: Transaction, activity: Activity) -> Change:
    operation = operations.named(activity.kind)
    assert isinstance(operation, MembershipOperation)
    return await operation.change(tx, activity)


def _completed(activity: Activity, result: Result) -> End:
    return End(
        activity.sequence,
        activity.fence,
        items_total=result.selected,
        items_completed=result.selected - result.failed,
        changed_count=result.changed,
        error_count=result.skipped + len(result.errors),
    )


async def _cancel(tx: Transaction, settings: Settings, activities: Sequence[Activity]) -> list[Message]:
    if not activities:
        return []
    ends = [End(activity.sequence, activity.fence) for activity in activities]
    return await order.finish(tx, settings, State.CANCELLED, ends)


async def _advance(tx: Transaction, settings: Settings, activity: Activity, progress: Progress) -> list[Message]:
    """The batch is done; the messages of those that have waited for what it has read, if it was the last to read."""
    messages = await order.let_go(tx, settings, activity) if progress.has_read else []
    if not await tx.run(
        "advance_activity",
        sequence=activity.sequence,
        fence=activity.fence,
        cursor=json_text(progress.cursor),
        counts=json_text(progress.counts),
        items_total=progress.items_total,
        items_completed=progress.items_completed,
        changed_count=progress.changed_count,
        error_count=progress.error_count,
    ):
        raise LeaseLost("another worker has taken the activity over")
    return messages
