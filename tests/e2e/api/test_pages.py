"""Pages of every collection, alike (contract v3.md 1.7)."""

import base64
import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from engine import principals
from engine.database import Database
from tests.e2e.api.front import Front
from tests.integration.conftest import NewDesk

CRITERIA = json.dumps(
    {
        "version": "1.0.0",
        "criteria": {
            "type": "and",
            "group": [{"source": "contact", "field": "first_name", "op": "eq", "value": "Kim"}],
        },
    }
)

Make = Callable[[Front, int], Awaitable[Any]]


async def _contact(front: Front, number: int) -> Any:
    body = {"create_source": "Account", "email_address": {"address": f"c{number}@example.org"}}
    return (await front.post("/v3/contacts", body))["contact_id"]


async def _field(front: Front, number: int) -> Any:
    body = {"label": f"F{number}", "type": "string"}
    return (await front.post("/v3/contact_custom_fields", body))["custom_field_id"]


async def _segment(front: Front, number: int) -> Any:
    return (await front.post("/v3/segments", {"name": f"S{number}", "segment_criteria": CRITERIA}))["segment_id"]


async def _activity(front: Front, number: int) -> Any:
    return (await front.submit("contact_exports", {"fields": [["first_name", "last_name"][number % 2]]}))["activity_id"]


#: By path: the property with the items, that with their ids, how one is made, and whether the newest comes first.
COLLECTIONS: dict[str, tuple[str, str, Make, bool]] = {
    "contacts": ("contacts", "contact_id", _contact, False),
    "contact_lists": ("lists", "list_id", lambda front, number: front.new_list(f"L{number}"), False),
    "contact_tags": ("tags", "tag_id", lambda front, number: front.new_tag(f"T{number}"), False),
    "contact_custom_fields": ("custom_fields", "custom_field_id", _field, False),
    "segments": ("segments", "segment_id", _segment, True),
    "activities": ("activities", "activity_id", _activity, True),
}
LARGEST = {"contacts": 500, "contact_lists": 1000, "contact_tags": 500, "contact_custom_fields": 100} | {
    "segments": 1000,
    "activities": 500,
}

every_collection = pytest.mark.parametrize("path", COLLECTIONS)


async def made(front: Front, path: str, count: int) -> list[Any]:
    """The ids of so many items, in the order of the collection."""
    _, _, make, is_newest_first = COLLECTIONS[path]
    ids = [await make(front, number) for number in range(count)]
    return ids[::-1] if is_newest_first else ids


@every_collection
async def test_page_by_page(front: Front, path: str) -> None:
    """Contract 1.7, 1.10, 5.40, 6.15, 6.16: links are paths with a cursor; the last page has none; oldest first.

    Activities and segments are newest first. A full last page has no link either, and an empty collection is `[]`.
    """
    items, id_, _, _ = COLLECTIONS[path]
    assert await front.get(f"/v3/{path}") == {items: []}
    ids = await made(front, path, 4)
    first = await front.get(f"/v3/{path}?limit=2")
    assert [each[id_] for each in first[items]] == ids[:2]
    assert set(first) == {items, "_links"}
    assert set(first["_links"]) == {"next"}
    assert set(first["_links"]["next"]) == {"href"}
    href = first["_links"]["next"]["href"]
    assert href.startswith(f"/v3/{path}?cursor=")
    last = await front.get(href)
    assert [each[id_] for each in last[items]] == ids[2:]
    assert set(last) == {items}
    assert [each[id_] for each in (await front.get(f"{href}&limit=1"))[items]] == ids[2:3]
    assert [each[id_] for each in await front.pages(f"/v3/{path}?limit=1", items)] == ids


@every_collection
async def test_limits(front: Front, path: str) -> None:
    """Contract 1.7, 5.13: each collection has its largest `limit`; anything else is 400."""
    items, _, _, _ = COLLECTIONS[path]
    ids = await made(front, path, 2)
    for limit in (1, LARGEST[path]):
        assert len((await front.get(f"/v3/{path}?limit={limit}"))[items]) == min(limit, len(ids))
    for wrong in ("0", "-1", str(LARGEST[path] + 1), "", "x", "1.5", "1e2", "٣"):
        message = await front.refused("GET", f"/v3/{path}?limit={wrong}", 400)
        assert message.startswith("limit does not have a valid value")


@pytest.mark.parametrize("path", sorted(COLLECTIONS.keys() - {"segments"}))
async def test_fifty_by_default(front: Front, path: str) -> None:
    """Contract 1.7, 1.10, 2: what generated clients always send is what is done without it."""
    items, _, _, _ = COLLECTIONS[path]
    await made(front, path, 51)
    page = await front.get(f"/v3/{path}")
    assert len(page[items]) == 50
    always = "&include_count=0" if path in ("contact_lists", "contact_tags") else ""
    assert (await front.get(f"/v3/{path}?limit=50{always}"))[items] == page[items]


async def test_a_thousand_segments_by_default(front: Front) -> None:
    """Contract 1.7, 1.10, 2: `limit=1000&sort_by=date` is the default; more than a thousand there cannot be."""
    await made(front, "segments", 60)
    page = await front.get("/v3/segments")
    assert len(page["segments"]) == 60
    assert await front.get("/v3/segments?limit=1000&sort_by=date") == page


@every_collection
async def test_cursors_that_are_none(front: Front, path: str, new_desk: NewDesk, db: Database) -> None:
    """Contract 1.7: 400 for a cursor that was altered or made up, or is another collection's or account's."""
    items, _, _, _ = COLLECTIONS[path]
    await made(front, path, 2)
    href = (await front.get(f"/v3/{path}?limit=1"))["_links"]["next"]["href"]
    cursor = href.partition("?cursor=")[2]
    guessed = base64.urlsafe_b64encode(b"limit=1&next=00000000-0000-0000-0000-000000000000").decode()
    for wrong in ("", "x", cursor[:-1], cursor + "A", cursor[::-1], cursor.swapcase(), guessed, "%00", "%F0%9F%92%A9"):
        message = await front.refused("GET", f"/v3/{path}?cursor={wrong}", 400)
        assert message.startswith("cursor does not have a valid value")
    for other in set(COLLECTIONS) - {path}:
        await front.refused("GET", f"/v3/{other}?cursor={cursor}", 400)
    stranger = front.as_(await principals.create_token(db, (await new_desk()).account_id, "stranger"))
    await stranger.refused("GET", href, 400)
    assert len((await front.get(href))[items]) == 1
