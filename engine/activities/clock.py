"""The clock: activities that nobody asks for, submitted when their time has come.

What comes by the clock is a kind of its own (its module says how often it comes and how its request is made) and a row
of `schedule` for each account. It is submitted as everything is, so order, leases and the window hold for it; it is
Muster's own, and not listed.
"""

from engine import operations, principals
from engine.activities import submission
from engine.activities.model import Message
from engine.database import Database
from engine.errors import TooManyActivities
from engine.settings import Settings

#: How many due rows one look takes at most.
MOST_AT_ONCE = 100
#: Seconds after which an account that has too many unfinished activities is asked again.
PUT_OFF_SECONDS = 600


async def due(db: Database, settings: Settings) -> list[Message]:
    """Submits what is due in any account; answers the messages to send. Several workers may look at once."""
    async with db.everywhere() as tx:
        rows = await tx.all("due_schedules", kinds=list(operations.SCHEDULED), limit=MOST_AT_ONCE)
    return [message for row in rows for message in await _submit(db, settings, row["account_id"], row["kind"])]


async def _submit(db: Database, settings: Settings, account_id: int, kind: str) -> list[Message]:
    """Submits one that is still due: who comes second waits for the account's lock and then finds it moved on."""
    scheduled, muster = operations.SCHEDULED[kind], principals.muster(account_id)
    async with db.scheduling(account_id) as tx:
        if not await tx.run("move_schedule_on", kind=kind, seconds=scheduled.every(settings).total_seconds()):
            return []
        try:
            return (await submission.enter(tx, settings, muster, scheduled.request())).messages
        except TooManyActivities:
            await tx.run("put_schedule_off", kind=kind, seconds=PUT_OFF_SECONDS)
            return []
