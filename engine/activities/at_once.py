"""Bulk activities that are done while the caller waits, for dialects whose bulk calls answer with what was done.

They are ordinary activities, only not listed: whoever dies in the middle of one leaves it to the workers.
"""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, replace

from engine.activities import reading, submission
from engine.activities.inline import BUSY_SECONDS
from engine.activities.intake import Intake
from engine.activities.model import Activity, Message, Queue, State
from engine.activities.operation import Plan, Request
from engine.activities.runner import Runner, Send
from engine.database import UNREACHABLE, Database, Transaction
from engine.errors import AlreadyFinal, Busy
from engine.principals import Principal
from engine.settings import Settings

#: Seconds until it is looked again whether an activity's turn has come; twice as many each time, up to the most.
FIRST_LOOK_SECONDS = 0.02
MOST_LOOK_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class _Unlisted:
    """A request whose activity is not listed, whatever others of its kind are."""

    request: Request

    @property
    def kind(self) -> str:
        return self.request.kind

    @property
    def queue(self) -> Queue:
        return self.request.queue

    async def plan(self, tx: Transaction) -> Plan:
        return replace(await self.request.plan(tx), listed=False)


class AtOnce:
    """The bulk activities that one process does for those who wait.

    send: takes the messages of activities that may run once these are done, as a Runner's.
    """

    def __init__(self, db: Database, settings: Settings, intake: Intake, send: Send) -> None:
        self._db = db
        self._settings = settings
        self._intake = intake
        self._send = send
        self._runner = Runner(db, settings, send)

    async def do(self, principal: Principal, request: Request) -> Activity:
        """Does the request; its activity, which is completed.

        Raises what submitting it raises, and Busy when earlier activities that must come first take too long: then it
        is cancelled.
        """
        submitted = await self._intake.submit(principal, _Unlisted(request))
        message = Message(principal.account_id, submitted.activity.activity_id, submitted.activity.queue)
        deadline, pause = asyncio.get_running_loop().time() + BUSY_SECONDS, FIRST_LOOK_SECONDS
        while not (activity := await self._attempt(message)).state.is_final:
            if asyncio.get_running_loop().time() > deadline:
                await self._give_up(principal, activity)
            else:
                await asyncio.sleep(pause)
                pause = min(2 * pause, MOST_LOOK_SECONDS)
        if activity.state is not State.COMPLETED:
            raise Busy(f"it could not be done now: {activity.failure or activity.state}")
        return activity

    async def _attempt(self, message: Message) -> Activity:
        """The activity after its turn, if it has come; it may also have been somebody else's."""
        beating = asyncio.create_task(self._beat())
        try:
            await self._runner.run(message)
        finally:
            beating.cancel()
        return await reading.find(self._db, self._settings, message.account_id, message.activity_id)

    async def _beat(self) -> None:
        """Keeps the leases while the work goes on. Those that are lost all the same are the workers'."""
        while True:
            await asyncio.sleep(self._settings.lease_seconds / 3)
            with suppress(*UNREACHABLE):
                await self._runner.heartbeat()

    async def _give_up(self, principal: Principal, activity: Activity) -> None:
        """Raises Busy unless the activity has ended after all."""
        with suppress(AlreadyFinal):
            cancelled = await submission.cancel(self._db, self._settings, principal, activity.activity_id)
            self._send(cancelled.messages)
            raise Busy("earlier activities that must come first have not ended; try again in a moment")
