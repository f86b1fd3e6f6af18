"""Bulk activities that are done while the caller waits, for dialects whose bulk calls answer with what was done.

They are ordinary activities, only not listed: whoever dies in the middle of one leaves it to the workers.
"""

import asyncio
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from uuid import UUID, uuid5

import asyncpg

from engine.activities import reading, submission
from engine.activities.inline import BUSY_SECONDS
from engine.activities.intake import Intake
from engine.activities.model import Activity, Message, Queue, Send, State
from engine.activities.operation import Plan, Request
from engine.activities.runner import Runner
from engine.database import UNREACHABLE, Database, Transaction
from engine.errors import AlreadyFinal, Busy
from engine.principals import Principal
from engine.settings import Settings

#: Seconds until it is looked again whether an activity's turn has come; twice as many each time, up to the most.
FIRST_LOOK_SECONDS = 0.02
MOST_LOOK_SECONDS = 0.25
#: Activities of one record: all but the last were cancelled, or failed.
MOST_ATTEMPTS = 100


@dataclass(frozen=True, slots=True)
class _Unlisted:
    """A request whose activity is not listed, whatever others of its kind are, and may be to have a certain id."""

    request: Request
    activity_id: UUID | None = None

    @property
    def kind(self) -> str:
        return self.request.kind

    @property
    def queue(self) -> Queue:
        return self.request.queue

    async def plan(self, tx: Transaction) -> Plan:
        return replace(await self.request.plan(tx), listed=False, activity_id=self.activity_id)


class AtOnce:
    """The bulk activities that one process does for those who wait.

    send: takes the messages of activities that may run once these are done, as a Runner's. patience: seconds that what
    must come first may take; by default those that somebody waits for an answer.
    """

    def __init__(
        self, db: Database, settings: Settings, intake: Intake, send: Send, patience: float | None = None
    ) -> None:
        self._db = db
        self._settings = settings
        self._intake = intake
        self._send = send
        self._patience = BUSY_SECONDS if patience is None else patience
        self._runner = Runner(db, settings, send)

    async def do(self, principal: Principal, request: Request) -> Activity:
        """Does the request; its activity, which is completed.

        Raises what submitting it raises, and Busy when earlier activities that must come first take too long: then it
        is cancelled.
        """
        return await self._ended(principal, (await self._intake.submit(principal, _Unlisted(request))).activity)

    async def do_once(self, principal: Principal, request: Request, record_id: UUID) -> Activity:
        """As `do`, but what was done under this record already is not done again: its activity is answered."""
        for activity_id in _attempts(record_id):
            activity = await self._known(principal, activity_id) or await self._submit(principal, request, activity_id)
            if activity.state is State.COMPLETED or not activity.state.is_final:
                return await self._ended(principal, activity)
        raise Busy(f"it could not be done in {MOST_ATTEMPTS} attempts")

    async def done_before(self, principal: Principal, record_id: UUID) -> Activity | None:
        """The activity that was done under this record, or is being done; None when there is none. Raises Busy."""
        for activity_id in _attempts(record_id):
            activity = await self._known(principal, activity_id)
            if activity is None or activity.state is State.COMPLETED:
                return activity
            if not activity.state.is_final:
                return await self._ended(principal, activity)
        return None

    async def done_to(self, activity: Activity) -> frozenset[int]:
        """The numbers of the contacts that it was done to, be it that it was so already (`reading.frozen_source`)."""
        async with self._db.account(activity.account_id) as tx:
            return await reading.frozen_source(tx, activity.sequence)

    async def _known(self, principal: Principal, activity_id: UUID) -> Activity | None:
        return await reading.recorded(self._db, principal.account_id, activity_id)

    async def _submit(self, principal: Principal, request: Request, activity_id: UUID) -> Activity:
        """The activity of this id, made now by whoever is first."""
        try:
            return (await self._intake.submit(principal, _Unlisted(request, activity_id))).activity
        except asyncpg.UniqueViolationError:
            activity = await self._known(principal, activity_id)
            assert activity is not None
            return activity

    async def _ended(self, principal: Principal, activity: Activity) -> Activity:
        """The activity when it is completed. Raises Busy when it is not in time."""
        message = Message(principal.account_id, activity.activity_id, activity.queue)
        deadline, pause = asyncio.get_running_loop().time() + self._patience, FIRST_LOOK_SECONDS
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


def _attempts(record_id: UUID) -> Iterator[UUID]:
    """The ids of the activities that have been made, or may be, under a record."""
    return (uuid5(record_id, str(attempt)) for attempt in range(MOST_ATTEMPTS))
