"""Health, figures, and how the server starts and stops."""

import asyncio
import socket
from time import monotonic

import aiohttp
import pytest

from api.app import serving
from engine.database import Database
from engine.errors import DatabaseUnusable, Unusable
from engine.settings import Settings
from tests.e2e.api.front import Bell, Front, open_front
from tests.integration.desk import Desk


async def test_alive_and_ready(front: Front) -> None:
    """Without a token."""
    stranger = front.as_(None)
    assert await stranger.get("/healthz") == {"status": "ok"}
    assert await stranger.get("/readyz") == {"status": "ok", "database": "up", "broker": "up"}


async def test_without_its_broker_it_is_degraded(front: Front) -> None:
    """Submitting still works, so it is ready."""
    front.bell.up = False
    assert await front.get("/readyz") == {"status": "degraded", "database": "up", "broker": "down"}


async def test_without_its_database_it_is_not_ready(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(_: Database) -> None:
        raise ConnectionRefusedError(111, "Connection refused")

    monkeypatch.setattr(Database, "check", check)
    assert await front.get("/readyz", 503) == {"status": "unusable", "database": "down", "broker": "up"}
    assert await front.get("/healthz") == {"status": "ok"}


async def test_a_database_that_hangs_is_down(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    async def check(_: Database) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Database, "check", check)
    monkeypatch.setattr("api.health.PATIENCE", 0.05)
    assert (await front.get("/readyz", 503))["database"] == "down"


@pytest.mark.parametrize(
    ("error", "status", "says"),
    [
        (ConnectionRefusedError(111, "secret host refused"), 503, "the database cannot be reached"),
        (TimeoutError(), 503, "the database took too long"),
        (DatabaseUnusable("no tables"), 503, "no tables"),
        (RuntimeError("secret detail"), 500, "Muster failed to answer"),
    ],
)
async def test_faults_are_told_without_their_details(
    front: Front, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, says: str
) -> None:
    """Contract v3.md 1.8: 500 and 503 are arrays; what went wrong is in the log only."""
    await front.get("/v3/contact_lists")

    def account(_: Database, _account_id: int) -> None:
        raise error

    monkeypatch.setattr(Database, "account", account)
    message = await front.refused("GET", "/v3/contact_lists", status)
    assert message.startswith(says)
    assert "secret" not in message


async def test_figures(front: Front) -> None:
    """For Prometheus: requests by route and status, their seconds, activities by kind."""
    target = await front.new_list("L")
    await front.submit("add_list_memberships", {"source": {"all_active_contacts": True}, "list_ids": [target]})
    await front.refused("GET", "/v3/contact_lists/x", 404)
    answer = await front.as_(None).request("GET", "/metrics")
    assert answer.headers["Content-Type"].startswith("text/plain; version=")
    lines = answer.content.decode().splitlines()
    route = 'method="GET",route="/v3/contact_lists/{list_id}"'
    assert f'muster_api_requests_total{{{route},status="404"}} 1.0' in lines
    assert f"muster_api_request_seconds_count{{{route}}} 1.0" in lines
    assert 'muster_api_activities_submitted_total{kind="add_list_memberships"} 1.0' in lines


async def test_who_waits_is_let_go_when_it_stops(settings: Settings, desk: Desk, token: str) -> None:
    """Requests under way end before the server does, and those that wait for an activity at once."""
    async with aiohttp.ClientSession(headers={"Authorization": f"Bearer {token}"}) as session:
        async with open_front(settings, desk, token) as front:
            body = {"source": {"all_active_contacts": True}, "list_ids": [await front.new_list("L")]}
            href = (await front.submit("add_list_memberships", body))["_links"]["self"]["href"]
            waiting = asyncio.create_task(session.get(f"{front.address}{href}?wait=60"))
            await asyncio.sleep(0.1)
            assert not waiting.done()
            begun = monotonic()
        assert monotonic() - begun < 5
        assert (await (await waiting).json())["state"] == "initialized"


async def test_a_taken_port_is_a_clear_refusal(settings: Settings, desk: Desk, token: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(Unusable, match=f"cannot listen on 127.0.0.1:{port}"):
            async with serving(settings.model_copy(update={"port": port}), Bell()):
                pass


async def test_without_a_database_it_does_not_start(settings: Settings) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:1/none"
    for url, says in ((nowhere, "cannot connect"), (None, "no DATABASE_URL"), (settings.database_url, "bypasses")):
        with pytest.raises(DatabaseUnusable, match=says):
            async with serving(settings.model_copy(update={"database_app_url": url}), Bell()):
                pass
