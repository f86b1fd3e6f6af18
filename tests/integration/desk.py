"""An account at work: what a test asks of it, whom it has for contacts, and what came of it.

Statements run as the owner only prepare and inspect; the owner stands behind the account's wall, too, when it is no
superuser, so its connection is set to the account.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from engine import operations
from engine.activities import claims, reading, runner, submission
from engine.activities.model import Activity, Message
from engine.activities.operation import BatchedOperation, Request, Resources
from engine.activities.runner import Runner
from engine.activities.submission import Submitted
from engine.callees import NOBODY
from engine.database import Database
from engine.operations.list_memberships import AddListMemberships, RemoveListMemberships
from engine.principals import Principal
from engine.sets import catalog, system
from engine.sets import reading as sets_reading
from engine.sets.catalog import NamedSet, SetKind
from engine.sets.chunks import bits_of
from engine.sets.expressions import Members
from engine.settings import Settings

#: How many transactions wait for a lock; other tests may use other databases of the server.
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid IN (SELECT pid FROM pg_locks WHERE NOT granted)
"""
#: Whatever is waited for comes within this time on a busy machine, or the test fails.
PATIENCE = 20.0


async def until(condition: Callable[[], Awaitable[object]], what: str) -> None:
    """Waits until the condition holds."""
    deadline = time.monotonic() + PATIENCE
    while not await condition():
        assert time.monotonic() < deadline, f"not within {PATIENCE} seconds: {what}"
        await asyncio.sleep(0.005)


class Worker:
    """A worker process whose runs answer the messages that it has sent."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._sent: list[Message] = []
        self._runner = Runner(db, settings, self._sent.extend)
        self.worker_id = self._runner.worker_id
        self.heartbeat = self._runner.heartbeat

    async def run(self, message: Message) -> list[Message]:
        await self._runner.run(message)
        sent, self._sent[:] = self._sent.copy(), []
        return sent


async def deliver_at_random(random: Random, messages: Iterable[Message], workers: Sequence[Worker]) -> None:
    """Delivers messages, and those that come of them, to workers side by side: in any order, and some twice."""
    waiting = list(messages)

    async def work(worker: Worker) -> None:
        while waiting:
            message = waiting.pop(random.randrange(len(waiting)))
            if random.random() < 0.2:
                waiting.append(message)
            waiting.extend(await worker.run(message))
            await asyncio.sleep(0)

    while waiting:
        await asyncio.gather(*map(work, workers))


def message_of(asked: Activity | Submitted) -> Message:
    activity = asked.activity if isinstance(asked, Submitted) else asked
    return Message(activity.account_id, activity.activity_id, activity.queue)


@dataclass(frozen=True)
class Desk:
    """One account, with a connection of the database's owner that is set to it."""

    db: Database
    settings: Settings
    principal: Principal
    owner: Any

    @property
    def account_id(self) -> int:
        return self.principal.account_id

    def worker(self, **changes: object) -> Worker:
        """Another worker process, whose settings may differ."""
        return Worker(self.db, self.settings.model_copy(update=changes))

    # What is asked for

    async def submit(self, request: Request) -> Submitted:
        return await submission.submit(self.db, self.settings, self.principal, request)

    async def add(self, contact_ids: Sequence[UUID], *lists: NamedSet) -> Submitted:
        return await self.submit(self.adding(contact_ids, *lists))

    async def remove(self, contact_ids: Sequence[UUID], *lists: NamedSet) -> Submitted:
        list_ids = [each.set_id for each in lists]
        body = {"source": {"contact_ids": list(contact_ids)}, "list_ids": list_ids}
        return await self.submit(RemoveListMemberships.model_validate(body))

    @staticmethod
    def adding(contact_ids: Sequence[UUID], *lists: NamedSet) -> AddListMemberships:
        list_ids = [each.set_id for each in lists]
        return AddListMemberships.model_validate({"source": {"contact_ids": list(contact_ids)}, "list_ids": list_ids})

    # What runs

    async def deliver(self, messages: Iterable[Message], *workers: Worker) -> None:
        """Delivers messages, and those that come of them, one after the other, until none is left."""
        waiting, workers = list(messages), workers or (self.worker(),)
        while waiting:
            message = waiting.pop(0)
            waiting += await workers[len(waiting) % len(workers)].run(message)

    async def begin(self, activity: Activity, batches: int = 1) -> list[Message]:
        """Some batches of an activity, by a worker that is gone then; answers the messages that it has sent."""
        sent = list[Message]()
        [claimed] = (await claims.claim(self.db, self.settings, uuid4(), message_of(activity))).activities
        operation = operations.named(activity.kind)
        assert isinstance(operation, BatchedOperation)
        async with aclosing(operation.batches(claimed, Resources(self.db, self.settings, NOBODY))) as steps:
            for _ in range(batches):
                batch = await anext(steps)
                async with self.db.account(self.account_id) as tx:
                    [current] = await runner._still_mine(tx, [claimed])
                    sent += await runner._advance(tx, self.settings, current, await batch.write(tx, current))
        return sent

    async def finish_everything(self, *workers: Worker) -> None:
        """Until nothing is unfinished, whatever pauses there are and whatever got lost."""

        async def nothing_is_left() -> bool:
            await self.let_leases_run_out()
            await self.deliver(await self.swept(), *workers)
            return await self.unfinished() == 0

        await until(nothing_is_left, "everything has ended")

    async def let_leases_run_out(self) -> None:
        """As if the time for it had passed."""
        await self.owner.execute(
            "UPDATE lease SET expires_at = now() - interval '1 second' WHERE account_id = $1", self.account_id
        )

    async def swept(self) -> list[Message]:
        """What the sweeper finds of this account."""
        found: list[Message] = []
        while messages := await claims.sweep(self.db):
            found += [message for message in messages if message.account_id == self.account_id]
        return found

    @asynccontextmanager
    async def held(self, *lists: NamedSet) -> AsyncIterator[None]:
        """While the block runs nobody can write to the lists: whoever tries waits in the middle of its transaction."""
        locking = "SELECT FROM contact_set WHERE account_id = $1 AND set_no = any($2) FOR UPDATE"
        async with self.holding(locking, self.account_id, [each.set_no for each in lists]):
            yield

    @asynccontextmanager
    async def holding(self, locking: str, *arguments: object) -> AsyncIterator[None]:
        """Keeps the locks of a statement while the block runs."""
        holder = await asyncpg.connect(self.settings.database_url)
        try:
            await holder.execute(f"SET muster.account_id = '{self.account_id}'; BEGIN")
            await holder.execute(locking, *arguments)
            yield
        finally:
            await holder.close()

    async def someone_waits(self, count: int = 1) -> None:
        """Waits until so many transactions wait for a lock of another."""

        async def are_waiting() -> bool:
            return await self.owner.fetchval(WAITING) >= count

        await until(are_waiting, f"{count} transactions wait for a lock")

    # What came of it

    async def find(self, activity: Activity | Submitted) -> Activity:
        if isinstance(activity, Submitted):
            activity = activity.activity
        return await reading.find(self.db, self.settings, self.account_id, activity.activity_id)

    async def found(self, submitted: Iterable[Submitted]) -> list[Activity]:
        return [await self.find(each) for each in submitted]

    async def errors(self, activity: Activity | Submitted) -> list[tuple[str, str]]:
        """The item and the code of every error."""
        return [(error.item, error.code) for error in await self.full_errors(activity)]

    async def full_errors(self, activity: Activity | Submitted) -> list[Any]:
        current = await self.find(activity)
        async with self.db.account(self.account_id) as tx:
            return (await reading.errors(tx, current, limit=10_000)).errors

    async def new_list(self, name: str = "a list") -> NamedSet:
        async with self.db.account(self.account_id) as tx:
            return await catalog.create(tx, SetKind.LIST, f"{name} {uuid4().hex[:8]}")

    async def new_lists(self, count: int) -> list[NamedSet]:
        return [await self.new_list() for _ in range(count)]

    async def delete_list(self, named: NamedSet) -> None:
        """As a later version will."""
        await self.owner.execute(
            "UPDATE contact_set SET deleted_at = now() WHERE account_id = $1 AND set_no = $2",
            self.account_id,
            named.set_no,
        )

    async def members(self, named: NamedSet | int) -> set[int]:
        """The contact numbers in a set, after a check that its count says the same."""
        set_no = named if isinstance(named, int) else named.set_no
        async with self.db.account(self.account_id) as tx:
            numbers = await sets_reading.page(tx, Members((set_no,)), limit=100_000)
            [row] = await tx.all("sets_by_number", set_nos=[set_no])
        assert row["member_count"] == len(numbers)
        return set(numbers)

    async def rows(self, table: str) -> list[Any]:
        """All rows of the account in a table."""
        return await self.owner.fetch(f"SELECT * FROM {table} WHERE account_id = $1", self.account_id)

    async def unfinished(self) -> int:
        """How many of its activities have not ended, after a check that the account's row says the same."""
        counted, kept = await self.owner.fetchrow(
            "SELECT count(*) FILTER (WHERE state IN ('initialized', 'processing')),"
            " (SELECT unfinished FROM account WHERE account_id = $1) FROM activity WHERE account_id = $1",
            self.account_id,
        )
        assert counted == kept
        return int(counted)

    async def make_contacts(
        self, count: int = 3, *, first: int = 1, permission: str = "implicit", deleted: bool = False
    ) -> list[UUID]:
        """Contacts in any state, numbered from `first`; their e-mails are c<number>@example.org."""
        numbers = range(first, first + count)
        ids = [uuid4() for _ in numbers]
        await self.owner.executemany(
            "INSERT INTO contact (account_id, contact_no, contact_id, email, email_key, permission, created_at,"
            " updated_at, deleted_at, opt_in_date)"
            " VALUES ($1, $2, $3, $4, $4, $5, now(), now(), CASE WHEN $6 THEN now() END, now())",
            [
                (self.account_id, number, contact_id, f"c{number}@example.org", permission, deleted)
                for number, contact_id in zip(numbers, ids, strict=True)
            ],
        )
        for set_no in _system_sets(permission, deleted):
            await self._put(set_no, numbers)
        await self.owner.execute(
            "UPDATE account SET last_contact_no = greatest(last_contact_no, $2) WHERE account_id = $1",
            self.account_id,
            numbers[-1],
        )
        return ids

    async def _put(self, set_no: int, numbers: Iterable[int]) -> None:
        for chunk, bits in bits_of(numbers).items():
            await self.owner.execute(
                "INSERT INTO set_chunk (account_id, set_no, chunk, bits) VALUES ($1, $2, $3, $4)"
                " ON CONFLICT (account_id, set_no, chunk) DO UPDATE SET bits = set_chunk.bits | excluded.bits",
                self.account_id,
                set_no,
                chunk,
                bits,
            )
        await self.owner.execute(
            "UPDATE contact_set SET member_count = (SELECT coalesce(sum(bit_count(bits)), 0) FROM set_chunk"
            " WHERE account_id = $1 AND set_no = $2) WHERE account_id = $1 AND set_no = $2",
            self.account_id,
            set_no,
        )


def _system_sets(permission: str, deleted: bool) -> Iterable[int]:
    if not deleted:
        yield system.EXISTS
        if permission in ("implicit", "explicit"):
            yield system.ACTIVE
    if permission == "unsubscribed":
        yield system.UNSUBSCRIBED
