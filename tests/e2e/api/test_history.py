"""The history of activities, row by row (contract v3.md 3.11, 3.12, 3.2.1, 1.7 and 1.9)."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from engine.activities.model import State
from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk

PATH = "/v3/activities"
FINAL = ("completed", "cancelled", "failed", "timed_out")


async def submit(front: Front, count: int, name: str = "L") -> list[str]:
    """The ids of that many activities, newest first."""
    target = await front.new_list(name)
    body = {"source": {"all_active_contacts": True}, "list_ids": [target]}
    return [(await front.submit("add_list_memberships", body))["activity_id"] for _ in range(count)][::-1]


async def listed(front: Front, query: str = "") -> list[str]:
    return [each["activity_id"] for each in await front.pages(PATH + query, "activities")]


async def set_row(front: Front, activity_id: str, column: str, value: str) -> None:
    """As if it had happened: `value` is SQL."""
    await front.desk.owner.execute(
        f"UPDATE activity SET {column} = {value} WHERE account_id = $1 AND activity_id = $2",
        front.desk.account_id,
        activity_id,
    )


async def test_fifty_a_page_unless_another_limit_is_given(front: Front) -> None:
    """Contract v3.md 1.7 and 3.11: 1 to 500, 50 by default; anything else is 400."""
    made = await submit(front, 52)
    for query, count in (("", 50), ("?limit=50", 50), ("?limit=1", 1), ("?limit=51", 51), ("?limit=500", 52)):
        page = await front.get(PATH + query)
        assert [each["activity_id"] for each in page["activities"]] == made[:count]
        assert ("_links" in page) == (count < 52)
    assert await listed(front) == made
    for limit in ("0", "501", "-1", "x", "", "1.5", "1e2", "%201", "9" * 30):
        assert (await front.refused("GET", f"{PATH}?limit={limit}", 400)).startswith("limit ")


async def test_links_are_paths_with_all_that_was_asked(front: Front) -> None:
    """Contract v3.md 1.7: no scheme, no host; the cursor holds limit, position and filters; `limit` may be repeated."""
    made = await submit(front, 5)
    await front.work()
    page = await front.get(f"{PATH}?limit=2&state=completed")
    href = page["_links"]["next"]["href"]
    assert href.startswith(f"{PATH}?cursor=")
    await submit(front, 1, "M")
    assert [each["activity_id"] for each in (await front.get(href))["activities"]] == made[2:4]
    assert [each["activity_id"] for each in (await front.get(f"{href}&limit=1"))["activities"]] == made[2:3]
    # What is newer than the first page comes between nothing.
    assert await listed(front, f"{href.removeprefix(PATH)}") == made[2:]


async def test_bad_cursors(front: Front) -> None:
    """Contract v3.md 1.7: 400, also for one of another collection, or that was tampered with."""
    await submit(front, 3)
    cursor = (await front.get(f"{PATH}?limit=1"))["_links"]["next"]["href"].partition("cursor=")[2]
    for number in range(3):
        await front.new_list(f"N{number}")
    other = (await front.get("/v3/contact_lists?limit=1"))["_links"]["next"]["href"].partition("cursor=")[2]
    changed = [cursor[:place] + ("A" if cursor[place] != "A" else "B") + cursor[place + 1 :] for place in (0, 9, -2)]
    for bad in ("", "x", "%00", "é", "A" * 3000, other, cursor[:-4], *changed):
        assert "cursor" in await front.refused("GET", f"{PATH}?cursor={quote(bad, safe='%')}", 400)


@pytest.mark.parametrize("state", FINAL)
async def test_the_filter(front: Front, state: str) -> None:
    """Contract v3.md 3.2.1 and 3.11: every state but `initialized`."""
    made = await submit(front, 3)
    await set_row(front, made[1], "state", f"'{state}'")
    assert await listed(front, f"?state={state}") == [made[1]]
    assert await listed(front, "?state=processing") == []
    assert await listed(front) == made


async def test_what_is_no_filter(front: Front) -> None:
    """Contract v3.md 3.11: other `state` → 400; parameters that are not known are ignored (1.6)."""
    made = await submit(front, 1)
    for state in ("initialized", "time_out", "COMPLETED", "", "completed,failed", "%00"):
        assert (await front.refused("GET", f"{PATH}?state={state}", 400)).startswith("state ")
    assert await listed(front, "?status=completed&State=failed") == made
    assert {state.value for state in State} == {"initialized", "processing", *FINAL}


async def test_ten_days(front: Front) -> None:
    """Contract v3.md 1.9, 3.11 and 3.12: what is older is not listed, and 404."""
    made = await submit(front, 3)
    await front.work()
    await set_row(front, made[2], "created_at", "now() - interval '10 days 1 second'")
    await set_row(front, made[1], "created_at", "now() - interval '9 days 23 hours'")
    assert await listed(front) == made[:2]
    assert (await front.get(f"{PATH}/{made[1]}"))["activity_id"] == made[1]
    for path in ("", "/errors"):
        await front.refused("GET", f"{PATH}/{made[2]}{path}", 404)
    for verb in ("retry", "cancel"):
        await front.refused("POST", f"{PATH}/{made[2]}/{verb}", 404)


async def test_ids_of_any_case(front: Front) -> None:
    """Contract v3.md 1.4: compared without case, shown in lower case."""
    [made] = await submit(front, 1)
    assert (await front.get(f"{PATH}/{made.upper()}"))["activity_id"] == made


async def test_another_accounts_activity_is_unknown(front: Front, new_desk: NewDesk) -> None:
    """Contract v3.md 3.12."""
    stranger = await new_desk()
    submitted = await stranger.add([uuid4()], await stranger.new_list())
    for path in ("", "/errors"):
        await front.refused("GET", f"{PATH}/{submitted.activity.activity_id}{path}", 404)
    for verb in ("retry", "cancel"):
        await front.refused("POST", f"{PATH}/{submitted.activity.activity_id}/{verb}", 404)
    assert await listed(front) == []


async def test_deletions_of_lists_and_tags_are_listed(front: Front) -> None:
    """Contract v3.md 3.1 and 3.11; what nobody asked for is not."""
    named, tag = await front.new_list("L"), await front.new_tag("T")
    deleted = [
        (await front.request("DELETE", path)).body["activity_id"]
        for path in (f"/v3/contact_lists/{named}", f"/v3/contact_tags/{tag}")
    ]
    [contact_id] = await front.desk.make_contacts(1)
    await front.request("DELETE", f"/v3/contacts/{contact_id}")
    assert await listed(front) == deleted[::-1]


async def test_a_thousand_may_be_unfinished(settings: Settings, desk: Desk, token: str) -> None:
    """Contract v3.md 1.9 and 3.3: one more is 429 and queues nothing, until some have ended."""
    assert settings.max_unfinished == 1000
    async with open_front(settings, desk, token) as front:
        [made] = await submit(front, 1)
        await desk.owner.execute("UPDATE account SET unfinished = 1000 WHERE account_id = $1", desk.account_id)
        body: dict[str, Any] = {"source": {"all_active_contacts": True}, "list_ids": [await front.new_list("M")]}
        answer = await front.request("POST", f"{PATH}/add_list_memberships", json=body)
        assert answer.status == 429
        assert answer.body[0]["error_key"] == "contacts.api.activities.limit"
        assert await listed(front) == [made]
        await desk.owner.execute("UPDATE account SET unfinished = 1 WHERE account_id = $1", desk.account_id)
        assert (await front.request("POST", f"{PATH}/add_list_memberships", json=body)).status == 201
