"""A process as its worker sees it: started, listened to, started again when it dies, stopped."""

import asyncio
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from contextlib import suppress

import structlog

from engine.activities.model import Queue
from engine.errors import Unusable
from workers.metrics import WorkerMetrics
from workers.status import CANNOT_START, STATUS_SECONDS, Order, Status

log = structlog.get_logger()

#: Seconds before a process that died is started again: at first, and at most; doubled each time it dies soon.
FIRST_DELAY, LONGEST_DELAY = 0.5, 10.0
#: Seconds after which a process counts as having run well.
RAN_WELL_SECONDS = 60.0
#: Seconds without a status after which a process counts as not ready.
SILENT_SECONDS = 3 * STATUS_SECONDS
#: Seconds that a process has to stop: more than it takes to hand over what it does (process.py: STOP_MILLISECONDS).
STOP_SECONDS = 25.0


class Member:
    """One process of a worker; `program` is the module that it runs."""

    def __init__(self, order: Order, metrics: WorkerMetrics, program: str) -> None:
        self._order = order
        self._metrics = metrics
        self._program = program
        self._process: Process | None = None
        self._status = Status(problem="it is starting")
        self._heard = time.monotonic()
        self._has_worked = False

    @property
    def queue(self) -> Queue:
        return self._order.queue

    @property
    def status(self) -> Status:
        """What the process said last, unless that is too long ago."""
        if time.monotonic() - self._heard > SILENT_SECONDS:
            return Status(problem="it does not answer")
        return self._status

    async def keep_running(self) -> None:
        """Starts the process, and again whenever it ends, until cancelled.

        Raises Unusable when it could not start and never has: then starting it again would not help.
        """
        delay = FIRST_DELAY
        while True:
            began = time.monotonic()
            code = await self._run()
            if code == CANNOT_START and not self._has_worked:
                raise Unusable(self._status.problem)
            if time.monotonic() - began > RAN_WELL_SECONDS:
                delay = FIRST_DELAY
            log.error("process_died", queue=self.queue, code=code, starts_again_in=delay)
            await asyncio.sleep(delay)
            delay = min(2 * delay, LONGEST_DELAY)
            self._metrics.restarted()

    async def stop(self) -> None:
        """Has the process finish or hand over what it does, and waits for its end."""
        self._signal(signal.SIGTERM)
        with suppress(TimeoutError):
            async with asyncio.timeout(STOP_SECONDS):
                await self._wait()
        self._signal(signal.SIGKILL)
        await self._wait()

    async def _run(self) -> int:
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-m", self._program),
            stdin=PIPE,
            stdout=PIPE,
            env=self._metrics.environment(),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(self._order.model_dump_json().encode() + b"\n")
        async for line in process.stdout:
            self._hear(Status.model_validate_json(line))
        code = await process.wait()
        self._hear(Status(problem=self._status.problem or f"it died with code {code}"))
        self._metrics.ended(process.pid)
        return code

    def _hear(self, status: Status) -> None:
        self._status, self._heard = status, time.monotonic()
        self._has_worked = self._has_worked or status.is_ready

    async def _wait(self) -> None:
        if self._process is not None:
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.send_signal(number)
