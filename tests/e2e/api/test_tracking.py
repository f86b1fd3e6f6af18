"""Tracking events over HTTP, and the segments that use them."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from engine.principals import Privilege
from tests.e2e.api.conftest import NewToken
from tests.e2e.api.contacts import LONG_AGO, make_old
from tests.e2e.api.front import Front

PATH = "/v3/tracking_events"
TIME = "2026-01-15T10:00:00Z"
PUBLISHED = (
    '{"version":"1.0.0","criteria":{"type":"and","group":[{"source":"tracking","field":"not_opened",'
    '"op":"contains-any","const_value":"last-n-campaigns","param":"5"}]}}'
)


async def told(front: Front, *rows: Any) -> Any:
    """Tells events, lets a worker record them, and answers the activity as it ended."""
    submitted = await front.post(PATH, {"events": rows})
    assert submitted["state"] == "initialized"
    await front.work()
    return await front.get(submitted["_links"]["self"]["href"])


def event(number: int, campaign_id: str, what: str) -> dict[str, str]:
    return {"email": f"C{number}@example.org", "campaign_id": campaign_id, "event": what, "time": TIME}


async def test_events_and_the_published_segment(front: Front) -> None:
    """Contract 4.1: the published example, verbatim; GET /contacts?segment_id= pages through it (2.5)."""
    await front.desk.make_contacts(7)
    campaign_id = str(uuid4())
    activity = await told(front, *(event(n, campaign_id, "sent") for n in range(1, 7)), event(2, campaign_id, "opened"))
    assert (activity["state"], activity["percent_done"], activity["activity_errors"]) == ("completed", 100, [])
    assert activity["status"] == {"items_total_count": 7, "items_completed_count": 7}
    assert activity["changed_count"] == 7
    made = await front.post("/v3/segments", {"name": "Unmoved", "segment_criteria": PUBLISHED})
    assert made["segment_criteria"] == PUBLISHED
    found = await front.pages(f"/v3/contacts?segment_id={made['segment_id']}&limit=2", "contacts")
    assert [each["email_address"]["address"] for each in found] == [f"c{n}@example.org" for n in (1, 3, 4, 5, 6)]


async def test_wrong_rows_are_errors_and_stop_nobody(front: Front) -> None:
    """Extension: row number, code and message of each."""
    await front.desk.make_contacts(2)
    await front.desk.make_contacts(1, first=3, deleted=True)
    campaign_id, unknown = str(uuid4()), str(uuid4())
    good = event(1, campaign_id, "clicked")
    by_id = {name: value for name, value in good.items() if name != "email"} | {"contact_id": unknown}
    rows = [good, 5, {**good, "event": "read"}, by_id, {**good, "time": "soon"}, event(3, campaign_id, "sent")]
    activity = await told(front, *rows, event(2, campaign_id, "sent"))
    assert (activity["state"], activity["error_count"]) == ("completed", 5)
    errors = (await front.get(f"{activity['_links']['self']['href']}/errors"))["errors"]
    assert [(each["item"], each["code"]) for each in errors] == [
        ("", "not_an_object"),
        ("C1@example.org", "malformed_event"),
        (unknown, "contact_not_found"),
        ("C1@example.org", "malformed_time"),
        ("c3@example.org", "contact_deleted"),
    ]
    assert [each["message"].partition(":")[0] for each in errors] == [f"row {n}" for n in (2, 3, 4, 5, 6)]
    assert len(activity["activity_errors"]) == 5


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"events": None},
        {"events": {}},
        {"events": "x"},
        {"events": []},
        {"event": [{}]},
        {"events": [1] * 10_001},
    ],
)
async def test_a_body_that_is_no_such_array(front: Front, body: Any) -> None:
    """Contract 1.8."""
    await front.refused("POST", PATH, 400, json=body)
    assert list(front.desk.settings.uploads.glob("*/*")) == []


@pytest.mark.parametrize(
    "content",
    [
        b'{"events": [',
        b'{"events": ' + b"[" * 100_000,
        b'{"events": ["\xff"]}',
        b'{"events": ["\\ud800"]}',
        b'{"events": [{"a": ' + b"9" * 10_000 + b"}]}",
    ],
)
async def test_hostile_json_is_refused(front: Front, content: bytes) -> None:
    await front.refused("POST", PATH, 400, data=content, headers={"Content-Type": "application/json"})


@pytest.mark.parametrize(
    "row",
    [
        "[" * 50 + "]" * 50,
        '{"event": NaN}',
        '{"email": "k\\u0000@x.org", "campaign_id": "\\u202e"}',
        '{"email": {"$gt": ""}, "event": ["sent"], "time": 1e308}',
        f'{{"contact_id": {10**18}, "campaign_id": true}}',
    ],
)
async def test_whatever_json_knows_may_be_a_row(front: Front, row: str) -> None:
    """A wrong row is an error of its own, and neither a failed activity nor a failed request."""
    headers = {"Content-Type": "application/json"}
    answer = await front.request("POST", PATH, data=f'{{"events": [{row}]}}'.encode(), headers=headers)
    assert answer.status == 201, answer.content
    await front.work()
    activity = await front.get(answer.body["_links"]["self"]["href"])
    assert (activity["state"], activity["error_count"]) == ("completed", 1)


async def test_another_content_type(front: Front) -> None:
    """Contract 1.3."""
    await front.refused("POST", PATH, 415, data=b"{}", headers={"Content-Type": "text/plain"})


async def test_privilege(front: Front, new_token: NewToken) -> None:
    """Contract 1.2: contacts:write."""
    reader = front.as_(await new_token(Privilege.CONTACTS_READ, Privilege.LISTS_READ, Privilege.LISTS_WRITE))
    await reader.refused("POST", PATH, 403, json={"events": [{}]})


async def test_contacts_of_another_account_are_nobody(front: Front, new_token: NewToken) -> None:
    activity = await told(front, event(1, str(uuid4()), "unsubscribed"))
    assert activity["error_count"] == 1


async def test_a_contact_shows_that_it_opted_out(front: Front) -> None:
    """Contract 1.11: opt_out_source and opt_out_date of email_address."""
    await front.desk.make_contacts(1)
    await told(front, event(1, str(uuid4()), "unsubscribed"))
    [found] = (await front.get("/v3/contacts?status=unsubscribed"))["contacts"]
    shown = found["email_address"]
    assert (shown["permission_to_send"], shown["opt_out_source"]) == ("unsubscribed", "Contact")
    assert shown["opt_out_date"] == "2026-01-15T10:00:00+00:00"
    assert json.dumps(found).count("null") == 0


@pytest.mark.parametrize(("kind", "permission"), [("unsubscribed", "unsubscribed"), ("bounced", "temp_hold")])
async def test_what_becomes_of_an_email_is_no_change_of_the_contact(front: Front, kind: str, permission: str) -> None:
    """Contract 2.1.1: `updated_at` and `update_source` are of the contact's own details, not of its e-mail."""
    [contact_id] = await front.desk.make_contacts(1)
    await make_old(front, str(contact_id))
    await told(front, event(1, str(uuid4()), kind))
    shown = await front.get(f"/v3/contacts/{contact_id}")
    email = shown["email_address"]
    assert (email["permission_to_send"], email["updated_at"] > LONG_AGO) == (permission, True)
    assert shown["updated_at"] == LONG_AGO
    assert "update_source" not in shown


async def test_levels_are_computed_from_events(front: Front) -> None:
    """Contract 3.14 and 3.4: five of five opened is high."""
    await front.desk.make_contacts(2)
    now = datetime.now(UTC).isoformat()
    campaigns = [str(uuid4()) for _ in range(5)]
    rows = [{**event(number, each, "sent"), "time": now} for number in (1, 2) for each in campaigns]
    await told(front, *rows, *({**event(2, each, "opened"), "time": now} for each in campaigns))
    answer = await front.request("POST", "/v3/activities/contacts_engagement_compute")
    assert (answer.status, answer.body["state"]) == (201, "initialized")
    await front.work()
    activity = await front.get(answer.body["_links"]["self"]["href"])
    assert activity["status"] == {"items_total_count": 2, "items_completed_count": 2}
    list_id = await front.new_list("Engaged")
    body = {"source": {"engagement_level": "high"}, "list_ids": [list_id]}
    await front.finished("add_list_memberships", body)
    [found] = await front.pages(f"/v3/contacts?lists={list_id}", "contacts")
    assert found["email_address"]["address"] == "c2@example.org"
