"""A part starts, fails to, is started again, and ends: with real processes under their guards."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.folder import DataFolder, data_folder, locked
from deploy.parts import Part, RunningPart
from engine.errors import Unusable


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return data_folder(tmp_path)


class Workshop:
    """Makes parts of Python code, and stops them in the end."""

    def __init__(self, folder: DataFolder, lock: int) -> None:
        self.folder = folder
        self.lock = lock
        self.made: list[RunningPart] = []

    def part(self, code: str, **more: object) -> RunningPart:
        async def ready() -> bool:
            return (self.folder.root / "ready").exists()

        options = {"grace": 0.2, "start_seconds": 10, "ready": ready} | more
        command = (sys.executable, "-c", code)
        part = Part(name="part", command=command, environment=dict(os.environ), **options)  # type: ignore[arg-type]
        self.made.append(RunningPart(part, self.folder, self.lock))
        return self.made[-1]


@pytest_asyncio.fixture
async def workshop(folder: DataFolder) -> AsyncIterator[Workshop]:
    with locked(folder) as lock:
        shop = Workshop(folder, lock)
        yield shop
        await asyncio.gather(*(part.stop() for part in shop.made))


READY = "open('ready','w').close();"
WAIT = "import time;time.sleep(60)"


async def test_a_part_is_started_when_it_is_ready_and_stopped_when_it_has_ended(workshop: Workshop) -> None:
    part = workshop.part(READY + WAIT)
    await part.start()
    assert (workshop.folder.root / "ready").exists()
    await asyncio.wait_for(part.stop(), 5)


async def test_a_part_that_ends_while_it_starts_tells_what_it_said_and_what_to_do(workshop: Workshop) -> None:
    part = workshop.part("print('no such thing');raise SystemExit(3)", advice="Buy one.")
    with pytest.raises(Unusable) as failure:
        await part.start()
    log = workshop.folder.log("part")
    assert (
        failure.value.message
        == f"part ended with code 3 while it started; it said last ({log}):\nno such thing\nBuy one."
    )


async def test_a_part_that_does_not_get_ready_is_told(workshop: Workshop) -> None:
    with pytest.raises(Unusable, match="part was not ready after 0 seconds"):
        await workshop.part(WAIT, start_seconds=0.1).start()


async def test_a_part_can_run_to_its_end(workshop: Workshop) -> None:
    await workshop.part("print('done')").finish()
    assert workshop.folder.log_end("part") == "done"
    with pytest.raises(Unusable, match="part ended with code 4"):
        await workshop.part("raise SystemExit(4)").finish()


async def test_what_ends_is_started_again_ever_later(workshop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.parts.FIRST_DELAY", 0.01)
    part = workshop.part(READY + "print('run');raise SystemExit(5)")
    delays: list[str] = []
    enough = asyncio.Event()

    def say(line: str) -> None:
        if "again in" in line:
            delays.append(line.partition("again in ")[2].partition(" s")[0])
        if len(delays) == 3:
            enough.set()

    await part.start()
    keeper = asyncio.create_task(part.keep_running(say))
    await asyncio.wait_for(enough.wait(), 20)
    keeper.cancel()
    assert delays == ["0.01", "0.02", "0.04"]


async def test_killing_skips_the_grace(workshop: Workshop) -> None:
    part = workshop.part("import signal;signal.signal(15,signal.SIG_IGN);" + READY + WAIT, grace=60)
    await part.start()
    stopping = asyncio.create_task(part.stop())
    await asyncio.sleep(0.1)
    part.kill()
    await asyncio.wait_for(stopping, 5)


async def test_the_signal_to_stop_can_be_another(workshop: Workshop) -> None:
    code = "import signal,sys;signal.signal(2,lambda *_:(print('interrupted'),sys.exit()));" + READY + WAIT
    part = workshop.part(code, stop=signal.SIGINT, grace=10)
    await part.start()
    await part.stop()
    assert workshop.folder.log_end("part") == "interrupted"
