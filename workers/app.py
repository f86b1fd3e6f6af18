"""A worker: some processes for each queue, kept running until a signal stops them, and a port that tells how they are.

It uses Dramatiq's `Worker` but not its command, which ends all processes when one dies, takes its settings at import,
and needs up to a second before it heeds a signal.
"""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import structlog

from engine import logs
from engine.activities.model import Queue
from engine.errors import Unusable, unusable_alone
from engine.settings import Settings
from workers import health
from workers.member import Member
from workers.metrics import WorkerMetrics
from workers.status import Order

log = structlog.get_logger()


def run(settings: Settings, queues: Sequence[Queue], processes: int, threads: int, program: str) -> None:
    """Works until SIGTERM or SIGINT, then lets running activities finish or hand over.

    processes: of each queue, since long work must not take the threads that small work waits for; threads: activities
    that one process does at once; program: the module of a process, which calls `workers.process.main`.
    Raises Unusable when a process cannot start or the port is taken.
    """
    logs.configure(settings)
    if settings.redis_url is None:
        raise Unusable("no REDIS_URL is set")
    orders = [Order(settings=settings, queue=queue, threads=threads) for queue in queues for _ in range(processes)]
    with TemporaryDirectory(prefix="muster-metrics-") as folder:
        metrics = WorkerMetrics(Path(folder))
        asyncio.run(_work(settings, [Member(order, metrics, program) for order in orders], metrics))


async def _work(settings: Settings, members: Sequence[Member], metrics: WorkerMetrics) -> None:
    stop = _stop_on_signals()
    try:
        async with health.served(settings, members, metrics):
            await _keep_running(members, stop)
    finally:
        await asyncio.gather(*(member.stop() for member in members))
    log.info("worker_stopped")


async def _keep_running(members: Sequence[Member], stop: asyncio.Event) -> None:
    """Until `stop` is set. Raises Unusable when a process cannot start."""
    with unusable_alone():
        async with asyncio.TaskGroup() as tasks:
            keepers = [tasks.create_task(member.keep_running()) for member in members]
            await stop.wait()
            for keeper in keepers:
                keeper.cancel()


def _stop_on_signals() -> asyncio.Event:
    """An event that SIGTERM and SIGINT set. Again is not louder: some tools signal a process and then its group."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    return stop
