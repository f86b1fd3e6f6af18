"""Taking in what comes at once together: requests of one account share a transaction while an earlier one is under way.

Submissions of an account wait for its lock, each until the one before is on the disk. So one process asks for the lock
once for all that came meanwhile; whoever comes alone is not held up. Measured with 16 clients of one account:
3,270 small requests a second instead of 150 (both at the same time 5,590 by a bare handler that inserts a row).
"""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from engine.activities.operation import Request
from engine.activities.submission import Submitted, submit, submit_together
from engine.database import UNREACHABLE, Database
from engine.errors import MusterError
from engine.principals import Principal
from engine.settings import Settings

#: Requests in one transaction at most: it bounds how long the account's lock is held.
MOST_TOGETHER = 50


class _Asked(NamedTuple):
    principal: Principal
    request: Request
    answer: "asyncio.Future[Submitted]"


class Intake:
    """Submissions of one process."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        #: By account with a transaction under way: what came meanwhile.
        self._waiting: dict[int, list[_Asked]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def submit(self, principal: Principal, request: Request) -> Submitted:
        """As `submission.submit`, and as durable when it answers."""
        waiting = self._waiting.get(principal.account_id)
        if waiting is not None:
            asked = _Asked(principal, request, asyncio.get_running_loop().create_future())
            waiting.append(asked)
            return await asked.answer
        self._waiting[principal.account_id] = []
        try:
            return await submit(self._db, self._settings, principal, request)
        finally:
            self._go_on(principal.account_id)

    def _go_on(self, account_id: int) -> None:
        """Takes in what came meanwhile, if anything did."""
        if not self._waiting[account_id]:
            del self._waiting[account_id]
            return
        task = asyncio.create_task(self._take_in(account_id))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _take_in(self, account_id: int) -> None:
        waiting = self._waiting[account_id]
        while waiting:
            batch = waiting[:MOST_TOGETHER]
            del waiting[:MOST_TOGETHER]
            await self._together(account_id, batch)
        del self._waiting[account_id]

    async def _together(self, account_id: int, batch: Sequence[_Asked]) -> None:
        if len(batch) == 1:
            return await self._alone(batch[0])
        try:
            asked = [(each.principal, each.request) for each in batch]
            results = await submit_together(self._db, self._settings, account_id, asked)
        except UNREACHABLE as error:
            _give(batch, [error] * len(batch))
        except Exception:  # noqa: BLE001 (whose fault it is comes out when each is alone)
            for each in batch:
                await self._alone(each)
        else:
            _give(batch, results)
        return None

    async def _alone(self, asked: _Asked) -> None:
        try:
            _give([asked], [await submit(self._db, self._settings, asked.principal, asked.request)])
        except Exception as error:  # noqa: BLE001 (it is raised where the answer is awaited)
            _give([asked], [error])


def _give(batch: Sequence[_Asked], results: Sequence[Submitted | MusterError | Exception]) -> None:
    for asked, result in zip(batch, results, strict=True):
        if asked.answer.done():
            continue  # who asked has gone
        if isinstance(result, Exception):
            asked.answer.set_exception(result)
        else:
            asked.answer.set_result(result)
