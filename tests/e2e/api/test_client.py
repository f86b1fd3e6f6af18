"""The Python client against a real server, and against one whose connections break."""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from api.client import Activity, BadAddress, Client, NotConnected, Refused, Retries, Unreachable
from tests.e2e.api.front import Front

QUICK = Retries(most=3, pause=0.001)
CONTENT = bytes(range(256)) * 4096


@pytest_asyncio.fixture
async def client(front: Front) -> AsyncIterator[Client]:
    assert front.token is not None
    async with Client.open(front.address, front.token, QUICK) as client:
        yield client


async def test_submit_watch_and_read_errors(front: Front, client: Client) -> None:
    """Contract v3.md 3.2, 3.4 and 3.12."""
    contacts = [str(each) for each in await front.desk.make_contacts(2)]
    unknown = str(uuid4())
    target = await client.find_or_make_list("Target")
    assert await client.find_or_make_list("Target") == target
    body = {"source": {"contact_ids": [*contacts, unknown]}, "list_ids": [target]}
    submitted = await client.submit("add_list_memberships", body)
    assert (submitted.state, submitted.is_final) == ("initialized", False)
    watching = asyncio.create_task(client.finished(submitted))
    await front.work()
    ended = await watching
    assert (ended.state, ended.percent_done, ended.changed_count, ended.error_count) == ("completed", 100, 2, 1)
    assert ended.status["items_total_count"] == 3
    assert ended == await client.activity(submitted.activity_id) == await client.activity(submitted, wait=5)
    assert [error["item"] async for error in client.errors(ended)] == [unknown]


async def test_watching_tells_every_state_to_the_last(front: Front, client: Client) -> None:
    target = await client.find_or_make_list("L")
    submitted = await client.submit("contacts_json_import", {"import_data": [{}], "list_ids": [target]})
    states = []
    async for latest in client.watch(submitted):
        states.append(latest.state)
        await front.work()
    assert states == ["initialized", "completed"]


async def test_every_page_of_a_collection(front: Front, client: Client) -> None:
    """Contract v3.md 1.7: following `_links.next.href`."""
    await front.desk.make_contacts(7)
    found = [contact["contact_id"] async for contact in client.each("/contacts", limit=2, status=["active", "deleted"])]
    assert len(set(found)) == 7
    assert found == [each["contact_id"] for each in (await client.get("/contacts"))["contacts"]]
    assert [each async for each in client.each("/contact_tags", include_count=True)] == []


async def test_resources(client: Client) -> None:
    made = await client.post("/contact_lists", {"name": "One"})
    path = f"/contact_lists/{made['list_id']}"
    assert (await client.put(path, {"name": "Two"}))["name"] == "Two"
    rule = {"source": "contact", "field": "city", "op": "is-empty"}
    criteria = json.dumps({"version": "1.0.0", "criteria": {"type": "and", "group": [rule]}})
    segment = await client.post("/segments", {"name": "S", "segment_criteria": criteria})
    renamed = await client.patch(f"/segments/{segment['segment_id']}/name", {"name": "T"})
    assert renamed["name"] == "T"
    assert await client.delete(f"/segments/{segment['segment_id']}") is None
    assert Activity.model_validate(await client.delete(path)).state == "initialized"


@pytest.mark.parametrize(
    ("path", "status", "key"),
    [
        ("/contact_lists/x", 404, "contacts.api.not_found"),
        ("/contact_lists?limit=0", 400, "contacts.api.validation.error"),
    ],
)
async def test_a_refusal_tells_status_key_and_message(client: Client, path: str, status: int, key: str) -> None:
    """Contract v3.md 1.8, the array."""
    with pytest.raises(Refused) as caught:
        await client.get(path)
    assert (caught.value.status, caught.value.key) == (status, key)
    assert str(caught.value) == f"GET /v3{path}: {status} {caught.value.message}"


async def test_who_may_not_is_told_so(front: Front) -> None:
    """Contract v3.md 1.8, the object."""
    async with Client.open(front.address, "wrong") as stranger:
        with pytest.raises(Refused) as caught:
            await stranger.get("/contacts")
    assert (caught.value.status, caught.value.key, caught.value.message) == (401, "unauthorized", "Unauthorized")


async def test_upload_and_download(front: Front, client: Client, tmp_path: Path) -> None:
    """Contract v3.md 3.8, 3.10 and 3.15."""
    people, exported = tmp_path / "people.csv", tmp_path / "exported.csv"
    rows = [f"c{number}@example.org,Zoë{number}\n" for number in range(20_000)]
    people.write_text("email,first_name\n" + "".join(rows))
    sent: list[tuple[int, int]] = []
    submitted = await client.import_csv(people, [await client.find_or_make_list("L")], lambda *told: sent.append(told))
    size = people.stat().st_size
    assert [total for _, total in sent] == [size] * len(sent)
    assert max(sent) == sent[-1] == (size, size)
    assert len(sent) > 1
    await front.work()
    assert (await client.finished(submitted)).status["person_count"] == 20_000
    export = await client.submit("contact_exports", {"fields": ["email_address", "first_name"]})
    assert export.file is not None
    with pytest.raises(Refused, match="404"):
        await client.download(export.file, exported, lambda *_: None)
    await front.work()
    received: list[tuple[int, int]] = []
    await client.download(export.file, exported, lambda *told: received.append(told))
    assert received[-1] == (exported.stat().st_size, exported.stat().st_size)
    lines = exported.read_text().replace("\r\n", "\n").splitlines(keepends=True)
    assert lines[0] == "email_address,first_name\n"
    assert sorted(lines[1:]) == sorted(rows)


async def test_nobody_answers() -> None:
    async with Client.open("http://127.0.0.1:9", "x", QUICK) as client:
        with pytest.raises(NotConnected, match="no API answers at"):
            await client.get("/contacts")
    async with Client.open("http://no host", "x", QUICK) as client:
        with pytest.raises(NotConnected, match="no API answers at"):
            await client.get("/contacts")


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:8080", "http://127.0.0.1:8080/v3", "ftp://example.org"])
async def test_an_address_that_none_can_have(address: str) -> None:
    with pytest.raises(BadAddress):
        async with Client.open(address, "x"):
            pass


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[Client]:
    """A client of a server that answers so."""
    app = web.Application()

    async def answer(request: web.Request) -> web.StreamResponse:
        return await handler(request)

    app.router.add_route("*", "/v3/{rest:.*}", answer)
    async with TestServer(app) as server, Client.open(str(server.make_url("")), "x", QUICK) as client:
        yield client


class Flaky:
    """Answers with what is on its list, one request after the other; None breaks the connection."""

    def __init__(self, *answers: int | None) -> None:
        self.answers = list(answers)
        self.asked = 0

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        self.asked += 1
        answer = self.answers.pop(0)
        if answer is None:
            assert request.transport is not None
            request.transport.abort()
        refusal = [{"error_key": "k", "error_message": "m"}]
        return web.json_response({} if answer == 200 else refusal, status=answer or 500)


@pytest.mark.parametrize("failures", [(503,), (502, 504), (None,), (429, None)])
async def test_what_only_reads_is_asked_again(failures: tuple[int | None, ...]) -> None:
    flaky = Flaky(*failures, 200)
    async with served(flaky) as client:
        assert await client.get("/contacts") == {}
    assert flaky.asked == len(failures) + 1


async def test_asking_again_has_an_end() -> None:
    flaky = Flaky(502, 504, 503)
    async with served(flaky) as client:
        with pytest.raises(Refused) as caught:
            await client.get("/contacts")
    assert (caught.value.status, caught.value.message) == (503, "m")
    assert flaky.asked == 3


@pytest.mark.parametrize(
    ("method", "failure", "error"),
    [("post", None, Unreachable), ("post", 503, Refused), ("patch", None, Unreachable), ("put", 500, Refused)],
)
async def test_what_may_have_been_done_is_not_asked_again(
    method: str, failure: int | None, error: type[Exception]
) -> None:
    flaky = Flaky(failure, 200)
    async with served(flaky) as client:
        with pytest.raises(error):
            await getattr(client, method)("/contacts", {})
    assert flaky.asked == 1


async def test_what_was_refused_for_now_is_asked_again() -> None:
    """Contract v3.md 1.8: 429, whatever its form; nothing was done."""
    flaky = Flaky(429, 200)
    async with served(flaky) as client:
        assert await client.post("/contacts", {}) == {}


async def test_a_day_that_is_used_up_is_not_asked_again() -> None:
    """Contract v3.md 1.9: it would not end in time."""
    asked = []

    async def api(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.json_response({"error_key": "quota_exceeded", "error_message": "Limit Exceeded"}, status=429)

    async with served(api) as client:
        with pytest.raises(Refused, match="Limit Exceeded"):
            await client.get("/contacts")
    assert len(asked) == 1


async def test_a_refusal_by_what_stands_before_the_api() -> None:
    async def proxy(_: web.Request) -> web.StreamResponse:
        return web.Response(status=413, text="<html>too large</html>", content_type="text/html")

    async with served(proxy) as client:
        with pytest.raises(Refused) as caught:
            await client.post("/contacts", {})
    assert (caught.value.status, caught.value.key, caught.value.message) == (413, "", "<html>too large</html>")


class BreakingFile:
    """A file whose sending breaks off: each request is sent at most so much of it. It may change in between."""

    def __init__(self, *most: int, tags: tuple[str, ...] = ()) -> None:
        self.most = list(most)
        self.tags = list(tags) or ['"a"'] * len(most)
        self.ranges: list[str | None] = []

    async def __call__(self, request: web.Request) -> web.StreamResponse:
        assert request.headers["Accept-Encoding"] == "identity"
        most, tag = self.most.pop(0), self.tags.pop(0)
        asked = request.headers.get("Range") if request.headers.get("If-Range") == tag else None
        self.ranges.append(asked)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        headers = {"ETag": tag, "Content-Length": str(len(CONTENT) - start)}
        response = web.StreamResponse(status=206 if asked else 200, headers=headers)
        await response.prepare(request)
        await response.write(CONTENT[start : start + most])
        await asyncio.sleep(0.05)  # what has come is read before the connection breaks
        if start + most < len(CONTENT):
            assert request.transport is not None
            request.transport.close()
        return response


async def test_a_download_goes_on_where_it_broke(tmp_path: Path) -> None:
    """Contract v3.md 3.15. As often as needed while something comes each time."""
    third = len(CONTENT) // 6
    file = BreakingFile(*[third] * 6, len(CONTENT))
    told: list[tuple[int, int]] = []
    async with served(file) as client:
        await client.download("/v3/contact_exports/x", tmp_path / "f", lambda *each: told.append(each))
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert file.ranges[0] is None
    assert all(file.ranges[1:])
    assert {total for _, total in told} == {len(CONTENT)}
    assert [so_far for so_far, _ in told] == sorted(so_far for so_far, _ in told)


async def test_a_download_of_another_file_begins_anew(tmp_path: Path) -> None:
    file = BreakingFile(1000, 2000, len(CONTENT), tags=('"a"', '"b"', '"b"'))
    async with served(file) as client:
        await client.download("/v3/contact_exports/x", tmp_path / "f", lambda *_: None)
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert file.ranges == [None, None, "bytes=2000-"]


async def test_a_download_that_never_goes_on_ends(tmp_path: Path) -> None:
    file = BreakingFile(1000, 0, 0, 0, 0)
    async with served(file) as client:
        with pytest.raises(Unreachable):
            await client.download("/v3/contact_exports/x", tmp_path / "f", lambda *_: None)
    assert len(file.ranges) == 3


def test_it_stands_alone() -> None:
    """Usable where nothing else of Muster is."""
    others = "('engine', 'api.v3', 'asyncpg', 'structlog')"
    code = f"import sys, api.client; sys.exit(any(name.startswith({others}) for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
