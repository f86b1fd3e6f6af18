"""Writes of several contacts that are one: all of them are done or none, and whom they mean is decided in the same
transaction, while nobody else decides that for others of the account.

So what is said of everybody who meets a condition, or else of a new contact, makes no second one when it is said twice
at once. Each write leaves its own record, as inline operations do (engine/activities/inline.py).
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple

import asyncpg

from engine.activities.inline import BUSY_SECONDS, LOOK_SECONDS, MOST_ACCOUNTS, NUMBERS_AT_ONCE
from engine.contacts import writing
from engine.contacts.decisions import ContactWrite, Written
from engine.contacts.numbers import Numbers
from engine.database import Database, Transaction
from engine.errors import Busy, MusterError, WrittenMeanwhile
from engine.principals import Principal

#: Decides what to write; all but one of the writes are of contacts that are there.
Choose = Callable[[Transaction], Awaitable[Sequence[ContactWrite]]]

#: What meeting somebody else's write of the same contacts raises: it is tried again.
MEETINGS = (asyncpg.UniqueViolationError, asyncpg.DeadlockDetectedError)


class _Turn(NamedTuple):
    """Of an account: one after the other, with the numbers for new contacts."""

    lock: asyncio.Lock
    numbers: Numbers


class Together:
    """Such writes of one process."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._turns: dict[int, _Turn] = {}

    async def write(self, principal: Principal, choose: Choose) -> list[Written]:
        """Does what `choose` decides, which may be called more than once.

        Raises what it raises, what a write is refused for, WrittenMeanwhile, and Busy when activities that must come
        first take too long.
        """
        turn, begun = self._turn(principal.account_id), asyncio.get_running_loop().time()
        while True:
            try:
                async with turn.lock:
                    return await self._write(principal, choose, turn.numbers)
            except (Busy, *MEETINGS) as error:
                if asyncio.get_running_loop().time() - begun > BUSY_SECONDS:
                    raise _refusal(error) from None
            await asyncio.sleep(LOOK_SECONDS)

    async def _write(self, principal: Principal, choose: Choose, numbers: Numbers) -> list[Written]:
        first = await numbers.reserve(1)
        # Of a transaction that fails nobody knows whether it was committed after all.
        used = 1
        try:
            async with self._db.account(principal.account_id) as tx:
                await tx.all("lock_names")
                writes = await choose(tx)
                results = await writing.write(tx, [(principal, write) for write in writes], first) if writes else []
                written = list(map(_insisted, results))
            used = sum(each.created for each in written)
        finally:
            numbers.take(used)
        return written

    def _turn(self, account_id: int) -> _Turn:
        if account_id not in self._turns and len(self._turns) >= MOST_ACCOUNTS:
            self._turns.clear()
        return self._turns.setdefault(account_id, _Turn(asyncio.Lock(), Numbers(self._db, account_id, NUMBERS_AT_ONCE)))


def _insisted(result: Written | MusterError) -> Written:
    if isinstance(result, MusterError):
        raise result
    return result


def _refusal(error: Exception) -> MusterError:
    if isinstance(error, MusterError):
        return error
    return WrittenMeanwhile("other requests are writing these contacts at this moment; try again")
