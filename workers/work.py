"""The work of one process, from its boot to its shutdown: the database, the runner, and what goes on beside it.

All of it lives on the event loop of Dramatiq's AsyncIO middleware, and this one comes after it. A process that cannot
open its database must not boot: the library logs and swallows what a hook raises, except MiddlewareError.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine, Sequence
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

import structlog
from dramatiq import Broker, Middleware, Worker
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import MiddlewareError

from engine.activities.model import Message, Queue
from engine.activities.runner import Runner
from engine.callees import OpenCallees
from engine.database import UNREACHABLE, Database
from engine.errors import DatabaseUnusable
from engine.operations import calls
from workers import rounds
from workers.delivery import Delivery
from workers.doorbell import Doorbell
from workers.metrics import ProcessMetrics
from workers.outage import Outage
from workers.status import STATUS_SECONDS, Order, Status

log = structlog.get_logger()

Result = TypeVar("Result")

#: Connections beside those of the activities: for the heartbeat, the sweeper, the health check and the calls.
CONNECTIONS_BESIDE = 4
#: Seconds that running activities have to end when the process stops. The longest membership change (ten million
#: contacts on fifty lists) takes 3; longer work goes in batches, and hands over at once what of it is not committed.
FINISH_SECONDS = {Queue.ACTIVITIES: 5.0, Queue.BULK: 0.0}
#: Seconds that a server has to answer before it counts as down, and that closing the database may take.
PATIENCE = 2.0
#: Seconds between two tries while the database is away.
RETRY_SECONDS = 1.0


class CannotStart(MiddlewareError):
    """The process cannot work at all; its message says why."""


class Work(Middleware):
    """Does activities while the process runs.

    tell: called with the process' status, at boot and every STATUS_SECONDS.
    open_callees: opens whom activities call, and who words what is told of these when a URL is called for it.
    """

    def __init__(
        self, order: Order, doorbell: Doorbell, tell: Callable[[Status], None], open_callees: OpenCallees
    ) -> None:
        self._order = order
        self._doorbell = doorbell
        self._tell = tell
        self._open_callees = open_callees
        self._metrics = ProcessMetrics(order.queue)
        self._outage = Outage("database")
        self._running = set[asyncio.Task[Any]]()
        self._stopping = False

    async def do(self, message: Message) -> None:
        """Does the activity of the message, if it is to be done now. Never raises.

        While the database is away it waits, so that the process takes no more messages than it has threads.
        """
        task = asyncio.current_task()
        assert task is not None
        self._running.add(task)
        try:
            with self._metrics.working():
                await self._insist(message)
        except asyncio.CancelledError:
            self._doorbell.send([message])
            log.info("activity_handed_over", account_id=message.account_id, activity_id=str(message.activity_id))
        except Exception:
            # Nothing is lost: the activity's lease runs out, and the sweeper sends its message again.
            log.exception("message_failed", account_id=message.account_id, activity_id=str(message.activity_id))
        finally:
            self._running.discard(task)

    async def _insist(self, message: Message) -> None:
        while not self._stopping:
            try:
                await self._runner.run(message)
            except UNREACHABLE as error:
                self._outage.goes_on(error)
                await asyncio.sleep(RETRY_SECONDS * random.uniform(0.5, 1.5))  # noqa: S311
            else:
                return self._outage.is_over()
        # For another process. A consumer that is told to stop may take one more, perhaps one just handed over.
        return self._doorbell.send([message])

    def before_worker_boot(self, _broker: Broker, _worker: Worker) -> None:
        try:
            _on_loop(self._open())
        except Exception as error:
            raise CannotStart(str(error) or type(error).__name__) from error

    def before_worker_shutdown(self, _broker: Broker, worker: Worker) -> None:
        # They would go on taking messages while the running activities end.
        for consumer in worker.consumers.values():
            consumer.stop()
        _on_loop(self._finish())

    def after_worker_shutdown(self, _broker: Broker, _worker: Worker) -> None:
        _on_loop(self._close())

    async def _open(self) -> None:
        settings, threads = self._order.settings, self._order.threads
        if settings.database_app_url is None:
            raise DatabaseUnusable("no DATABASE_URL is set")
        connections = max(settings.pool_connections, threads + CONNECTIONS_BESIDE)
        self._db = await Database.open(settings.database_app_url, connections=connections)
        callees = self._open_callees(self._db, settings, self._doorbell.send)
        self._runner = Runner(self._db, settings, self._doorbell.send, callees)
        private, told = settings.hooks_to_private_addresses, partial(calls.told, callees)
        self._delivery = Delivery(self._db, told, self._metrics.call_made, private_addresses=private)
        self._rounds = [
            asyncio.create_task(duty)
            for duty in (
                rounds.keep_leases(self._runner, settings.lease_seconds),
                rounds.sweep(self._db, settings, self._doorbell.send, self._send_again),
                rounds.make_calls(self._delivery),
                rounds.count_calls(self._db, self._metrics.calls_due),
                self._keep_telling(),
            )
        ]

    async def _finish(self) -> None:
        self._stopping = True
        asyncio.get_running_loop().call_later(FINISH_SECONDS[self._order.queue], self._hand_over)

    def _hand_over(self) -> None:
        """What still runs rolls back what it has not committed, and gives its leases back."""
        for task in self._running:
            task.cancel()

    async def _close(self) -> None:
        for task in self._rounds:
            task.cancel()
        await asyncio.gather(*self._rounds, return_exceptions=True)
        await self._delivery.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                await self._db.close()

    def _send_again(self, messages: Sequence[Message]) -> None:
        log.info("messages_sent_again", messages=len(messages))
        self._metrics.sent_again(len(messages))
        self._doorbell.send(messages)

    async def _keep_telling(self) -> None:
        while True:
            self._tell(await self._status())
            await asyncio.sleep(STATUS_SECONDS)

    async def _status(self) -> Status:
        database, broker = await asyncio.gather(_problem(self._db.check()), _problem(self._broker_is_up()))
        return Status(database=not database, broker=not broker, problem=database or broker)

    async def _broker_is_up(self) -> None:
        if not await self._doorbell.is_up():
            raise ConnectionError("the broker does not answer")


async def _problem(check: Coroutine[Any, Any, None]) -> str:
    """Why a check fails; empty when it does not."""
    try:
        async with asyncio.timeout(PATIENCE):
            await check
    except Exception as error:  # noqa: BLE001 (any failure means that it cannot be used)
        return str(error) or type(error).__name__
    return ""


def _on_loop(coroutine: Coroutine[Any, Any, Result]) -> Result:
    """Runs it on the event loop of the AsyncIO middleware, and waits for it."""
    thread = get_event_loop_thread()
    if thread is None:
        coroutine.close()
        raise CannotStart("the event loop did not start")
    return thread.run_coroutine(coroutine)
