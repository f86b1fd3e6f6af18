"""What a process does again and again beside its activities: it keeps their leases, looks for what got lost and for
what is due by the clock, and makes and counts the calls that are due.
"""

import asyncio
import faulthandler
import random
import time
from collections.abc import Callable
from contextlib import suppress

import structlog

from engine import hook_calls
from engine.activities import claims, clock
from engine.activities.model import Send
from engine.activities.runner import Runner
from engine.database import Database
from engine.settings import Settings
from workers.delivery import Delivery
from workers.metrics import MOST_DUE
from workers.outage import Outage

log = structlog.get_logger()

#: A process whose loop stands still for as long writes where its threads are, and ends; the worker starts it again.
STUCK_SECONDS = 60
#: The first sweep comes soon: there may be work of a worker that was stopped.
FIRST_SWEEP_SECONDS = 1.0
#: Seconds between two looks for calls that are due: at most, and at least when one ended and made room.
CALLS_SECONDS, CALLS_APART_SECONDS = 1.0, 0.05
#: Seconds between two counts of the calls that are due.
COUNT_SECONDS = 10.0


class Pulse:
    """Notices that the heartbeat is missing for so long that leases have run out."""

    def __init__(self, most_seconds: float) -> None:
        self._most = most_seconds
        self._last = time.monotonic()
        self._told = False

    def beat(self) -> None:
        self._last, self._told = time.monotonic(), False

    def check(self) -> None:
        """Tells once if the last beat was too long ago."""
        silent = time.monotonic() - self._last
        if silent > self._most and not self._told:
            self._told = True
            log.error(
                "heartbeat_missing", seconds=round(silent, 1), reason="others may take over what this process does"
            )


async def keep_leases(runner: Runner, lease_seconds: float) -> None:
    """Renews the leases three times in their length, so that one failure costs none."""
    interval = lease_seconds / 3
    pulse, outage = Pulse(lease_seconds), Outage("heartbeat")
    while True:
        faulthandler.dump_traceback_later(max(STUCK_SECONDS, 2 * lease_seconds), exit=True)
        pulse.check()
        try:
            async with asyncio.timeout(interval):
                await runner.heartbeat()
            pulse.beat()
            outage.is_over()
        except Exception as error:  # noqa: BLE001 (the next beat may work)
            outage.goes_on(error)
        await asyncio.sleep(interval)


async def sweep(db: Database, settings: Settings, send: Send, send_again: Send) -> None:
    """Sends again what got lost, and sends what is due.

    The processes do it at different times, so that they do not all find the same.
    """
    outage, seconds = Outage("sweep"), settings.sweep_seconds
    await asyncio.sleep(random.uniform(0, min(FIRST_SWEEP_SECONDS, seconds)))  # noqa: S311
    while True:
        try:
            # One sweep is bounded, and what it found is put off: go on until nothing is overdue.
            while messages := await claims.sweep(db):
                send_again(messages)
            while messages := await clock.due(db, settings):
                send(messages)
            outage.is_over()
        except Exception as error:  # noqa: BLE001 (the next sweep may work)
            outage.goes_on(error)
        await asyncio.sleep(seconds * random.uniform(0.5, 1.5))  # noqa: S311


async def make_calls(delivery: Delivery) -> None:
    """Begins calls as they come due, and as those before them make room."""
    outage = Outage("calls")
    while True:
        try:
            await delivery.begin_due()
            outage.is_over()
        except Exception as error:  # noqa: BLE001 (the next look may work)
            outage.goes_on(error)
        with suppress(TimeoutError):
            async with asyncio.timeout(CALLS_SECONDS * random.uniform(0.5, 1.0)):  # noqa: S311
                await delivery.room.wait()
        await asyncio.sleep(CALLS_APART_SECONDS)


async def count_calls(db: Database, tell: Callable[[int], None]) -> None:
    """Tells how many calls are due."""
    outage = Outage("count of calls")
    while True:
        try:
            tell(await hook_calls.count_due(db, MOST_DUE))
            outage.is_over()
        except Exception as error:  # noqa: BLE001 (the next count may work)
            outage.goes_on(error)
        await asyncio.sleep(COUNT_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
