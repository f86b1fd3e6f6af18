"""Signed requests over HTTP, and who is refused why (contract ivvy.md 1, 2, 4, 5)."""

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from engine.settings import Settings
from tests.e2e.api.front import open_front
from tests.e2e.ivvy.conftest import Ivvy, error_of, new_client
from tests.integration.desk import Desk

PING = "/api/1.0/test?action=ping"
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


async def test_ping(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 5; 1: an empty body."""
    for params in (None, {}, {"anything": 1}):
        answer = await ivvy_client.call("test", "ping", params)
        assert answer.keys() == {"ack"}
        assert STAMP.fullmatch(answer["ack"])


async def test_as_the_sdk_signs(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 2: charset in Content-Type, a suffix after IVVY-Date; the Date beside it does not count."""
    own = {"IVVY-Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"}
    headers = ivvy_client.signed(PING, b"{}", "application/json; charset=utf-8", own)
    answer = await ivvy_client.send(PING, b"{}", headers | {"Date": "Thu, 15 Jan 1998 10:00:00 UTC"})
    assert answer.status == 200


async def test_the_request_string_is_signed_as_it_stands_on_the_request_line(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 2.1: no decoding; 3: further query parameters are nobody's."""
    target = "/api/1.0/test?action=pi%6Eg&x=%C3%BC+%20&y"
    assert (await ivvy_client.send(target, b"", ivvy_client.signed(target, b""))).status == 200
    other = "/api/1.0/test?action=ping&x=1"
    assert error_of(await ivvy_client.send(other, b"", ivvy_client.signed(PING, b"")))["errorCode"] == 401


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
async def test_every_call_is_a_post(ivvy_client: Ivvy, method: str) -> None:
    """Contract ivvy.md 2.2, 1: before anything else is looked at."""
    for path in (PING, "/api/2.0/nowhere"):
        assert error_of(await ivvy_client.send(path, b"", {}, method))["errorCode"] == 405


@pytest.mark.parametrize(
    "path", ["/api", "/api/", "/api/1.0", "/api/1.0/", "/api/1.0/nowhere", "/api/1.1/test", "/api/1.0/test/x", "/api/x"]
)
async def test_paths_that_are_no_namespace(ivvy_client: Ivvy, path: str) -> None:
    """Contract ivvy.md 2.2, 2; 1: version 1.0 only."""
    target = f"{path}?action=ping"
    told = error_of(await ivvy_client.send(target, b"", {}))
    assert told["errorCode"] == 404


@pytest.mark.parametrize(
    "written", ["", "Bearer x", "IWS", "IWS nobody:00", "IWS \u00fc:00", "IWS " + "k" * 4000 + ":00"]
)
async def test_who_is_not_known(ivvy_client: Ivvy, written: str) -> None:
    """Contract ivvy.md 2.2, 3 and 4."""
    headers = ivvy_client.signed(PING, b"") | {"X-Api-Authorization": written}
    assert error_of(await ivvy_client.send(PING, b"", headers))["errorCode"] == 401


async def test_a_key_that_was_revoked(ivvy_client: Ivvy, db: Database) -> None:
    """Contract ivvy.md 2.2, 4: 463."""
    await principals.revoke_key(db, ivvy_client.desk.account_id, ivvy_client.key_id)
    assert (await ivvy_client.refused("test", "ping"))["errorCode"] == 463


@pytest.mark.parametrize("minutes", [-6, 6])
async def test_a_stale_request(ivvy_client: Ivvy, minutes: int) -> None:
    """Contract ivvy.md 2.2, 5: before the body is looked at."""
    then = datetime.now(UTC) + timedelta(minutes=minutes)
    headers = ivvy_client.signed(PING, b"", own={"IVVY-Date": f"{then:%Y-%m-%d %H:%M:%S}"})
    told = error_of(await ivvy_client.send(PING, b"not the body", headers))
    assert told == {"errorCode": 401, "message": "Request is stale", "specificCode": 23005}


async def test_a_body_or_a_version_that_was_not_signed(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 2.2, 6 and 7; 2: X-Api-Version."""
    headers = ivvy_client.signed(PING, b"{}")
    assert error_of(await ivvy_client.send(PING, b"{ }", headers))["errorCode"] == 400
    assert error_of(await ivvy_client.send(PING, b"{}", headers | {"X-Api-Version": "2.0"}))["errorCode"] == 400
    stranger = Ivvy(ivvy_client.front, ivvy_client.key_id, "another secret")
    assert error_of(await stranger.request("test", "ping"))["errorCode"] == 401


@pytest.mark.parametrize(
    ("target", "code"), [("/api/1.0/test", 400), ("/api/1.0/test?action=", 400), ("/api/1.0/test?action=PING", 404)]
)
async def test_actions_that_are_missing_or_unknown(ivvy_client: Ivvy, target: str, code: int) -> None:
    """Contract ivvy.md 2.2, 8."""
    assert error_of(await ivvy_client.send(target, b"", ivvy_client.signed(target, b"")))["errorCode"] == code


async def test_a_key_may_not_call_everything(ivvy_client: Ivvy, db: Database) -> None:
    """Contract ivvy.md 2.2, 9: before the body is read as parameters."""
    reader = await new_client(db, ivvy_client.front, Privilege.CONTACTS_READ)
    assert await reader.call("test", "ping")
    told = await reader.refused("contact", "addContactsToSubscriptionGroup", {"contacts": "x"})
    assert told["errorCode"] == 403


async def test_a_body_that_is_not_said_to_be_json(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 2.2, 10: 406."""
    headers = ivvy_client.signed(PING, b"{}", "text/plain")
    assert error_of(await ivvy_client.send(PING, b"{}", headers))["errorCode"] == 406


@pytest.mark.parametrize("body", [b"[]", b"{", b"null", b"\xff", b"[" * 100_000, b'{"a":' + b"1" * 5000 + b"}"])
async def test_a_body_that_is_no_object(ivvy_client: Ivvy, body: bytes) -> None:
    """Contract ivvy.md 2.2, 10: 400."""
    assert error_of(await ivvy_client.send(PING, body, ivvy_client.signed(PING, body)))["errorCode"] == 400


async def test_a_body_that_is_too_long(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 11: 1 MiB; the rest is not waited for."""
    body = b" " * 2**20
    assert (await ivvy_client.send(PING, body[:-2] + b"{}", ivvy_client.signed(PING, body[:-2] + b"{}"))).status == 200
    told = error_of(await ivvy_client.send(PING, body + b"{}", ivvy_client.signed(PING, body + b"{}")))
    assert told["errorCode"] == 400
    assert "1,048,576" in told["message"]


async def test_a_key_is_of_one_account(ivvy_client: Ivvy, new_desk: Any, db: Database) -> None:
    """Contract ivvy.md 12: a key pair is an account and a credential."""
    other = await new_desk()
    await other.new_list("not mine")
    mine = await ivvy_client.desk.new_list()
    groups = await ivvy_client.call("contact", "getSubscriptionGroupList")
    assert [group["id"] for group in groups] == [mine.set_no]
    assert json.dumps(groups).count("not mine") == 0


async def test_who_asks_too_often(settings: Settings, desk: Desk, db: Database, token: str) -> None:
    """Contract ivvy.md 4 and 11: 429, when a limit is set."""
    async with open_front(settings.model_copy(update={"requests_per_second": 1}), desk, token) as front:
        client = await new_client(db, front)
        answers = [await client.request("test", "ping") for _ in range(5)]
    assert {200, 429} == {answer.status for answer in answers}
    assert {error_of(answer)["errorCode"] for answer in answers if answer.status != 200} == {429}


async def test_a_fault_of_musters_own_tells_nothing(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 4: 500, and what it was is in the log only."""
    await ivvy_client.desk.owner.execute("ALTER TABLE contact_set RENAME TO hidden")
    try:
        told = await ivvy_client.refused("contact", "getSubscriptionGroupList")
    finally:
        await ivvy_client.desk.owner.execute("ALTER TABLE hidden RENAME TO contact_set")
    assert told["errorCode"] == 500
    assert "relation" not in told["message"]
