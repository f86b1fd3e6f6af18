"""One process of a worker: Dramatiq's threads on one queue, until it is told to stop or its worker is gone.

A program of the deployment's calls `main` (deploy/process.py); `member.py` starts it, and what it hears and says is in
`status.py`. Nothing may be opened at import.
"""

import os
import select
import signal
import socket
import sys

import structlog
from dramatiq import Worker
from dramatiq.middleware import AsyncIO

from engine import logs
from engine.callees import OpenCallees
from workers import actors
from workers.broker import QueueBroker
from workers.doorbell import Doorbell
from workers.status import CANNOT_START, Order, Status
from workers.work import CannotStart, Work

log = structlog.get_logger()

#: Milliseconds after which an idle thread looks whether it should end. Messages do not wait for it.
IDLE_MILLISECONDS = 500
#: Milliseconds that threads have to end: what still runs is handed over after 5 seconds at most (work.py).
STOP_MILLISECONDS = 10_000


class Line:
    """The line to the worker: the order and its end come in, statuses go out."""

    def __init__(self) -> None:
        self.order = Order.model_validate_json(sys.stdin.buffer.readline())
        self._out = os.fdopen(os.dup(sys.stdout.fileno()), "w")
        # Whatever else prints must not be taken for a status.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        self._news, self._wakeup = socket.socketpair()
        os.set_blocking(self._wakeup.fileno(), False)

    def heed_signals(self) -> None:
        """Notes SIGTERM from now on. What Ctrl-C sends to everybody is for the worker to pass on."""
        signal.set_wakeup_fd(self._wakeup.fileno())
        signal.signal(signal.SIGTERM, lambda _number, _frame: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)

    def wait_for_stop(self) -> None:
        """Until SIGTERM comes or the worker is gone."""
        select.select([sys.stdin.buffer, self._news], [], [])

    def tell(self, status: Status) -> None:
        try:
            self._out.write(status.model_dump_json() + "\n")
            self._out.flush()
        except OSError:
            log.warning("worker_gone")


def main(open_callees: OpenCallees) -> int:
    """Works; answers the exit code. `open_callees` opens whom activities call, and what is told of these."""
    line = Line()
    settings = line.order.settings
    logs.configure(settings)
    line.heed_signals()
    assert settings.redis_url is not None
    with Doorbell(settings.redis_url) as doorbell:
        return _work(line, settings.redis_url, doorbell, open_callees)


def _work(line: Line, redis_url: str, doorbell: Doorbell, open_callees: OpenCallees) -> int:
    order = line.order
    loop, work = AsyncIO(), Work(order, doorbell, line.tell, open_callees)
    broker = QueueBroker(redis_url, [loop, work])
    actors.declare(broker, order.queue, work.do)
    worker = Worker(broker, worker_timeout=IDLE_MILLISECONDS, worker_threads=order.threads)
    # No message waits in a busy process while another one is idle.
    worker.queue_prefetch = order.threads
    try:
        worker.start()
    except CannotStart as error:
        log.critical("process_cannot_start", queue=order.queue, reason=str(error))
        line.tell(Status(problem=str(error)))
        loop.after_worker_shutdown(broker, worker)
        return CANNOT_START
    log.info("process_started", queue=order.queue, threads=order.threads)
    line.wait_for_stop()
    worker.stop(STOP_MILLISECONDS)
    log.info("process_stopped", queue=order.queue)
    return 0
