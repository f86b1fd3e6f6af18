"""Random bulk activities over HTTP, through API, queue and workers, against the truth in plain Python sets."""

import asyncio
from collections.abc import Awaitable, Callable
from random import Random
from typing import Any
from uuid import uuid4

import aiohttp
import pytest

from tests.e2e.stack import Up
from tests.reference import LEVELS, Model, Outcome, random_request

CONTACTS = 400
ACTIVITIES = 150

Request = Callable[..., Awaitable[Any]]


@pytest.mark.parametrize("seed", range(2))
async def test_random_activities_end_as_the_model_says(seed: int, shared: Up) -> None:
    """Every list, tag, level and count; contract v3.md 3.3: jobs of an account run in the order they were queued."""
    random = Random(seed)
    headers = {"Authorization": f"Bearer {shared.new_token()}"}
    async with aiohttp.ClientSession(shared.address + "/v3/", headers=headers) as session:

        async def request(method: str, path: str, **more: Any) -> Any:
            async with session.request(method, path, **more) as response:
                assert response.status < 300, await response.text()
                return await response.json()

        model = await _prepared(random, request)
        known = [*model.existing, str(uuid4())]
        expected = [await _submit(request, model, *random_request(random, model, known)) for _ in range(ACTIVITIES)]
        for activity_id, outcome in expected:
            await _assert_ended(request, activity_id, outcome)
        await _assert_same(request, model)


async def _prepared(random: Random, request: Request) -> Model:
    """An account with imported contacts, and lists and tags, all made over HTTP."""
    model = Model()
    for number in range(6):
        model.lists[(await request("POST", "contact_lists", json={"name": f"list {number}"}))["list_id"]] = set()
        model.tags[(await request("POST", "contact_tags", json={"name": f"tag {number}"}))["tag_id"]] = set()
    first = next(iter(model.lists))
    rows = [{"email": f"c{number}@example.org", "first_name": f"n{number}"} for number in range(CONTACTS)]
    random.shuffle(rows)
    body = {"import_data": rows, "list_ids": [first]}
    activity = await request("POST", "activities/contacts_json_import", json=body)
    await request("GET", f"activities/{activity['activity_id']}?wait=30")
    imported = {contact["contact_id"] for contact in await _pages(request, "contacts?limit=150", "contacts")}
    assert len(imported) == CONTACTS
    model.existing, model.active, model.recent, model.lists[first] = (set(imported) for _ in range(4))
    return model


async def _submit(request: Request, model: Model, kind: str, body: dict[str, Any]) -> tuple[str, Outcome]:
    activity = await request("POST", f"activities/{kind}", json=body)
    return activity["activity_id"], model.run(kind, body)


async def _assert_ended(request: Request, activity_id: str, outcome: Outcome) -> None:
    ended = await request("GET", f"activities/{activity_id}?wait=30")
    told = Outcome(ended["status"]["items_total_count"], ended["changed_count"], ended["error_count"])
    assert (ended["state"], told) == ("completed", outcome)
    assert len(ended["activity_errors"]) == outcome.errors
    assert len(await _pages(request, f"activities/{activity_id}/errors?limit=2", "errors")) == outcome.errors


async def _assert_same(request: Request, model: Model) -> None:
    counts = await request("GET", "contact_lists?include_membership_count=all&include_count=true")
    assert {each["list_id"]: each["membership_count"] for each in counts["lists"]} == {
        list_id: len(members) for list_id, members in model.lists.items()
    }
    counts = await request("GET", "contact_tags?include_count=1")
    assert {each["tag_id"]: each["contacts_count"] for each in counts["tags"]} == {
        tag_id: len(members) for tag_id, members in model.tags.items()
    }
    contacts = await _pages(request, "contacts?limit=77&include=list_memberships,taggings", "contacts")
    for member, sets in (("list_memberships", model.lists), ("taggings", model.tags)):
        assert {contact["contact_id"]: set(contact[member]) for contact in contacts} == {
            contact_id: {set_id for set_id, members in sets.items() if contact_id in members}
            for contact_id in model.existing
        }
    for name, sets in (("lists", model.lists), ("tags", model.tags)):
        found = await asyncio.gather(*(_members(request, f"{name}={set_id}") for set_id in sets))
        assert found == list(sets.values())
    await _assert_levels(request, model)


async def _assert_levels(request: Request, model: Model) -> None:
    """A level is seen through a list that everybody of it is put on."""
    for level in LEVELS:
        list_id = (await request("POST", "contact_lists", json={"name": level}))["list_id"]
        body = {"source": {"engagement_level": level}, "list_ids": [list_id]}
        activity = await request("POST", "activities/add_list_memberships", json=body)
        await request("GET", f"activities/{activity['activity_id']}?wait=30")
        expected = model.selected(body)
        assert await _members(request, f"lists={list_id}") == expected


async def _members(request: Request, query: str) -> set[str]:
    return {contact["contact_id"] for contact in await _pages(request, f"contacts?limit=150&{query}", "contacts")}


async def _pages(request: Request, path: str, member: str) -> list[dict[str, Any]]:
    """Everything, following `_links.next.href` (contract v3.md 1.7)."""
    page = await request("GET", path)
    found: list[dict[str, Any]] = page[member]
    while following := page.get("_links", {}).get("next"):
        page = await request("GET", following["href"])
        found += page[member]
    return found
