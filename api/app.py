"""The API as an aiohttp application, and running it.

State lives in the database: any number of these processes may run side by side. A submission never waits for
the broker.
"""

import asyncio
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import structlog
import uvloop
from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from api import convio, dialects, docs, greenrope, health, ivvy, w50
from api.auth import Authenticator
from api.dialects import Dialect, Mount, Services
from api.finality import Finality
from api.health import BrokerUp
from api.metrics import Metrics
from api.quota import Quota
from api.throttle import Throttle
from api.v3 import V3
from engine import garbage
from engine.activities.at_once import AtOnce
from engine.activities.inline import Inline
from engine.activities.intake import Intake
from engine.activities.model import Message, Send
from engine.activities.together import Together
from engine.database import Database
from engine.errors import DatabaseUnusable, Unusable
from engine.settings import Settings

log = structlog.get_logger()

#: The wire formats that are documented at /docs.
DIALECTS: Sequence[Dialect] = (V3,)
#: How the others come into the application.
OTHERS: Sequence[Mount] = (convio.mount, greenrope.mount, ivvy.mount, w50.mount)

#: Seconds that requests under way have to end when the process stops.
SHUTDOWN_SECONDS = 10.0
#: Seconds that a statement of a request may take: nobody waits for longer, and a hostile segment could take minutes.
LONGEST_STATEMENT = 30.0
#: Longest line of a request's head, in bytes: a cursor holds all filters of its query.
LINE_BYTES = 16384
#: What aiohttp raises for requests that are no HTTP, and for bodies that are not what their heads say: nobody reads the
#: body of a request that is refused for its path or token, so that it comes out when the connection is cleared.
NO_HTTP = (HttpProcessingError, web.RequestPayloadError)


class Doorbell(Protocol):
    """How the queue is told that activities wait (workers/doorbell.py)."""

    def send(self, messages: Sequence[Message]) -> None:
        """Has the messages delivered soon; returns at once and never raises."""

    async def is_up(self) -> bool:
        """Whether the broker answers now."""


async def _believed_up() -> bool:
    return True


def create_app(db: Database, settings: Settings, send: Send, broker_up: BrokerUp = _believed_up) -> web.Application:
    """The application.

    send: hands messages to the queue; it returns at once and never raises.
    broker_up: whether the broker can be reached, for /readyz.
    """
    metrics = Metrics()
    finality = Finality(db, settings)
    intake = Intake(db, settings)
    services = Services(
        db=db,
        settings=settings,
        send=send,
        intake=intake,
        inline=Inline(db),
        at_once=AtOnce(db, settings, intake, send),
        together=Together(db),
        authenticator=Authenticator(db, settings.token_cache_seconds),
        throttle=Throttle(settings),
        quota=Quota(db, settings),
        finality=finality,
        metrics=metrics,
    )
    app = web.Application(client_max_size=settings.json_max_bytes)
    health.mount(app, db, broker_up, metrics)
    docs.mount(app, DIALECTS)
    for dialect in DIALECTS:
        dialects.mount(app, services, dialect)
    for mount in OTHERS:
        mount(app, services)
    app.on_shutdown.append(_closing(finality))
    return app


def run(settings: Settings, doorbell: Doorbell) -> None:
    """Serves until SIGTERM or SIGINT, then lets requests under way end.

    Raises DatabaseUnusable, and Unusable when the address cannot be listened on.
    """
    uvloop.run(_run(settings, doorbell))


async def _run(settings: Settings, doorbell: Doorbell) -> None:
    async with serving(settings, doorbell):
        garbage.settle()
        await _told_to_stop()


@asynccontextmanager
async def serving(settings: Settings, doorbell: Doorbell) -> AsyncIterator[str]:
    """The API while it serves; gives its address, as http://127.0.0.1:8080."""
    if settings.database_app_url is None:
        raise DatabaseUnusable("no DATABASE_URL is set")
    db = await Database.open(
        settings.database_app_url, connections=settings.pool_connections, longest_statement=LONGEST_STATEMENT
    )
    runner = web.AppRunner(
        create_app(db, settings, doorbell.send, doorbell.is_up),
        access_log=None,
        shutdown_timeout=SHUTDOWN_SECONDS,
        max_line_size=LINE_BYTES,
        logger=_server_log(),
    )
    try:
        await runner.setup()
        yield await _listen(runner, settings)
    finally:
        await runner.cleanup()
        await db.close()


async def _listen(runner: web.AppRunner, settings: Settings) -> str:
    try:
        await web.TCPSite(runner, settings.host, settings.port).start()
    except OSError as error:
        raise Unusable(f"cannot listen on {settings.host}:{settings.port}: {error.strerror}") from error
    host, port = runner.addresses[0][:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    log.info("api_listening", address=address)
    return address


def _server_log() -> logging.Logger:
    """The log of aiohttp itself, without requests that are no HTTP: who sends them is told, and could fill any disk."""
    server_log = logging.getLogger("aiohttp.server")
    server_log.addFilter(_is_no_clients_fault)
    return server_log


def _is_no_clients_fault(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], NO_HTTP))


async def _told_to_stop() -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await stop.wait()


def _closing(finality: Finality) -> Callable[[web.Application], Awaitable[None]]:
    async def close(_: web.Application) -> None:
        finality.close()

    return close
