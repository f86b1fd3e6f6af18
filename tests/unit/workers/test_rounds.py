"""What goes on beside the activities goes on whatever fails, and a missing heartbeat is told."""

import asyncio
import faulthandler
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any, cast
from uuid import uuid4

import pytest
import structlog

from engine.activities import claims, clock
from engine.activities.model import Message
from engine.activities.runner import Runner
from engine.database import Database
from engine.settings import Settings
from workers import rounds

LEASE = 0.15


class Heart:
    """Stands for a runner whose heartbeat fails or hangs."""

    def __init__(self) -> None:
        self.beats = 0
        self.trouble: str | None = None

    async def heartbeat(self) -> None:
        self.beats += 1
        if self.trouble == "fails":
            raise OSError("no route")
        if self.trouble == "hangs":
            await asyncio.sleep(3600)


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    yield
    faulthandler.cancel_dump_traceback_later()


@asynccontextmanager
async def going_on(duty: Any) -> AsyncIterator[None]:
    task = asyncio.create_task(duty)
    yield
    assert not task.done()
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("trouble", ["fails", "hangs"])
async def test_a_missing_heartbeat_is_told_once_and_comes_back(trouble: str) -> None:
    heart = Heart()
    with structlog.testing.capture_logs() as logs:
        async with going_on(rounds.keep_leases(cast(Runner, heart), LEASE)):
            heart.trouble = trouble
            await asyncio.sleep(LEASE * 4)
            heart.trouble = None
            beats = heart.beats
            await asyncio.sleep(LEASE * 2)
            assert heart.beats > beats
    events = [log["event"] for log in logs]
    assert events == ["heartbeat_down", "heartbeat_missing", "heartbeat_up_again"]


async def test_sweeping_goes_on_until_nothing_is_left_and_after_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[list[Message] | Exception] = [
        [Message(1, uuid4(), "bulk")],
        [Message(2, uuid4(), "bulk")],
        [],
        OSError("no route"),
        [Message(3, uuid4(), "activities")],
    ]
    due = [[Message(4, uuid4(), "bulk")], []]
    again: list[Message] = []
    sent: list[Message] = []

    async def sweep(_db: Database) -> list[Message]:
        result = found.pop(0) if found else []
        if isinstance(result, Exception):
            raise result
        return result

    async def look_at_clock(_db: Database, _settings: Settings) -> list[Message]:
        return due.pop(0) if due else []

    monkeypatch.setattr(claims, "sweep", sweep)
    monkeypatch.setattr(clock, "due", look_at_clock)
    settings = Settings(sweep_seconds=0.01)
    with structlog.testing.capture_logs() as logs:
        async with going_on(rounds.sweep(cast(Database, None), settings, sent.extend, again.extend)):
            await asyncio.sleep(0.3)
    assert [message.account_id for message in again] == [1, 2, 3]
    assert [message.account_id for message in sent] == [4]
    assert [log["event"] for log in logs] == ["sweep_down", "sweep_up_again"]
