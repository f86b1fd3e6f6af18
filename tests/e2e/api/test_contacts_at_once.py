"""Writes to contacts that come at the same time, or must wait for an activity (contract v3.md 1.8)."""

import asyncio
from typing import Any

import pytest

from tests.e2e.api.contacts import KIM, SIGN_UP, everything, new_contact
from tests.e2e.api.front import Front


async def test_two_at_once(front: Front) -> None:
    """Contract 2.1.13, 1.8: one is done, the other is done after it or refused; never two contacts."""
    list_id = await front.new_list("a list")
    body = {"email_address": "kim@example.org", "list_memberships": [list_id]}
    asked = [front.request("POST", "/v3/contacts/sign_up_form", json=body) for _ in range(8)]
    answers = await asyncio.gather(*asked)
    statuses = sorted(answer.status for answer in answers)
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {200, 409}
    assert len(await front.desk.rows("contact")) == 1


async def test_many_at_once(front: Front) -> None:
    """They share transactions; each leaves a record of its own, and the counts are exact."""
    list_id = await front.new_list("a list")
    sign_ups = [{"email_address": f"c{number}@example.org", "list_memberships": [list_id]} for number in range(60)]
    made = await asyncio.gather(*(front.post("/v3/contacts/sign_up_form", body) for body in sign_ups))
    assert len({each["contact_id"] for each in made}) == 60
    found = await front.get(f"/v3/contact_lists/{list_id}?include_membership_count=active")
    assert found["membership_count"] == 60
    activities = await front.desk.rows("activity")
    assert len(activities) == 60
    assert {(each["state"], each["listed"], each["changed_count"]) for each in activities} == {("completed", False, 3)}
    assert (await front.get("/v3/activities"))["activities"] == []
    numbers = [each["contact_no"] for each in await front.desk.rows("contact")]
    assert sorted(numbers) == list(range(min(numbers), min(numbers) + 60))


async def test_two_writes_to_one_contact(front: Front) -> None:
    """Contract 1.8: 409 for one of them, or one after the other; never a mixture."""
    made, list_id = await new_contact(front), await front.new_list("L")
    path = f"/v3/contacts/{made['contact_id']}"
    bodies: list[dict[str, Any]] = [
        {"update_source": "Account", "first_name": name, "last_name": name} for name in "abcdef"
    ]
    puts = [front.request("PUT", path, json=body) for body in bodies]
    sign_ups = [
        front.request("POST", SIGN_UP, json={"email_address": KIM, "list_memberships": [list_id], "job_title": "x"})
        for _ in range(3)
    ]
    answers = await asyncio.gather(*puts, *sign_ups)
    assert {answer.status for answer in answers} <= {200, 409}
    assert 200 in {answer.status for answer in answers}
    done = [answer for answer in answers if answer.status == 200]
    assert len(await front.desk.rows("activity")) == 1 + len(done)
    shown = await everything(front, made["contact_id"])
    assert shown.get("first_name") == shown.get("last_name")


async def test_waiting_for_what_was_asked_before(front: Front) -> None:
    """A removal that was queued before a sign-up is done before it."""
    list_id = await front.new_list("a list")
    await front.submit("remove_list_memberships", {"source": {"all_active_contacts": True}, "list_ids": [list_id]})
    body = {"email_address": "kim@example.org", "list_memberships": [list_id]}
    signing_up = asyncio.create_task(front.post("/v3/contacts/sign_up_form", body))
    await asyncio.sleep(0.1)
    assert not signing_up.done()
    await front.work()
    made = await signing_up
    assert (await everything(front, made["contact_id"]))["list_memberships"] == [list_id]


async def test_waiting_in_vain(front: Front, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design, "Inline operations": 503 when what must come first takes too long; then nothing is done."""
    monkeypatch.setattr("engine.activities.inline.BUSY_SECONDS", 0.05)
    list_id = await front.new_list("L")
    await front.submit("remove_list_memberships", {"source": {"all_active_contacts": True}, "list_ids": [list_id]})
    body = {"email_address": KIM, "list_memberships": [list_id]}
    assert "have not ended" in await front.refused("POST", SIGN_UP, 503, json=body)
    assert await front.desk.rows("contact") == []
