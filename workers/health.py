"""Whether a worker lives and can work, and its figures, for orchestrators: /healthz, /readyz and /metrics.

The worker answers for all its processes on one port; each tells it regularly how it is.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from http import HTTPStatus

import structlog
from aiohttp import web
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from engine.errors import Unusable
from engine.settings import Settings
from workers.member import Member
from workers.metrics import WorkerMetrics

log = structlog.get_logger()


@asynccontextmanager
async def served(settings: Settings, members: Sequence[Member], metrics: WorkerMetrics) -> AsyncIterator[None]:
    """Serves them while the block runs. Raises Unusable when the port cannot be listened on."""
    runner = web.AppRunner(create_app(members, metrics), access_log=None)
    await runner.setup()
    try:
        await _listen(runner, settings)
        yield
    finally:
        await runner.cleanup()


def create_app(members: Sequence[Member], metrics: WorkerMetrics) -> web.Application:
    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        return _readiness(members)

    async def figures(_: web.Request) -> web.Response:
        return web.Response(body=metrics.exposition(), headers={"Content-Type": CONTENT_TYPE_LATEST})

    app = web.Application()
    app.add_routes([web.get("/healthz", healthz), web.get("/readyz", readyz), web.get("/metrics", figures)])
    return app


def _readiness(members: Sequence[Member]) -> web.Response:
    """A worker is ready when each of its processes has its database and the broker."""
    ready = all(member.status.is_ready for member in members)
    processes = [{"queue": member.queue, **member.status.model_dump()} for member in members]
    return web.json_response(
        {"status": "ok" if ready else "unusable", "processes": processes},
        status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


async def _listen(runner: web.AppRunner, settings: Settings) -> None:
    try:
        await web.TCPSite(runner, settings.host, settings.metrics_port).start()
    except OSError as error:
        raise Unusable(f"cannot serve health and metrics: {error.strerror}; set MUSTER_METRICS_PORT") from error
    log.info("worker_listening", addresses=[f"{address[0]}:{address[1]}" for address in runner.addresses])
