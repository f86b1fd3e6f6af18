"""Operations that a test can hold up, break and count, wrapped around the real ones; and a database that tells."""

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg

from engine.activities.model import Activity
from engine.activities.operation import (
    Batch,
    BatchedOperation,
    Done,
    MembershipOperation,
    Progress,
    Resources,
    WholeOperation,
)
from engine.database import Database, Transaction
from engine.sets.membership import Change

#: Called with the number of a step, from 0 in every attempt or process; may wait or raise.
Hook = Callable[[int], Awaitable[None]]


async def go_on(_number: int) -> None:
    """Neither waits nor raises."""


def failing(*numbers: int, error: Exception | None = None) -> Hook:
    """Fails at these calls, counted over all attempts from 0."""
    calls = iter(range(10_000))

    async def fail(_number: int) -> None:
        if next(calls) in numbers:
            raise error or RuntimeError("as the test wants it")

    return fail


async def always_fail(_number: int) -> None:
    raise RuntimeError("as the test wants it")


class WatchedChange(MembershipOperation):
    """A membership kind whose transaction calls `before` when it decides what to change."""

    def __init__(self, inner: MembershipOperation, before: Hook) -> None:
        self._inner = inner
        self._before = before
        self.calls = 0

    async def change(self, tx: Transaction, activity: Activity) -> Change:
        self.calls += 1
        await self._before(self.calls - 1)
        return await self._inner.change(tx, activity)


class WatchedWork(WholeOperation):
    """A whole kind whose transaction calls `before` at its beginning and `after` when its work is written."""

    def __init__(self, inner: WholeOperation, *, before: Hook = go_on, after: Hook = go_on) -> None:
        self._inner = inner
        self._before = before
        self._after = after
        self.calls = 0

    async def write(self, tx: Transaction, activity: Activity) -> Done:
        self.calls += 1
        await self._before(self.calls - 1)
        done = await self._inner.write(tx, activity)
        await self._after(self.calls - 1)
        return done


@dataclass(frozen=True)
class _WatchedBatch:
    inner: Batch
    number: int
    after: Hook

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        progress = await self.inner.write(tx, activity)
        await self.after(self.number)
        return progress


class WatchedBatches(BatchedOperation):
    """A batched kind that calls `before` ahead of each transaction and once behind them all, `after` at their ends."""

    def __init__(self, inner: BatchedOperation, *, before: Hook = go_on, after: Hook = go_on) -> None:
        self._inner = inner
        self._before = before
        self._after = after

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        number = 0
        async with aclosing(self._inner.batches(activity, resources)) as batches:
            async for batch in batches:
                await self._before(number)
                yield _WatchedBatch(batch, number, self._after)
                number += 1
        await self._before(number)


class NotingDatabase(Database):
    """Remembers what its transactions failed with."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.errors: list[str] = []

    @asynccontextmanager
    async def account(self, account_id: int) -> AsyncIterator[Transaction]:
        try:
            async with super().account(account_id) as tx:
                yield tx
        except asyncpg.PostgresError as error:
            self.errors.append(type(error).__name__)
            raise
