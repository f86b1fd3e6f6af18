"""An account with contacts and a list, for tests that only care about what becomes of an activity."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from random import Random

import asyncpg

from engine.activities import reading, submission
from engine.activities.model import Activity, Message, State
from engine.database import UNREACHABLE, Database
from engine.operations.list_memberships import AddListMemberships
from engine.principals import Principal
from engine.sets import catalog
from engine.sets.catalog import NamedSet, SetKind
from engine.settings import Settings
from engine.sources import Source
from tests.faults.worker import PATIENCE
from tests.integration.contacts import make_contacts
from tests.reference import Model
from workers.doorbell import Doorbell


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with suppress(*UNREACHABLE):  # the server may have been restarted
            if await condition():
                return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {seconds} seconds: {what}")


@dataclass(frozen=True)
class Bulk:
    """Puts the account's active contacts on its list, and tells what became of it."""

    db: Database
    settings: Settings
    principal: Principal
    doorbell: Doorbell
    target: NamedSet
    contact_ids: tuple[str, ...]

    async def submit(self) -> submission.Submitted:
        """An activity whose messages are not sent."""
        source = Source.model_validate({"contact_ids": self.contact_ids})
        request = AddListMemberships(source=source, list_ids=(self.target.set_id,))
        return await submission.submit(self.db, self.settings, self.principal, request)

    async def start(self) -> Activity:
        """An activity whose messages are sent."""
        submitted = await self.submit()
        self.doorbell.send(submitted.messages)
        return submitted.activity

    async def now(self, activity: Activity) -> Activity:
        return await reading.find(self.db, self.settings, activity.account_id, activity.activity_id)

    async def ended(self, activity: Activity) -> Activity:
        """The activity in its final state."""

        async def has_ended() -> bool:
            return (await self.now(activity)).state.is_final

        await until(has_ended, f"{activity.activity_id} has ended")
        return await self.now(activity)

    async def claimed(self, activity: Activity, times: int = 1) -> None:
        """Waits until a worker does the activity, which was claimed so many times now."""

        async def is_claimed() -> bool:
            current = await self.now(activity)
            return current.state is State.PROCESSING and current.fence == times

        await until(is_claimed, f"it was claimed {times} times")

    async def completed_once(self, activity: Activity) -> Activity:
        """Waits for the end, and asserts that all was done, exactly once."""
        ended = await self.ended(activity)
        assert ended.state is State.COMPLETED, ended
        assert ended.changed_count == len(self.contact_ids)
        assert await self.member_count() == len(self.contact_ids)
        return ended

    async def member_count(self) -> int:
        async with self.db.account(self.principal.account_id) as tx:
            found = await catalog.by_ids(tx, SetKind.LIST, [self.target.set_id])
        return found[self.target.set_id].member_count

    @asynccontextmanager
    async def held_up(self) -> AsyncIterator[None]:
        """Nobody can write to the list while the block runs: whoever does its activity waits in the middle of it."""
        owner = await asyncpg.connect(self.settings.database_url)
        try:
            await owner.execute("BEGIN")
            await owner.execute(
                "SELECT FROM contact_set WHERE account_id = $1 AND set_no = $2 FOR UPDATE",
                self.principal.account_id,
                self.target.set_no,
            )
            yield
        finally:
            # Not in order, since the server may be gone.
            owner.terminate()

    async def let_leases_run_out(self) -> None:
        """As if the time for it had passed: the sweeper looks for them."""
        owner = await asyncpg.connect(self.settings.database_url)
        await owner.execute("UPDATE lease SET expires_at = now() WHERE account_id = $1", self.principal.account_id)
        await owner.close()


async def prepare(db: Database, settings: Settings, principal: Principal, doorbell: Doorbell) -> Bulk:
    """The account of the principal with some contacts and a list."""
    model = Model()
    assert settings.database_url is not None
    await make_contacts(Random(1), settings.database_url, principal.account_id, model, count=20)
    async with db.account(principal.account_id) as tx:
        target = await catalog.create(tx, SetKind.LIST, "target")
    return Bulk(db, settings, principal, doorbell, target, tuple(sorted(model.active)))


def message_of(activity: Activity) -> Message:
    return Message(activity.account_id, activity.activity_id, activity.queue)
