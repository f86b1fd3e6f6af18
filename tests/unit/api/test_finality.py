"""Waiting for an activity to end without a hammer on the database (`?wait=`, an extension)."""

import asyncio
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from api import finality
from api.finality import Finality
from engine.activities import reading
from engine.activities.model import Activity, State
from engine.errors import DatabaseUnusable
from tests.unit.api.test_formats import QUEUED

OTHER = replace(QUEUED, activity_id=UUID(int=5))


class Rows:
    """The activities' rows, and how often they were looked at."""

    def __init__(self) -> None:
        self.rows = {QUEUED.activity_id: QUEUED, OTHER.activity_id: OTHER}
        self.looks = 0
        self.broken = False

    async def find(self, _db: object, _settings: object, _account_id: int, activity_id: UUID) -> Activity:
        self.looks += 1
        if self.broken:
            raise DatabaseUnusable("away")
        return self.rows[activity_id]

    def finish(self, activity: Activity) -> None:
        self.rows[activity.activity_id] = replace(activity, state=State.COMPLETED)


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> Rows:
    rows = Rows()
    monkeypatch.setattr(reading, "find", rows.find)
    return rows


@pytest.fixture
def waiting(rows: Rows) -> Finality:
    nothing: Any = None
    return Finality(nothing, nothing)


async def test_it_answers_when_the_activity_has_ended(waiting: Finality, rows: Rows) -> None:
    task = asyncio.create_task(waiting.wait(QUEUED, 30))
    await asyncio.sleep(0.03)
    assert not task.done()
    rows.finish(QUEUED)
    assert (await asyncio.wait_for(task, 1)).state is State.COMPLETED


async def test_it_answers_when_the_time_is_over(waiting: Finality, rows: Rows) -> None:
    assert (await waiting.wait(QUEUED, 0.02)).state is State.INITIALIZED


async def test_all_who_wait_for_one_share_its_polling(waiting: Finality, rows: Rows) -> None:
    tasks = [asyncio.create_task(waiting.wait(QUEUED, 30)) for _ in range(50)]
    tasks += [asyncio.create_task(waiting.wait(OTHER, 30)) for _ in range(50)]
    await asyncio.sleep(0.1)
    assert rows.looks <= 2 * 0.1 / finality.SHORTEST_PAUSE + 2
    rows.finish(QUEUED)
    rows.finish(OTHER)
    states = {activity.state for activity in await asyncio.gather(*tasks)}
    assert states == {State.COMPLETED}


async def test_nobody_is_polled_for_in_vain(waiting: Finality, rows: Rows) -> None:
    tasks = [asyncio.create_task(waiting.wait(QUEUED, 30)) for _ in range(2)]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)
    rows.looks = 0
    await asyncio.sleep(5 * finality.SHORTEST_PAUSE)
    assert rows.looks == 0
    assert not waiting._pollings


async def test_pauses_grow(waiting: Finality, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finality, "GROWTH", 1.0)
    monkeypatch.setattr(finality, "LONGEST_PAUSE", 10.0)
    await waiting.wait(QUEUED, 0.4)
    assert rows.looks < 12, "each pause is as long as all before it"


async def test_a_stopping_process_lets_everybody_go(waiting: Finality, rows: Rows) -> None:
    task = asyncio.create_task(waiting.wait(QUEUED, 30))
    await asyncio.sleep(0)
    waiting.close()
    assert (await asyncio.wait_for(task, 1)).state is State.INITIALIZED


async def test_a_broken_look_is_told_to_all(waiting: Finality, rows: Rows) -> None:
    rows.broken = True
    results = await asyncio.gather(*(waiting.wait(QUEUED, 30) for _ in range(3)), return_exceptions=True)
    assert [type(result) for result in results] == [DatabaseUnusable] * 3
