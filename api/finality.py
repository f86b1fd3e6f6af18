"""Waiting for activities to end (`?wait=`), without a hammer on the database.

All who wait for one activity in this process share one polling of it, whose pauses grow with the time waited.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from engine.activities import reading
from engine.activities.model import Activity
from engine.database import Database
from engine.settings import Settings

#: Pauses between two looks, in seconds: a tenth of the time waited so far, within these. Waiting for a minute takes
#: about 150 looks, and what ends after t seconds is seen by 1.1 t.
SHORTEST_PAUSE = 0.005
LONGEST_PAUSE = 0.5
GROWTH = 0.1


@dataclass(slots=True)
class _Polling:
    task: "asyncio.Task[Activity]"
    waiting: int = 0


class Finality:
    """Who waits for what in this process."""

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._settings = settings
        self._pollings: dict[tuple[int, UUID], _Polling] = {}
        self._closing = False

    async def wait(self, activity: Activity, seconds: float) -> Activity:
        """The activity in its final state, or as it is after `seconds`, or when the process stops."""
        async with self._polling(activity) as task:
            await asyncio.wait({task}, timeout=seconds)
            if task.done():
                return task.result()
        return await self._look(activity)

    def close(self) -> None:
        """Lets everybody who waits go on at once."""
        self._closing = True

    @asynccontextmanager
    async def _polling(self, activity: Activity) -> "AsyncIterator[asyncio.Task[Activity]]":
        key = activity.account_id, activity.activity_id
        polling = self._pollings.get(key)
        if polling is None:
            polling = self._pollings[key] = _Polling(asyncio.create_task(self._poll(activity)))
        polling.waiting += 1
        try:
            yield polling.task
        finally:
            polling.waiting -= 1
            if not polling.waiting:
                polling.task.cancel()
                del self._pollings[key]

    async def _poll(self, activity: Activity) -> Activity:
        begun = asyncio.get_running_loop().time()
        while not (activity.state.is_final or self._closing):
            waited = asyncio.get_running_loop().time() - begun
            await asyncio.sleep(min(LONGEST_PAUSE, max(SHORTEST_PAUSE, waited * GROWTH)))
            activity = await self._look(activity)
        return activity

    async def _look(self, activity: Activity) -> Activity:
        return await reading.find(self._db, self._settings, activity.account_id, activity.activity_id)
