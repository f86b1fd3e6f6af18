"""The baseline of bars e and f: a bare aiohttp handler on the same loop, the same gateway and as large a pool.

It authenticates nobody, looks nothing up and orders nothing. A process of its own; prints its port when it listens.
"""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from uuid import UUID

import uvloop
from aiohttp import web
from pydantic_core import to_json

from engine.database import Database
from engine.operations.list_memberships import AddListMemberships

INSERT = "INSERT INTO bench_body (account_id, body) VALUES ($1, $2) RETURNING body_no"
FETCH = "SELECT activity_id, state, created_at, updated_at FROM activity WHERE account_id = $1 AND activity_id = $2"

Handler = Callable[[web.Request], Awaitable[web.Response]]


def submitting(db: Database) -> Handler:
    async def submit(request: web.Request) -> web.Response:
        body = await request.read()
        AddListMemberships.model_validate_json(body)
        account_id = int(request.headers["Account"])
        async with db.account(account_id) as tx:
            [row] = await tx.select(INSERT, (account_id, body.decode()))
        return _answer(dict(row), 201)

    return submit


def polling(db: Database) -> Handler:
    async def poll(request: web.Request) -> web.Response:
        account_id, activity_id = int(request.headers["Account"]), UUID(request.match_info["activity_id"])
        async with db.account(account_id) as tx:
            [row] = await tx.select(FETCH, (account_id, activity_id))
        return _answer(dict(row), 200)

    return poll


def _answer(content: dict[str, object], status: int) -> web.Response:
    return web.Response(body=to_json(content), status=status, content_type="application/json")


async def serve(database_url: str, connections: int) -> None:
    db = await Database.open(database_url, connections=connections)
    app = web.Application()
    app.router.add_post("/submit", submitting(db))
    app.router.add_get("/poll/{activity_id}", polling(db))
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    # The harness closes our input when it is done, or gone.
    await asyncio.to_thread(sys.stdin.read)
    await runner.cleanup()
    await db.close()


if __name__ == "__main__":
    uvloop.run(serve(sys.argv[1], int(sys.argv[2])))
