"""Claims and leases: which worker has which activity, judged by the database's clock only.

A lease row exists for each activity that has a place in its queue; a worker's id in it makes it a claim. The fencing
token in the activity's row goes up with every claim, so that a worker that lost its claim can finish nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from engine import operations
from engine.activities import order, schedule
from engine.activities.model import Activity, Message, State
from engine.activities.order import REDISPATCH_SECONDS, End, Failure
from engine.activities.schedule import Unfinished
from engine.database import Database, Transaction
from engine.settings import Settings

#: How many small activities share one transaction at most.
MOST_TOGETHER = 100
#: How many overdue leases one sweep looks at.
MOST_SWEPT = 100


@dataclass(frozen=True, slots=True)
class Claim:
    """Activities that this worker has now, in order, and the messages to send; `small` if they may share work."""

    activities: tuple[Activity, ...]
    messages: list[Message]
    small: bool = False


async def claim(db: Database, settings: Settings, worker_id: UUID, message: Message) -> Claim:
    """Claims the activity of a message, with the small ones after it that may share its transaction.

    Claims nothing when it has ended, another worker has it, or an earlier unfinished one meets it. One that has
    used up its attempts or its time is ended here.
    """
    async with db.scheduling(message.account_id) as tx:
        unfinished = await order.unfinished(tx)
        batch = schedule.together(unfinished, message.activity_id, MOST_TOGETHER)
        if not batch:
            return Claim((), await _give_place_back(tx, settings, message))
        if batch[0].state is State.PROCESSING and await tx.value("lease_is_held", sequence=batch[0].sequence):
            return Claim((), [])
        return await _take(tx, settings, worker_id, batch)


async def release(db: Database, worker_id: UUID, activity: Activity, seconds: float) -> None:
    """Gives a claimed activity back; the sweeper queues it again after `seconds`."""
    async with db.account(activity.account_id) as tx:
        await tx.run("postpone_lease", sequence=activity.sequence, worker_id=worker_id, seconds=seconds)


async def hand_over(db: Database, worker_id: UUID, activity: Activity) -> None:
    """Gives a claimed activity back at once; what was begun of it does not count as an attempt."""
    async with db.account(activity.account_id) as tx:
        await tx.run("return_attempt", sequence=activity.sequence, fence=activity.fence)
        await tx.run("postpone_lease", sequence=activity.sequence, worker_id=worker_id, seconds=0)


async def renew(db: Database, settings: Settings, worker_id: UUID, account_id: int, sequences: Sequence[int]) -> None:
    """The heartbeat: keeps the worker's leases in one account from running out."""
    async with db.account(account_id) as tx:
        await tx.run("renew_leases", sequences=sequences, worker_id=worker_id, lease_seconds=settings.lease_seconds)


async def sweep(db: Database) -> list[Message]:
    """Messages of activities whose message got lost or whose worker is gone, of all accounts, to be sent again.

    Ends the sessions of frozen processes, whose locks would keep others from taking over.
    """
    async with db.everywhere() as tx:
        await tx.run("end_silent_sessions")
        overdue = await tx.all("overdue_leases", limit=MOST_SWEPT)
    messages = []
    for row in overdue:
        async with db.account(row["account_id"]) as tx:
            if await tx.value("put_off_overdue_lease", sequence=row["sequence"], redispatch_seconds=REDISPATCH_SECONDS):
                messages.append(Message(row["account_id"], row["activity_id"], row["queue"]))
    return messages


async def _give_place_back(tx: Transaction, settings: Settings, message: Message) -> list[Message]:
    """The activity has to wait, or has ended: whoever is next gets its place in the queue."""
    await tx.run("leave_queue", activity_id=message.activity_id)
    return await order.fill_queues(tx, settings)


async def _take(tx: Transaction, settings: Settings, worker_id: UUID, batch: Sequence[Unfinished]) -> Claim:
    sequences = [activity.sequence for activity in batch]
    rows = await tx.all("claim_activities", sequences=sequences)
    await tx.run("take_leases", sequences=sequences, worker_id=worker_id, lease_seconds=settings.lease_seconds)
    claimed, messages = [], list[Message]()
    for row in sorted(rows, key=lambda row: row["sequence"]):
        activity = Activity.of(row)
        if used_up := _used_up(settings, activity, row["seconds_since_start"]):
            state, failure = used_up
            await operations.ended(tx, activity, state)
            messages += await order.finish(tx, settings, state, [End(activity.sequence, activity.fence)], failure)
        else:
            claimed.append(activity)
    return Claim(tuple(claimed), messages, batch[0].shareable)


def _used_up(settings: Settings, activity: Activity, seconds: float) -> tuple[State, Failure] | None:
    if seconds > settings.activity_time_limit:
        return State.TIMED_OUT, Failure(
            "timed_out", f"it was not done within {settings.activity_time_limit} seconds of processing"
        )
    if activity.attempts > settings.max_attempts:
        return State.FAILED, Failure(
            "attempts_exhausted", f"its worker died or failed in each of {settings.max_attempts} attempts"
        )
    return None
