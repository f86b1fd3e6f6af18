"""The account's order at work: places in the queues, final states, and who runs next.

Everything here happens under the account's lock: taken first by those who submit, claim and cancel, last by those who
have worked and finish.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from engine.activities import schedule
from engine.activities.model import Activity, Message, Queue, State
from engine.activities.schedule import Unfinished
from engine.database import Transaction
from engine.errors import LeaseLost
from engine.settings import Settings

#: How many unfinished activities of an account, oldest first, are looked at for what may run; later ones wait.
LOOK_AHEAD = 500
#: Seconds after which a message that nobody has claimed is sent again.
REDISPATCH_SECONDS = 60


@dataclass(frozen=True, slots=True)
class End:
    """The end of an unfinished activity, and what its last step adds to its numbers."""

    sequence: int
    fence: int
    items_total: int = 0
    items_completed: int = 0
    changed_count: int = 0
    error_count: int = 0


@dataclass(frozen=True, slots=True)
class Failure:
    """Why an activity could not go on, with a stable code."""

    code: str
    message: str


async def unfinished(tx: Transaction) -> list[Unfinished]:
    """The account's oldest unfinished activities, in order."""
    return [Unfinished.of(row) for row in await tx.all("unfinished_activities", look_ahead=LOOK_AHEAD)]


async def finish(
    tx: Transaction, settings: Settings, state: State, ends: Sequence[End], failure: Failure | None = None
) -> list[Message]:
    """Ends unfinished activities; answers the messages to send after the commit: what may run now.

    Raises LeaseLost when one of them is not the caller's any more (its fencing token is an old one).
    """
    await tx.run("lower_unfinished", finished=len(ends))
    finished = await tx.run(
        "finish_activities",
        state=state,
        sequences=[end.sequence for end in ends],
        fences=[end.fence for end in ends],
        items_total=[end.items_total for end in ends],
        items_completed=[end.items_completed for end in ends],
        changed_counts=[end.changed_count for end in ends],
        error_counts=[end.error_count for end in ends],
        failure_code=failure and failure.code,
        failure=failure and failure.message,
    )
    if finished != len(ends):
        raise LeaseLost("another worker has taken the activity over, or it has ended")
    await tx.run("drop_leases", sequences=[end.sequence for end in ends])
    return await fill_queues(tx, settings)


async def fill_queues(tx: Transaction, settings: Settings) -> list[Message]:
    """Gives places in the queues to activities that may run now; their messages go out after the commit."""
    window = {str(queue): settings.window for queue in Queue}
    return await _queue(tx, schedule.next_in_queue(await unfinished(tx), window))


async def let_go(tx: Transaction, settings: Settings, activity: Activity) -> list[Message]:
    """The activity has read all that it reads: the messages of those that have waited for that. Raises LeaseLost."""
    await tx.run("lock_account")
    if not await tx.run("forget_reads", sequence=activity.sequence, fence=activity.fence):
        raise LeaseLost("another worker has taken the activity over, or it has ended")
    return await fill_queues(tx, settings)


async def _queue(tx: Transaction, chosen: Sequence[Unfinished]) -> list[Message]:
    if chosen:
        sequences = [activity.sequence for activity in chosen]
        await tx.run("queue_activities", sequences=sequences, redispatch_seconds=REDISPATCH_SECONDS)
    return [Message(tx.account_id, activity.activity_id, activity.queue) for activity in chosen]
