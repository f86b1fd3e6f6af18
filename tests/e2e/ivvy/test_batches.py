"""Batches in full (contract ivvy.md 10); what becomes of one when a worker dies is in tests/faults/test_batches.py."""

import json
import re
from typing import Any
from uuid import UUID

import pytest

from engine import principals
from engine.database import Database
from engine.operations import calls
from engine.operations.retention import Retention
from engine.principals import Privilege
from tests.e2e.ivvy.client import Ivvy, error_of, new_client
from tests.e2e.ivvy.test_events import new_event
from tests.integration.conftest import NewDesk

PING = {"namespace": "test", "action": "ping"}


def job(namespace: str, action: str, **params: object) -> dict[str, Any]:
    return {"namespace": namespace, "action": action, "params": params}


async def run(client: Ivvy, *jobs: object, **said: object) -> str:
    """The asyncId of a batch."""
    answer = await client.call("batch", "run", {"jobs": jobs, **said})
    assert answer.keys() == {"asyncId"}
    assert re.fullmatch("[0-9a-f]{32}", answer["asyncId"])
    return str(answer["asyncId"])


async def results(client: Ivvy, async_id: str) -> Any:
    answer = await client.call("batch", "results", {"async": async_id})
    assert answer["asyncId"] == async_id
    assert answer == await client.call("batch", "result", {"asyncId": async_id})
    return answer["results"]


async def responses(client: Ivvy, async_id: str) -> list[Any]:
    return [each["response"] for each in await results(client, async_id)]


async def progress(client: Ivvy, async_id: str) -> Any:
    return (await client.call("batch", "progress", {"async": async_id}))["progress"]


async def restart(client: Ivvy, async_id: str) -> Any:
    return (await client.call("batch", "restart", {"async": async_id}))["restarted"]


async def repost(client: Ivvy, async_id: str) -> Any:
    return (await client.call("batch", "repost", {"async": async_id}))["reposted"]


async def test_the_contracts_batch(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.1 to 10.3: the examples; each response is what the direct call answers."""
    client = ivvy_client
    await client.desk.make_contacts(1)
    await client.desk.make_contacts(1, first=2, deleted=True)
    event, group = (await new_event(client)).set_no, (await client.desk.new_list()).set_no
    jobs = [
        job("event", "inviteContacts", event=event, contacts=[1, 2]),
        job("event", "inviteContacts", event=999, contacts=[1]),
        job("contact", "addContactsToSubscriptionGroup", contacts=[1], group=group),
    ]
    async_id = await run(client, *jobs)
    assert 0 <= await progress(client, async_id) < 100
    expected = {"errorCode": 400, "message": "The batch has not completed yet", "specificCode": 24114}
    assert await client.refused("batch", "results", {"async": async_id}) == expected
    assert await restart(client, async_id) is False
    assert await repost(client, async_id) is False
    await client.work()
    assert await progress(client, async_id) == 100
    told = await results(client, async_id)
    assert [(each["namespace"], each["action"], each["request"]) for each in told] == [
        (each["namespace"], each["action"], each["params"]) for each in jobs
    ]
    direct = await client.call("event", "inviteContacts", jobs[0]["params"])
    no_event = {"errorCode": 404, "message": "Unable to find event", "specificCode": 24097}
    assert [each["response"] for each in told] == [direct, no_event, [{"contactId": 1, "status": True}]]
    assert await repost(client, async_id) is False, "it has no callback"


async def test_jobs_run_in_their_order(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.1: one after the other, 200 at most; one that fails does not stop the rest."""
    group = (await ivvy_client.desk.new_list()).set_no
    ann = {"firstName": "Ann", "lastName": "Ash", "email": "ann@example.org"}
    few = [
        job("contact", "addOrUpdateContact", **ann, groups=[{"groupId": group}]),
        job("contact", "addOrUpdateContact", **ann),
        job("contact", "addOrUpdateContact", **ann, phone="1", updateIfExists=True),
        job("contact", "getContactList", filter={"email": "ann@example.org"}),
        job("nothing", "such", a=1),
        job("contact", "such"),
    ]
    few[5].pop("params")
    async_id = await run(ivvy_client, *few, *[PING] * 194)
    await ivvy_client.work()
    made, again, updated, found, *rest = await responses(ivvy_client, async_id)
    assert made == updated == {"success": True, "id": 1}
    assert again["success"] is False
    assert [(each["id"], each["phone"]) for each in found["results"]] == [(1, "1")]
    assert [each.get("errorCode") for each in rest] == [404, 404, *[None] * 194]
    assert (await results(ivvy_client, async_id))[5]["request"] == {}


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({}, 400, 23017),
        ({"jobs": None}, 400, 23017),
        ({"jobs": {}}, 400, 24092),
        ({"jobs": "x"}, 400, 24092),
        ({"jobs": []}, 400, 24093),
        ({"jobs": [PING] * 201}, 400, 24448),
        ({"jobs": ["x"]}, 400, 24092),
        ({"jobs": [PING, {"namespace": "test"}]}, 400, 24092),
        ({"jobs": [{"action": "ping"}]}, 400, 24092),
        ({"jobs": [{**PING, "namespace": ""}]}, 400, 24093),
        ({"jobs": [{**PING, "action": None}]}, 400, 24093),
        ({"jobs": [{**PING, "params": {}}]}, 400, 24093),
        ({"jobs": [{**PING, "action": 7}]}, 400, 24092),
        ({"jobs": [{**PING, "params": [1]}]}, 400, 24092),
        ({"jobs": [{"namespace": "batch", "action": "run", "params": {"jobs": [PING]}}]}, 400, 24092),
        ({"jobs": [PING], "callbackUrl": "ftp://example.org/"}, 400, 23016),
        ({"jobs": [PING], "callbackUrl": ""}, 400, 23016),
        ({"jobs": [PING], "callbackUrl": 7}, 400, 23016),
        ({"jobs": [PING], "callbackUrl": "https://example.org/" + "x" * 2048}, 400, 23016),
    ],
)
async def test_batches_that_are_none(ivvy_client: Ivvy, params: object, status: int, code: int) -> None:
    """Contract ivvy.md 10.1, table of cases: nothing is saved."""
    told = await ivvy_client.refused("batch", "run", params)
    assert (told["errorCode"], told["specificCode"]) == (status, code)
    assert await ivvy_client.desk.rows("activity") == []


async def test_progress(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.2: in percent; 100 only when the results are ready, also when every job is done."""
    client = ivvy_client
    async_id = await run(client, *[PING] * 3)
    told = []
    for done in range(4):
        await client.desk.owner.execute(
            "UPDATE activity SET items_total = 3, items_completed = $2 WHERE account_id = $1",
            client.desk.account_id,
            done,
        )
        told.append(await progress(client, async_id))
        assert (await client.refused("batch", "results", {"async": async_id}))["specificCode"] == 24114
        assert await client.call("batch", "progress", {"asyncId": async_id}) == {"progress": told[-1]}
    assert told == [0, 33, 66, 99]


async def test_a_number_that_cannot_be_kept(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.1: a job is kept as JSON, which knows no infinite numbers."""
    body = b'{"jobs":[{"namespace":"test","action":"ping","params":{"x":[1e400]}}]}'
    target = "/api/1.0/batch?action=run"
    answer = await ivvy_client.send(target, body, ivvy_client.signed(target, body))
    assert error_of(answer)["specificCode"] == 24092


@pytest.mark.parametrize("action", ["progress", "results", "restart", "repost"])
async def test_a_batch_that_is_unknown(ivvy_client: Ivvy, action: str, new_desk: NewDesk, db: Database) -> None:
    """Contract ivvy.md 10.2: 24105 and 24115; another account's batch and another kind of activity are none."""
    client = ivvy_client
    foreign = await run(client, PING)
    await client.work()
    group = (await client.desk.new_list()).set_no
    await client.call("contact", "addContactsToSubscriptionGroup", {"contacts": [], "group": group})
    [other] = [row["activity_id"].hex for row in await client.desk.rows("activity") if row["kind"] != calls.Calls.kind]
    code = 24115 if action == "results" else 24105
    unknowns: list[object] = ["f" * 32, "x", "", 7, {}, other, f"{foreign}0"]
    for unknown in unknowns:
        told = await client.refused("batch", action, {"async": unknown})
        assert (told["errorCode"], told["specificCode"]) == (404, code)
    assert (await client.refused("batch", action))["specificCode"] == 23017
    assert (await client.refused("batch", action, {"async": None}))["specificCode"] == 23017
    key = await principals.create_key(db, (await new_desk()).account_id, "stranger")
    stranger = Ivvy(client.front, *key)
    assert (await stranger.refused("batch", action, {"async": foreign}))["specificCode"] == code


async def test_jobs_have_the_rights_of_their_caller(ivvy_client: Ivvy, db: Database) -> None:
    """Contract ivvy.md 10.1: when it is their turn; a key that was revoked has none."""
    group = (await ivvy_client.desk.new_list()).set_no
    adding = job("contact", "addContactsToSubscriptionGroup", contacts=[1], group=group)
    reader = await new_client(db, ivvy_client.front, Privilege.CONTACTS_READ)
    async_id = await run(reader, job("contact", "getContactList", perPage=1), adding)
    await ivvy_client.work()
    assert [each.get("errorCode") for each in await responses(ivvy_client, async_id)] == [None, 403]
    revoked = await new_client(db, ivvy_client.front)
    async_id = await run(revoked, PING)
    await principals.revoke_key(db, ivvy_client.desk.account_id, revoked.key_id)
    await ivvy_client.work()
    assert [each.get("errorCode") for each in await responses(ivvy_client, async_id)] == [463]
    assert await restart(ivvy_client, async_id) is True
    await ivvy_client.work()
    assert [each.keys() for each in await responses(ivvy_client, async_id)] == [{"ack"}]


async def test_only_failed_jobs_are_restarted(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.2: the asyncId stays the client's handle; design: a new activity, linked to the first."""
    client = ivvy_client
    await client.desk.make_contacts(1)
    ann = {"firstName": "Ann", "lastName": "Ash", "email": "ann@example.org"}
    jobs = [
        job("contact", "addOrUpdateContact", **ann),
        job("event", "inviteContacts", event=1, contacts=[1]),
        job("contact", "addOrUpdateContact", **ann),
        job("contact", "addOrUpdateContact", **{**ann, "firstName": "Bo"}, groups=[{"groupId": 2}]),
    ]
    async_id = await run(client, *jobs)
    await client.work()
    made, no_event, exists, no_group = await responses(client, async_id)
    assert (made["success"], no_event["specificCode"], exists["success"]) == (True, 24097, False)
    assert no_group["success"] is False
    assert (await new_event(client)).set_no == 1
    assert (await client.desk.new_list()).set_no == 2
    assert await restart(client, async_id) is True
    assert await progress(client, async_id) < 100
    assert await restart(client, async_id) is False
    await client.work()
    assert await progress(client, async_id) == 100
    same, invited, still, grouped = await responses(client, async_id)
    assert (same, still, grouped["success"]) == (made, exists, True)
    assert [each["status"] for each in invited["results"]] == [True]
    rows = [row for row in await client.desk.rows("activity") if row["kind"] == calls.Calls.kind]
    first, second = sorted(rows, key=lambda row: int(row["sequence"]))
    assert (first["activity_id"].hex, second["retry_of"]) == (async_id, first["activity_id"])
    assert first["state"] == "completed"
    done = await run(client, PING)
    await client.work()
    assert await restart(client, done) is False, "there is nothing that failed"


async def callback(client: Ivvy, activity_id: UUID) -> Any:
    told = calls.told(client.callees(), client.desk.db, client.desk.account_id, activity_id)
    return json.loads(b"".join([piece async for piece in told]))


async def test_the_callback(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.2, repost, and 10.3: its body is what `results` answers."""
    client, url = ivvy_client, "https://client.example.test/hook"
    async_id = await run(client, job("contact", "getContact", id=1), PING, callbackUrl=url)
    assert await client.desk.owner.fetch("SELECT FROM hook_call WHERE account_id = $1", client.desk.account_id) == []
    await client.work()
    assert await repost(client, async_id) is True
    assert await restart(client, async_id) is True
    await client.work()
    entered = await client.desk.rows("hook_call")
    assert [row["url"] for row in entered] == [url] * 3
    for row in entered:
        assert (await callback(client, row["activity_id"]))["asyncId"] == async_id
    last = max(entered, key=lambda row: row["created_at"])
    assert await callback(client, last["activity_id"]) == await client.call("batch", "results", {"async": async_id})


async def test_results_are_kept_for_two_days(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.3 and 11: then 24115, and what is past that is pruned."""
    client = ivvy_client
    async_id = await run(client, PING, callbackUrl="https://client.example.test/hook")
    await client.work()
    answers = []
    for hours in (47, 49):
        await client.desk.owner.execute(
            "UPDATE activity SET completed_at = now() - make_interval(hours => $2) WHERE account_id = $1",
            client.desk.account_id,
            hours,
        )
        answers.append(await client.request("batch", "results", {"async": async_id}))
    assert [answer.status for answer in answers] == [200, 404]
    assert answers[1].body["specificCode"] == 24115
    assert await repost(client, async_id) is False
    assert (await client.refused("batch", "restart", {"async": async_id}))["specificCode"] == 24105
    assert await progress(client, async_id) == 100
    await client.desk.deliver((await client.desk.submit(Retention())).messages)
    assert await client.desk.rows("activity_result") == []


async def test_links_in_batches_begin_where_the_batch_was_run(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 6: links that work, whoever does the job."""
    client = ivvy_client
    await client.desk.make_contacts(1)
    event = (await new_event(client)).set_no
    async_id = await run(client, job("event", "inviteContacts", event=event, contacts=[1]))
    await client.work()
    [response] = await responses(client, async_id)
    async with client.front.session.get(response["results"][0]["inviteLinkNo"]) as opened:
        assert opened.status == 200


async def test_an_answer_that_is_too_long_is_not_kept(ivvy_client: Ivvy) -> None:
    """Contract ivvy.md 10.3, choice: what a batch keeps is bounded; the job says so, and can be called directly."""
    client = ivvy_client
    await client.desk.make_contacts(500)
    await client.desk.owner.execute(
        "UPDATE contact SET first_name = repeat('x', 2500) WHERE account_id = $1", client.desk.account_id
    )
    few, many = job("contact", "getContactList", perPage=300), job("contact", "getContactList", perPage=500)
    async_id = await run(client, few, many)
    await client.work()
    first, second = await responses(client, async_id)
    assert (first["meta"]["count"], second["errorCode"]) == (300, 461)
