"""Signed requests over HTTP, and who is refused why (contract ivvy.md 1, 2, 4, 5)."""

import asyncio
import hashlib
import hmac
import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from engine.settings import Settings
from tests.e2e.api.front import Answer, open_front
from tests.e2e.ivvy.client import Ivvy, error_of, new_client
from tests.integration.desk import Desk

PING = "/api/1.0/test?action=ping"
ADD = "addContactsToSubscriptionGroup"
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC")


async def test_ping(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 5; 1: an empty body."""
    for params in (None, {}, {"anything": 1}):
        answer = await ivvy_client.call("test", "ping", params)
        assert answer.keys() == {"ack"}
        assert STAMP.fullmatch(answer["ack"])


async def test_as_the_sdk_signs(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 2: charset, a suffix after IVVY-Date; the Date beside it and X-Api-Key do not count."""
    own = {"IVVY-Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} UTC"}
    headers = ivvy_client.signed(PING, b"{}", "application/json; charset=utf-8", own)
    further = {"Date": "Thu, 15 Jan 1998 10:00:00 UTC", "X-Api-Version": "1.0", "X-Api-Key": "no key at all"}
    assert (await ivvy_client.send(PING, b"{}", headers | further)).status == 200


async def test_the_request_string_is_signed_as_it_stands_on_the_request_line(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 2.1: no decoding; 3: further query parameters are nobody's."""
    target = "/api/1.0/test?action=pi%6Eg&x=%C3%BC+%20&y"
    assert (await ivvy_client.send(target, b"", ivvy_client.signed(target, b""))).status == 200
    other = "/api/1.0/test?action=ping&x=1"
    assert error_of(await ivvy_client.send(other, b"", ivvy_client.signed(PING, b"")))["errorCode"] == 401


async def test_dated_by_its_date(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 2, Date; own headers are signed, in the order of their names."""
    date = {"Date": f"{datetime.now(UTC):%a, %d %b %Y %H:%M:%S} GMT"}
    text = f"POST{hashlib.md5(b'').hexdigest()}application/json{date['Date']}{PING}1.0".lower()
    signature = hmac.new(ivvy_client.secret.encode(), text.encode(), hashlib.sha1).hexdigest()
    headers = ivvy_client.signed(PING, b"", own={}) | date
    headers["X-Api-Authorization"] = f"IWS {ivvy_client.key_id}:{signature}"
    assert (await ivvy_client.send(PING, b"", headers)).status == 200
    own = {"IVVY-Date": f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}", "IVVY-Date-2": "x", "IVVY_A": "y"}
    assert (await ivvy_client.send(PING, b"", ivvy_client.signed(PING, b"", own=own))).status == 200


async def wrong_from(client: Ivvy, reader: Ivvy, revoked: Ivvy, check: int) -> Answer:
    """A request that fails this check of the table, and every later one."""
    signer = revoked if check <= 4 else reader if check <= 9 else client
    signer = replace(signer, secret="another") if check <= 7 else signer
    target = f"/api/1.0/{'nowhere' if check <= 2 else 'contact'}?action={'such' if check <= 8 else ADD}"
    body = b"[]" if check <= 10 else b"{}"
    own = {"IVVY-Date": "2026-01-15 10:00:00"} if check <= 5 else None
    headers = signer.signed(target, body, "text/plain" if check <= 10 else "application/json", own)
    if check <= 6:
        headers["Content-MD5"] = "0" * 32
    if check <= 3:
        headers["X-Api-Authorization"] = "nobody"
    return await client.send(target, body, headers, "GET" if check <= 1 else "POST")


async def test_the_checks_come_in_their_order(ivvy_client: Ivvy, db: Database) -> None:
    """Contract ivvy.md 2.2: of all that is wrong with a request, the first in the table is told."""
    reader = await new_client(db, ivvy_client.front, Privilege.CONTACTS_READ)
    revoked = await new_client(db, ivvy_client.front)
    await principals.revoke_key(db, ivvy_client.desk.account_id, revoked.key_id)
    told = [error_of(await wrong_from(ivvy_client, reader, revoked, check)) for check in range(1, 12)]
    codes = [405, 404, 401, 463, 401, 400, 401, 404, 403, 406, 400]
    assert [each["errorCode"] for each in told] == codes
    assert [each.get("specificCode") for each in told] == [*[None] * 4, 23005, *[None] * 5, 23017]
    for check, word in ((3, "X-Api-Authorization"), (6, "Content-MD5"), (7, "signature"), (10, "Content-Type")):
        assert word in told[check - 1]["message"]


@pytest.mark.parametrize(("name", "code"), [("Content-MD5", 400), ("IVVY-Date", 401)])
async def test_headers_that_are_required(ivvy_client: Ivvy, name: str, code: int) -> None:
    """Contract ivvy.md 2: also without a body."""
    headers = ivvy_client.signed(PING, b"")
    del headers[name]
    assert error_of(await ivvy_client.send(PING, b"", headers))["errorCode"] == code


async def test_who_asks_too_often(settings: Settings, desk: Desk, token: str, db: Database) -> None:
    """Contract ivvy.md 4 and 11: 429; every key is counted for itself."""
    async with open_front(settings.model_copy(update={"requests_per_second": 2}), desk, token) as front:
        client, other = await new_client(db, front), await new_client(db, front)
        answers = await asyncio.gather(*(client.request("test", "ping") for _ in range(6)))
        assert {answer.status for answer in answers} == {200, 429}
        assert error_of(next(answer for answer in answers if answer.status == 429))["errorCode"] == 429
        assert (await other.request("test", "ping")).status == 200


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


async def test_a_fault_of_musters_own_tells_nothing(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 4: 500, and what it was is in the log only."""
    await ivvy_client.desk.owner.execute("ALTER TABLE contact_set RENAME TO hidden")
    try:
        told = await ivvy_client.refused("contact", "getSubscriptionGroupList")
    finally:
        await ivvy_client.desk.owner.execute("ALTER TABLE hidden RENAME TO contact_set")
    assert told["errorCode"] == 500
    assert "relation" not in told["message"]
