"""How much a token may ask in a day: a limit of the vendor's (contract v3.md 1.9) that a setting turns on.

All API processes count together, in the database; each takes requests from there by the block, so that only one
request of a block waits for it. What a process has taken and not answered when the day or its own life ends is lost:
a token may be refused so many requests too early, and never one too late.
"""

from asyncio import Lock
from collections.abc import Callable
from dataclasses import dataclass
from time import monotonic
from uuid import UUID
from weakref import WeakValueDictionary

from api.errors import QuotaExceeded
from engine import principals
from engine.database import Database
from engine.principals import Principal
from engine.settings import Settings

#: Blocks in a day.
BLOCKS = 1000


@dataclass(slots=True)
class _Block:
    """Requests that are left of those taken, until when they may be answered, and whether there are no more to take."""

    left: int
    until: float
    is_last: bool

    def is_over(self, now: float) -> bool:
        return now >= self.until or not (self.left or self.is_last)


class Quota:
    """Counts the requests of each principal in a day, also those that are refused, unless they come too fast."""

    def __init__(self, db: Database, settings: Settings, now: Callable[[], float] = monotonic) -> None:
        self._db = db
        self._most = settings.requests_per_day
        self._now = now
        self._blocks: dict[UUID, _Block] = {}
        self._day_ends = 0.0
        #: Of the principals whose requests are being counted.
        self._turns: WeakValueDictionary[UUID, Lock] = WeakValueDictionary()

    async def admit(self, principal: Principal) -> None:
        """Raises QuotaExceeded when the principal has asked as often on this day as it may."""
        if self._most is None:
            return
        async with self._turns.setdefault(principal.principal_id, Lock()):
            block = self._blocks.get(principal.principal_id)
            if block is None or block.is_over(self._now()):
                block = await self._take(principal, self._most)
            if not block.left:
                raise QuotaExceeded("Limit Exceeded")
            block.left -= 1

    async def _take(self, principal: Principal, most: int) -> _Block:
        size, now = max(1, most // BLOCKS), self._now()
        taken = await principals.take_requests(self._db, principal, size, most)
        if now >= self._day_ends:
            self._blocks = {each: block for each, block in self._blocks.items() if now < block.until}
            self._day_ends = now + taken.seconds
        block = _Block(taken.requests, now + taken.seconds, is_last=taken.requests < size)
        self._blocks[principal.principal_id] = block
        return block
