"""Inline operations: what is done while the caller waits for the answer, such as writing one contact.

They are activities too (design, "Inline operations"): each takes a place in the account's order and leaves the record
of what it changed, but is completed in the transaction that enters it, and not listed. Those of an account that come
while one is under way share the next transaction, as submissions do (engine/activities/intake.py).

One waits, bounded, for earlier membership activities on the lists and tags that it names or takes its contact off, so
that for these the account's order is the order in which things are done. For batched work it does not wait, nor for
what waits for that: an import takes long and is not one moment, so a single contact's write finds its place between two
of its batches (contract v3.md 6, 31).
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

import asyncpg

from engine.activities import reading
from engine.contacts import writing
from engine.contacts.decisions import ContactWrite, Written
from engine.contacts.numbers import Numbers
from engine.database import UNREACHABLE, Database
from engine.errors import Busy, DatabaseUnusable, MusterError, UnknownTarget, WrittenMeanwhile
from engine.principals import Principal

#: Writes in one transaction at most.
MOST_TOGETHER = 50
#: Seconds to wait for earlier activities, and between two looks.
BUSY_SECONDS = 5.0
LOOK_SECONDS = 0.02
#: Seconds that a transaction waits for those whom the one before has answered. With 8 clients that sign up one after
#: another transactions had 1 and 7 in turns; with 8 in each, a sign-up costs 30 % less.
GATHER_SECONDS = 0.002
#: Contact numbers that a process reserves at once; those it has left when it ends are a gap.
NUMBERS_AT_ONCE = 50
#: Accounts whose reserved numbers are remembered.
MOST_ACCOUNTS = 1000
#: How often a write is tried again that met another process' write of the same contact or address.
TRIES = 3
#: What such a meeting raises, or a set that was deleted, or an activity submitted in between.
MEETINGS = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError, UnknownTarget, Busy)


class _Asked(NamedTuple):
    principal: Principal
    write: ContactWrite
    answer: "asyncio.Future[Written | MusterError]"


class _Line:
    """The writes of one account that wait for their turn, and whom these and those under way mean."""

    def __init__(self) -> None:
        self.waiting: list[_Asked] = []
        self.meant: set[object] = set()
        self._wanted = 1
        self._enough = asyncio.Event()

    def join(self, asked: _Asked) -> None:
        self.waiting.append(asked)
        if len(self.waiting) >= self._wanted:
            self._enough.set()

    def next(self) -> list[_Asked]:
        """Those who go next, together."""
        batch = self.waiting[:MOST_TOGETHER]
        del self.waiting[:MOST_TOGETHER]
        return batch

    async def gather(self, count: int) -> None:
        """Lets as many join as were just answered, if they ask again at once: together they cost half as much."""
        self._wanted = count
        self._enough.clear()
        if count > 1 and len(self.waiting) < count:
            with suppress(TimeoutError):
                async with asyncio.timeout(GATHER_SECONDS):
                    await self._enough.wait()


class Inline:
    """The inline operations of one process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._numbers: dict[int, Numbers] = {}
        #: Of the accounts with a transaction under way.
        self._lines: dict[int, _Line] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def write(self, principal: Principal, write: ContactWrite) -> Written:
        """Does the write, which is on the disk when this answers.

        Raises what the write refuses, WrittenMeanwhile when its contact is being written by somebody else, and Busy
        when what must come first takes too long.
        """
        return await self._patiently(principal, write, (Busy, WrittenMeanwhile) if write.waits_for_others else (Busy,))

    async def written_before(self, principal: Principal, record_id: UUID) -> int | None:
        """The number of the contact that was written under this record; None when none was."""
        activity = await reading.recorded(self._db, principal.account_id, record_id)
        return None if activity is None else int(activity.request["contact_no"])

    async def write_all(self, principal: Principal, writes: Sequence[ContactWrite]) -> list[Written | MusterError]:
        """Does the writes in order; what came of each, which succeeds or is refused on its own.

        A later one sees what an earlier one did. Those of others to the same contacts are waited for, as long as
        `write` waits for what comes first. When the database cannot be reached any more, the rest is refused
        (DatabaseUnusable); those under way at that moment may have been done all the same.
        """
        results: list[Written | MusterError] = []
        for run in _apart(writes):
            results += await asyncio.gather(*(self._told(principal, write) for write in run))
            if isinstance(results[-1], DatabaseUnusable):
                return results + [results[-1]] * (len(writes) - len(results))
        return results

    async def _told(self, principal: Principal, write: ContactWrite) -> Written | MusterError:
        try:
            return await self._patiently(principal, write, (Busy, WrittenMeanwhile))
        except MusterError as error:
            return error
        except UNREACHABLE as error:
            return DatabaseUnusable(f"the database cannot be reached: {error}")

    async def _patiently(
        self, principal: Principal, write: ContactWrite, passing: tuple[type[MusterError], ...]
    ) -> Written:
        """The write, asked for again and again while it is refused for what passes. Raises what it is refused for."""
        begun = asyncio.get_running_loop().time()
        while True:
            result = await self._ask(principal, write)
            if isinstance(result, Written):
                return result
            if not isinstance(result, passing) or asyncio.get_running_loop().time() - begun > BUSY_SECONDS:
                raise result
            await asyncio.sleep(LOOK_SECONDS)

    async def _ask(self, principal: Principal, write: ContactWrite) -> Written | MusterError:
        line = self._lines.get(principal.account_id) or self._open(principal.account_id)
        if not line.meant.isdisjoint(write.keys):
            return WrittenMeanwhile("another request is writing this contact at this moment; try again")
        line.meant |= write.keys
        asked = _Asked(principal, write, asyncio.get_running_loop().create_future())
        line.join(asked)
        return await asked.answer

    def _open(self, account_id: int) -> _Line:
        line = self._lines[account_id] = _Line()
        task = asyncio.create_task(self._work(account_id, line))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return line

    async def _work(self, account_id: int, line: _Line) -> None:
        """Does what waits in the account until nothing does."""
        while batch := line.next():
            await self._together(account_id, batch)
            for asked in batch:
                line.meant -= asked.write.keys
            await line.gather(len(batch))
        del self._lines[account_id]

    async def _together(self, account_id: int, batch: Sequence[_Asked]) -> None:
        if len(batch) == 1:
            return await self._alone(account_id, batch[0])
        try:
            _give(batch, await self._transaction(account_id, batch))
        except UNREACHABLE as error:
            _fail(batch, error)
        except Exception:  # noqa: BLE001 (whose fault it is comes out when each is alone)
            for asked in batch:
                await self._alone(account_id, asked)
        return None

    async def _alone(self, account_id: int, asked: _Asked) -> None:
        for _ in range(TRIES):
            try:
                return _give([asked], await self._transaction(account_id, [asked]))
            except MEETINGS:
                continue
            except Exception as error:  # noqa: BLE001 (it is raised where the answer is awaited)
                return _fail([asked], error)
        return _give([asked], [WrittenMeanwhile("other requests are writing this contact at this moment; try again")])

    async def _transaction(self, account_id: int, batch: Sequence[_Asked]) -> list[Written | MusterError]:
        numbers = self._numbers_of(account_id)
        first = await numbers.reserve(len(batch))
        # Of a transaction that fails nobody knows whether it was committed after all.
        used = len(batch)
        try:
            async with self._db.account(account_id) as tx:
                results = await writing.write(tx, [(asked.principal, asked.write) for asked in batch], first)
            used = sum(isinstance(result, Written) and result.created for result in results)
        finally:
            numbers.take(used)
        return results

    def _numbers_of(self, account_id: int) -> Numbers:
        if account_id not in self._numbers and len(self._numbers) >= MOST_ACCOUNTS:
            self._numbers.clear()
        return self._numbers.setdefault(account_id, Numbers(self._db, account_id, NUMBERS_AT_ONCE))


def _apart(writes: Iterable[ContactWrite]) -> Iterator[list[ContactWrite]]:
    """The writes in order, in runs of some to different contacts, which may share a transaction."""
    run, meant = list[ContactWrite](), set[object]()
    for write in writes:
        if len(run) == MOST_TOGETHER or not meant.isdisjoint(write.keys):
            yield run
            run, meant = [], set()
        run.append(write)
        meant |= write.keys
    if run:
        yield run


def _give(batch: Sequence[_Asked], results: Sequence[Written | MusterError]) -> None:
    for asked, result in zip(batch, results, strict=True):
        if not asked.answer.done():
            asked.answer.set_result(result)


def _fail(batch: Sequence[_Asked], error: Exception) -> None:
    for asked in batch:
        if not asked.answer.done():
            asked.answer.set_exception(error)
