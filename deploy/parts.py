"""Parts of a stack: real processes, each under its guard, with a log of its own.

A part's process inherits the lock of the data folder: the folder stays taken until the last one has ended.
Nothing here knows what a part is for.
"""

import asyncio
import os
import signal
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from deploy.folder import DataFolder
from deploy.guard import guarded
from deploy.unprivileged import SystemUser
from engine.errors import Unusable

#: Seconds between two looks at whether a part is ready.
LOOK_SECONDS = 0.05

#: Seconds before a part that ended is started again: at first, and at most; doubled each time it ends soon.
FIRST_DELAY, LONGEST_DELAY = 0.5, 30.0

#: Seconds after which a part counts as having run well.
RAN_WELL_SECONDS = 60.0

#: Tells the person in front of the terminal.
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Part:
    """How to run one process: it is up when `ready` says so, and ends by the signals of its guard."""

    name: str
    command: tuple[str, ...]
    ready: Callable[[], Awaitable[bool]]
    environment: Mapping[str, str] = field(default_factory=dict)
    stop: signal.Signals = signal.SIGTERM
    kill: signal.Signals = signal.SIGKILL
    grace: float = 10.0
    start_seconds: float = 60.0
    user: SystemUser | None = None
    advice: str = ""


class RunningPart:
    """A part with its process, from `start` to `stop`."""

    def __init__(self, part: Part, folder: DataFolder, lock: int) -> None:
        self.part = part
        self._folder = folder
        self._lock = lock
        self._process: Process | None = None

    async def start(self) -> None:
        """Starts the process and waits until it is ready. Raises Unusable with the reason and what to do."""
        self._process = await self._spawn()
        try:
            async with asyncio.timeout(self.part.start_seconds):
                while not await self.part.ready():
                    self._check_alive(self._process)
                    await asyncio.sleep(LOOK_SECONDS)
        except TimeoutError:
            raise self._failed(f"was not ready after {self.part.start_seconds:.0f} seconds") from None

    async def finish(self) -> None:
        """Runs the process to its end. Raises Unusable when it fails."""
        self._process = await self._spawn()
        if code := await self._process.wait():
            raise self._failed(f"ended with code {code}")

    async def keep_running(self, say: Say) -> None:
        """Starts the process again whenever it ends, until cancelled."""
        delay = FIRST_DELAY
        while True:
            began = time.monotonic()
            code = await self._wait()
            if time.monotonic() - began > RAN_WELL_SECONDS:
                delay = FIRST_DELAY
            say(f"{self.part.name} ended with code {code}; it starts again in {delay:g} s (log: {self._log})")
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)
            try:
                await self.start()
            except Unusable as error:
                say(str(error))

    async def stop(self) -> None:
        """Asks the process to end and waits until it has; its guard insists."""
        self._signal(signal.SIGTERM)
        await self._wait()

    def kill(self) -> None:
        """Has the guard skip the grace."""
        self._signal(signal.SIGQUIT)

    async def _spawn(self) -> Process:
        part = self.part
        log = self._folder.open_log(part.name)
        try:
            return await asyncio.create_subprocess_exec(
                *guarded(
                    part.command,
                    stop=part.stop,
                    kill=part.kill,
                    grace=part.grace,
                    user=None if part.user is None else str(part.user),
                ),
                stdin=PIPE,
                stdout=log,
                stderr=STDOUT,
                cwd=self._folder.root,
                env=part.environment,
                start_new_session=True,
                pass_fds=(self._lock,),
            )
        finally:
            os.close(log)

    async def _wait(self) -> int:
        return 0 if self._process is None else await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(number)

    def _check_alive(self, process: Process) -> None:
        if process.returncode is not None:
            raise self._failed(f"ended with code {process.returncode} while it started")

    def _failed(self, how: str) -> Unusable:
        end = self._folder.log_end(self.part.name)
        said = f"; it said last ({self._log}):\n{end}" if end else ""
        return Unusable(f"{self.part.name} {how}{said}\n{self.part.advice}".rstrip())

    @property
    def _log(self) -> str:
        return str(self._folder.log(self.part.name))
