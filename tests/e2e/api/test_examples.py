"""The documentation's examples of bodies, sent as they are but for their ids: nothing in them is refused."""

import json
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

import pytest

from api.dialects import Route
from api.reading import Form
from api.v3 import example_ids
from api.v3.routes import ROUTES
from tests.e2e.api.contacts import KIM, new_contact, permitted
from tests.e2e.api.front import Answer, Front

WITH_BODY = [route for route in ROUTES if route.body is not None]


async def made(front: Front, email: str) -> Mapping[str, str]:
    """What there is, by the id that stands for it in an example or by the name that stands for it in a path."""
    contact_id = str((await new_contact(front, email=email))["contact_id"])
    lists, tag_id = [await front.new_list(name) for name in "AB"], await front.new_tag("T")
    field = await front.post("/v3/contact_custom_fields", {"label": "F", "type": "string"})
    criteria = {"type": "and", "group": [{"source": "contact", "field": "city", "op": "is-empty"}]}
    text = json.dumps({"version": "1.0.0", "criteria": criteria})
    segment = await front.post("/v3/segments", {"name": "S", "segment_criteria": text})
    numbered = {
        f"{{{each}}}": str((await front.post(path, body))[each])
        for each, path, body in (
            ("field_id", "/v3/field_definitions", {"label": "D"}),
            ("company_id", "/v3/companies", {"name": "C"}),
            ("event_id", "/v3/events", {"name": "E"}),
        )
    }
    hook = await front.post("/v3/hooks", {"name": "H", "url": "https://hook.invalid/"})
    user = await front.post("/v3/users", {"name": uuid4().hex, "password": "a password"})
    return numbered | {
        example_ids.CONTACT: contact_id,
        example_ids.OTHER_CONTACT: contact_id,
        example_ids.LIST: lists[0],
        example_ids.OTHER_LIST: lists[1],
        example_ids.TAG: tag_id,
        example_ids.CUSTOM_FIELD: field["custom_field_id"],
        "{contact_id}": contact_id,
        "{list_id}": lists[0],
        "{tag_id}": tag_id,
        "{custom_field_id}": field["custom_field_id"],
        "{segment_id}": str(segment["segment_id"]),
        "{hook_id}": str(hook["hook_id"]),
        example_ids.USER: user["name"],
        example_ids.NEW_USER: uuid4().hex,
        "{user_id}": user["user_id"],
    }


def filled(text: str, known: Mapping[str, str]) -> str:
    for made_up, real in known.items():
        text = text.replace(made_up, real)
    return text


async def sent(front: Front, route: Route[Any, Any], path: str, body: Mapping[str, Any]) -> Answer:
    if route.body is None or not issubclass(route.body, Form):
        return await front.request(route.method, path, json=body)
    file = ("file", body["file"], "contacts.csv")
    return await front.upload(("list_ids", ",".join(body["list_ids"]), None), file)


@pytest.mark.parametrize("route", WITH_BODY, ids=lambda route: route.operation)
async def test_no_example_is_refused(front: Front, route: Route[Any, Any]) -> None:
    known = await made(front, "ada@example.org" if route.operation == "postContact" else KIM)
    if route.operation == "putContactResubscribe":
        await permitted(front, known["{contact_id}"], "unsubscribed", by="Contact")
    example = json.loads(filled(json.dumps(route.example), known))
    answer = await sent(front, route, "/v3" + filled(route.path, known), example)
    assert answer.status in route.answers, answer.content
    await front.work()
    if answer.content and "activity_errors" in answer.body:
        ended = await front.get(f"/v3/activities/{answer.body['activity_id']}")
        assert (ended["state"], ended["activity_errors"]) == ("completed", [])
