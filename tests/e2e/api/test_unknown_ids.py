"""Ids that stand for nothing, on every route that has one in its path (contract v3.md 1.8)."""

import json
from typing import Any
from uuid import uuid4

import pytest

from api.dialects import AnyRoute
from api.v3.routes import ROUTES
from tests.e2e.api.front import Front

CRITERIA = json.dumps(
    {
        "version": "1.0.0",
        "criteria": {
            "type": "and",
            "group": [{"source": "contact", "field": "first_name", "op": "eq", "value": "Kim"}],
        },
    }
)
#: Bodies that would do if the id did.
BODIES: dict[str, dict[str, Any]] = {
    "putContact": {"update_source": "Account"},
    "putList": {"name": "x"},
    "putTag": {"name": "x"},
    "putCustomField": {"label": "x", "type": "string"},
    "updateSegment": {"name": "x", "segment_criteria": CRITERIA},
    "updateSegmentName": {"name": "x"},
    "putContactLeadScores": {"demographic_score": 50},
    "putFieldDefinition": {"label": "x"},
    "putCompany": {"name": "x"},
    "putEvent": {"name": "x"},
    "putHook": {"name": "x", "url": "https://hook.invalid/"},
    "putUserPrivileges": {"privileges": []},
    "putUserPassword": {"password": "a password"},
}
#: What is no id, and what is one of nothing.
UUIDS = (("x", "1", uuid4().hex, f"{uuid4()}0"), (str(uuid4()), str(uuid4()).upper()))
NUMBERS = (("-1", "1.0", "1e3", str(2**31), "x", "%D9%A1"), ("99", str(2**31 - 1)))
KEYS = (("x", str(uuid4()), "mk" + "0" * 22, "MK" + "0" * 23, "MK%00" + "0" * 21), ("MK" + "0" * 22,))
#: By the name of the id; all others are UUIDs.
IDS = {**dict.fromkeys(("segment_id", "hook_id", "field_id", "company_id", "event_id"), NUMBERS), "key_id": KEYS}
WITH_ID = [route for route in ROUTES if "{" in route.path]


@pytest.mark.parametrize("route", WITH_ID, ids=lambda route: route.operation)
async def test_an_id_in_a_path(front: Front, route: AnyRoute) -> None:
    """Contract 1.8, 6.4: badly formed or unknown, it is 404, with the published words for the first."""
    name = route.path.partition("{")[2].partition("}")[0]
    body = BODIES.get(route.operation, {"list_ids": [await front.new_list("L")]} if route.body else None)
    arguments = {"json": body} if body else {}
    wrongs, unknowns = IDS.get(name, UUIDS)
    for wrong in wrongs:
        path = "/v3" + route.path.replace("{" + name + "}", wrong)
        assert await front.refused(route.method, path, 404, **arguments) == f"{name} is in an invalid format."
    for unknown in unknowns:
        path = "/v3" + route.path.replace("{" + name + "}", unknown)
        message = await front.refused(route.method, path, 404, **arguments)
        assert "invalid format" not in message


def test_no_route_is_forgotten() -> None:
    """Contract 2.0, 3.1: whoever reads a body has one above, or is satisfied with a list."""
    reading = {route.operation for route in WITH_ID if route.body}
    assert reading - set(BODIES) == {"putContactResubscribe"}
