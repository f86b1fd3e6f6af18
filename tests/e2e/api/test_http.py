"""Methods, paths, media types and requests that are hardly HTTP (contract v3.md 1.1, 1.3, 1.8)."""

import asyncio
import gzip
import logging
from uuid import uuid4

import pytest

from api import reading
from api.v3.routes import ROUTES
from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.e2e.api.test_access import path_of
from tests.integration.desk import Desk

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@pytest.mark.parametrize("path", ["/v3", "/v3/", "/v3/nothing", "/v3/contact_lists/", "/v3/contacts/x/y", "/v3/%0A/x"])
async def test_unknown_paths(front: Front, path: str) -> None:
    """Contract v3.md 1.1 and 1.8: 404 as an array, for any method and without a token, too."""
    for method in METHODS:
        await front.as_(None).refused(method, path, 404)


async def test_unsupported_methods_of_known_paths(front: Front) -> None:
    """Contract v3.md 1.1, 1.8: 405; literal segments win over ids."""
    supported: dict[str, set[str]] = {}
    for route in ROUTES:
        supported.setdefault(route.path, set()).add(route.method)
    for route in ROUTES:
        for method in set(METHODS) - supported[route.path]:
            answer = await front.request(method, path_of(route))
            assert answer.status == 405
            assert supported[route.path] <= set(answer.headers["Allow"].split(", "))
            assert answer.message.startswith("this resource has no such method")


async def test_a_misspelt_kind_of_activity_is_unknown(front: Front) -> None:
    """Contract v3.md 1.8: it is no known path, so 404, in words that help; a known one without the method is 405."""
    for kind in ("add_list_membership", "contact-delete", "%7Bactivity_id%7D", "x%2Fy"):
        message = await front.refused("POST", f"/v3/activities/{kind}", 404, json={})
        assert message.startswith("there is no such kind of activity; there are add_list_memberships, contact_delete, ")
        assert "contacts_json_import" in message
    await front.refused("GET", "/v3/activities/add_list_membership", 404)
    await front.refused("PUT", "/v3/activities/add_list_memberships", 405)
    await front.refused("POST", f"/v3/activities/{uuid4()}", 405)
    await front.refused("POST", "/v3/activities/", 404)


async def test_literal_parts_of_a_path_win_over_ids(front: Front) -> None:
    """Contract 1.1."""
    assert "total" in await front.get("/v3/contacts/counts")
    unknown = uuid4()
    for path in ("/v3/contacts/contact_id_xrefs", "/v3/contact_lists/list_id_xrefs"):
        assert await front.refused("GET", path, 400) == "sequence_ids is missing"
    assert await front.refused("PUT", "/v3/contacts/sign_up_form", 405, json={})
    assert await front.refused("GET", f"/v3/contacts/sms_engagement_history/{unknown}", 404)
    body = {"list_ids": [await front.new_list("L")]}
    assert await front.refused("PUT", f"/v3/contacts/resubscribe/{unknown}", 404, json=body)


@pytest.mark.parametrize("path", ["/v3/contact_lists/", "/v3//contact_lists", "//v3/contact_lists", "/v3", "/v3/"])
async def test_nobody_is_sent_elsewhere(front: Front, path: str) -> None:
    """Contract 1.1: a client would follow, and turn a POST into a GET."""
    for method in METHODS:
        answer = await front.request(method, path, allow_redirects=False)
        assert answer.status == 404
        assert "Location" not in answer.headers


async def test_options_tell_the_methods(front: Front) -> None:
    answer = await front.as_(None).request("OPTIONS", "/v3/contact_lists")
    assert (answer.status, answer.headers["Allow"], answer.content) == (204, "GET, HEAD, POST, OPTIONS", b"")


async def test_head_is_get_without_a_body(front: Front) -> None:
    head, get = await front.request("HEAD", "/v3/contact_lists"), await front.request("GET", "/v3/contact_lists")
    assert (head.status, head.headers["Content-Length"], head.content) == (200, get.headers["Content-Length"], b"")
    assert (await front.request("HEAD", "/v3/contact_lists/x")).status == 404


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/xml", "json", ""])
async def test_bodies_are_json(front: Front, media: str) -> None:
    """Contract v3.md 1.3: anything else is 415, before the body is looked at."""
    for path in ("/v3/contact_lists", "/v3/activities/add_list_memberships", "/v3/activities/contacts_json_import"):
        await front.refused("POST", path, 415, data=b"{}", headers={"Content-Type": media})


@pytest.mark.parametrize("media", ["application/json", "Application/JSON; charset=utf-8", "application/json;x=y"])
async def test_json_may_say_more(front: Front, media: str) -> None:
    """Contract v3.md 1.3: parameters are allowed; a type on GET and any Accept are ignored."""
    headers = {"Content-Type": media, "Accept": "text/csv", "x-api-key": "x", "Cache-Control": "no-cache"}
    assert (await front.request("POST", "/v3/contact_lists", data=b'{"name":"L"}', headers=headers)).status == 201
    assert (await front.request("GET", "/v3/contact_lists", headers=headers)).status == 200


async def test_a_body_may_be_compressed(front: Front) -> None:
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    good, bad = gzip.compress(b'{"name":"L"}'), b"no gzip"
    assert (await front.request("POST", "/v3/contact_lists", data=good, headers=headers)).status == 201
    message = await front.refused("POST", "/v3/contact_lists", 400, data=bad, headers=headers)
    assert message.startswith("body cannot be read")


async def test_a_body_has_a_limit_compressed_or_not(settings: Settings, desk: Desk, token: str) -> None:
    """Contract v3.md 1.8: too long is 400."""
    async with open_front(settings.model_copy(update={"json_max_bytes": 1000}), desk, token) as front:
        plain, bomb = {"Content-Type": "application/json"}, gzip.compress(b" " * 10_000_000)
        for headers, data in ((plain, b" " * 1001), (plain | {"Content-Encoding": "gzip"}, bomb)):
            message = await front.refused("POST", "/v3/contact_lists", 400, data=data, headers=headers)
            assert message == "body is too long: at most 1,000 bytes may be sent"
        await front.new_list("x" * 200)


async def raw(front: Front, request: bytes) -> bytes:
    """What is answered to these bytes, until the server closes."""
    reader, writer = await asyncio.open_connection("127.0.0.1", int(front.address.rpartition(":")[2]))
    writer.write(request)
    async with asyncio.timeout(10):
        answer = await reader.read()
    writer.close()
    return answer


HEAD = b"Host: x\r\nAuthorization: Bearer %b\r\nContent-Type: application/json\r\n"


@pytest.mark.parametrize(
    "request_",
    [
        b"\x16\x03\x01\x02\x00\x01\r\n\r\n",
        b"GET /v3/contacts?email=\xff HTTP/1.1\r\n%b\r\n",
        b"GET /v3/contact_lists/\xff HTTP/1.1\r\n%b\r\n",
        b"GET http://x:99999999/v3/contacts HTTP/1.1\r\n%b\r\n",
        b"GET /v3/contacts?x=" + b"a" * 20_000 + b" HTTP/1.1\r\n%b\r\n",
        b"GET /v3/contacts HTTP/1.1\r\nX: " + b"a" * 20_000 + b"\r\n%b\r\n",
        b"GET /v3/contacts HTTP/9.9\r\n%b\r\n",
        b"BREW /v3/contacts HTTP/1.1\r\n%b\r\n",
        b"POST /v3/contact_lists HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\nzz\r\n{}",
        b"POST /v3/contact_lists HTTP/1.1\r\n%bContent-Length: x\r\n\r\n{}",
        b"POST /v3/contact_lists HTTP/1.1\r\n%bContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
        b"POST /v3/contact_lists HTTP/1.1\r\n%bContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
    ],
)
async def test_what_is_no_http_is_400_and_not_in_the_log(
    front: Front, caplog: pytest.LogCaptureFixture, request_: bytes
) -> None:
    """Whoever sends it could fill any disk. The server stays up."""
    with caplog.at_level(logging.WARNING):
        answer = await raw(front, request_.replace(b"%b", HEAD % str(front.token).encode()))
    assert b" 400 " in answer.partition(b"\r\n")[0]
    assert not caplog.records
    await front.get("/v3/contact_lists")


@pytest.mark.parametrize(("path", "status"), [(b"/v3/nothing", b"404"), (b"/v3/contact_tags", b"401")])
async def test_an_unreadable_body_that_nobody_reads_is_not_in_the_log(
    front: Front, caplog: pytest.LogCaptureFixture, path: bytes, status: bytes
) -> None:
    """Nor does it take a token to send it."""
    head = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Encoding: gzip\r\nContent-Length: 9\r\n\r\n" % path
    with caplog.at_level(logging.WARNING):
        answer = await raw(front, head + b"no gzip !")
    assert answer.split(b" ")[1] == status
    assert not caplog.records


async def test_a_body_that_breaks_off_leaves_nothing(front: Front) -> None:
    head = HEAD % str(front.token).encode()
    _, writer = await asyncio.open_connection("127.0.0.1", int(front.address.rpartition(":")[2]))
    writer.write(b'POST /v3/contact_lists HTTP/1.1\r\n%bContent-Length: 99\r\n\r\n{"name":"L"}' % head)
    await writer.drain()
    await asyncio.sleep(0.05)
    writer.close()
    await asyncio.sleep(0.05)
    assert await front.get("/v3/contact_lists") == {"lists": []}


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/v3/contact_lists", "application/json"),
        ("/api-xml", "application/x-www-form-urlencoded"),
        ("/site/CRConsAPI", "application/x-www-form-urlencoded"),
        ("/site/CRConsAPI", "multipart/form-data; boundary=x"),
    ],
)
async def test_a_body_that_does_not_come_is_not_waited_for(
    front: Front, monkeypatch: pytest.MonkeyPatch, path: str, content_type: str
) -> None:
    """Some dialects know who sends it only when they have read it."""
    monkeypatch.setattr(reading, "BODY_SECONDS", 0.01)
    reader, writer = await asyncio.open_connection("127.0.0.1", int(front.address.rpartition(":")[2]))
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {front.token}\r\nContent-Type: {content_type}"
    writer.write(f"{head}\r\nContent-Length: 99\r\n\r\n--x".encode())
    answer = await reader.readuntil(b" did not come within")
    writer.close()
    assert answer.startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize("expectation", [b"100-continue", b"200-miracle"])
async def test_an_expectation_is_met_or_ignored(front: Front, expectation: bytes) -> None:
    head = HEAD % str(front.token).encode()
    request = b"POST /v3/contact_lists HTTP/1.1\r\n%bConnection: close\r\nExpect: %b\r\nContent-Length: 12\r\n\r\n%b"
    answer = await raw(front, request % (head, expectation, b'{"name":"L"}'))
    continued = expectation == b"100-continue"
    assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 201" if continued else b"HTTP/1.1 201")
