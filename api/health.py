"""Whether this process lives and can work, and its figures; for orchestrators, without a token."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog
from aiohttp import web

from api.answers import json_answer
from api.metrics import Metrics
from engine.database import Database

log = structlog.get_logger()

#: Seconds that a server has to answer before it counts as down.
PATIENCE = 3.0

BrokerUp = Callable[[], Awaitable[bool]]


def mount(app: web.Application, db: Database, broker_up: BrokerUp, metrics: Metrics) -> None:
    """Adds /healthz, /readyz and /metrics."""

    async def healthz(_: web.Request) -> web.Response:
        return json_answer({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        database, broker = await asyncio.gather(_answers(_database(db)), _answers(broker_up()))
        return _readiness(database, broker)

    async def figures(_: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), headers={"Content-Type": metrics.content_type})

    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", figures)


def _readiness(database: bool, broker: bool) -> web.Response:  # noqa: FBT001 (two facts, not a choice of behaviour)
    """Without its database the API is of no use; without the broker submitting still works."""
    status = "unusable" if not database else "ok" if broker else "degraded"
    words = {True: "up", False: "down"}
    return json_answer(
        {"status": status, "database": words[database], "broker": words[broker]},
        status=HTTPStatus.OK if database else HTTPStatus.SERVICE_UNAVAILABLE,
    )


async def _database(db: Database) -> bool:
    await db.check()
    return True


async def _answers(question: Awaitable[bool]) -> bool:
    try:
        async with asyncio.timeout(PATIENCE):
            return await question
    except Exception as error:  # noqa: BLE001 (any failure means that it cannot be used)
        log.warning("not_ready", reason=str(error) or type(error).__name__)
        return False
