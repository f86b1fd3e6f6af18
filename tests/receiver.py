"""Receivers of calls, as real HTTP servers, and what they got."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks import Webhook


@dataclass(frozen=True, slots=True)
class Got:
    """One request that came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    def told(self, secret: str) -> dict[str, Any]:
        """The body, after a check that the owner of the secret sent it."""
        told: dict[str, Any] = Webhook(secret).verify(self.body, dict(self.headers))
        return told


@dataclass
class Receiver:
    """`answers` by path: a status, or None for one that never answers; any other path is 204."""

    url: str = ""
    got: list[Got] = field(default_factory=list)
    answers: dict[str, int | None] = field(default_factory=dict)

    def at(self, path: str) -> list[Got]:
        return [each for each in self.got if each.path == path]

    async def answer(self, request: web.Request) -> web.Response:
        self.got.append(Got(request.method, request.path, dict(request.headers), await request.read()))
        status = self.answers.get(request.path, 204)
        if status is None:
            await asyncio.Event().wait()
        assert status is not None
        headers = {"Location": f"{self.url}/elsewhere"} if 300 <= status < 400 else {}
        return web.Response(status=status, headers=headers, text="x" * 100_000 if status == 200 else None)


@asynccontextmanager
async def listening() -> AsyncIterator[Receiver]:
    """A receiver on a port of 127.0.0.1."""
    receiver, app = Receiver(), web.Application()
    app.router.add_route("*", "/{rest:.*}", receiver.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        receiver.url = f"http://{host}:{port}"
        yield receiver
    finally:
        await runner.cleanup()
