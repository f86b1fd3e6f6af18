"""Which contacts and columns an export has, over HTTP (contract v3.md 3.10 and 3.15)."""

import csv
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine.exports.columns import COLUMNS
from tests.e2e.api.contacts import changed, new_contact
from tests.e2e.api.front import Front

KIND = "contact_exports"


async def rows(front: Front, **body: Any) -> list[dict[str, str]]:
    """The file's rows by heading."""
    activity = await front.finished(KIND, body)
    answer = await front.request("GET", activity["_links"]["results"]["href"], headers={"Accept": "text/csv"})
    assert answer.status == 200
    return list(csv.DictReader(answer.content.decode().splitlines()))


async def test_every_way_and_combination(front: Front) -> None:
    """Contract 3.10; 5.20: every source, status and combination of the table."""
    lists, tag = [await front.new_list(f"L{number}") for number in range(2)], await front.new_tag("T")
    ids = {}
    for name, more in (
        ("active", {"list_memberships": lists[:1], "taggings": [tag]}),
        ("old", {"list_memberships": lists}),
        ("left", {"list_memberships": lists[1:], "taggings": [tag]}),
        ("held", {"permission": "temp_hold"}),
        ("removed", {"list_memberships": lists[:1]}),
    ):
        email = {"address": f"{name}@x.org", "permission_to_send": more.pop("permission", "implicit")}
        ids[name] = (await new_contact(front, email_address=email, first_name=name, **more))["contact_id"]
    email = {"address": "left@x.org", "permission_to_send": "unsubscribed"}
    await changed(front, ids["left"], email_address=email, first_name="left")
    await front.request("DELETE", f"/v3/contacts/{ids['removed']}")
    await front.desk.owner.execute(
        "UPDATE contact SET opt_in_date = now() - interval '31 days' WHERE account_id = $1 AND contact_id = $2",
        front.desk.account_id,
        ids["old"],
    )
    everybody, exclude = list(ids.values()), {"contact_ids": [ids["active"], str(uuid4())]}
    cases: list[tuple[dict[str, Any], list[str]]] = [
        ({}, ["active", "old", "left", "held"]),
        ({"status": "active"}, ["active", "old"]),
        ({"all_active_contacts": True}, ["active", "old"]),
        ({"status": "unsubscribed"}, ["left"]),
        ({"status": "removed"}, ["removed"]),
        ({"contact_ids": everybody}, ["active", "old", "left", "held"]),
        ({"contact_ids": everybody, "status": "unsubscribed"}, ["left"]),
        ({"contact_ids": everybody, "status": "removed"}, ["removed"]),
        ({"list_ids": lists}, ["active", "old", "left"]),
        ({"list_ids": lists, "status": "active"}, ["active", "old"]),
        ({"list_ids": lists, "exclude": exclude}, ["old", "left"]),
        ({"list_ids": lists, "new_subscriber": True}, ["active"]),
        ({"list_ids": lists, "new_subscriber": True, "exclude": exclude}, []),
        ({"tag_ids": [tag]}, ["active", "left"]),
        ({"new_subscriber": True}, ["active"]),
        ({"new_subscriber": True, "exclude": exclude}, []),
        ({"exclude": exclude}, ["old", "left", "held"]),
    ]
    for body, expected in cases:
        assert [row["first_name"] for row in await rows(front, **body)] == expected, body


async def test_all_columns_by_default(front: Front) -> None:
    """Contract 3.10 and 3.15: the table's order, then `cf:{name}` of each custom field; [] is as if it was left out."""
    for label in ("Shirt size", "joined"):
        await front.post("/v3/contact_custom_fields", {"label": label, "type": "string"})
    await front.desk.make_contacts(1)
    defaults: list[dict[str, Any]] = [{}, {"fields": []}, {"fields": None}]
    for body in defaults:
        [row] = await rows(front, **body)
        assert list(row) == [*COLUMNS, "cf:Shirt_size", "cf:joined"]


async def test_several_values_in_one_cell(front: Front) -> None:
    """Contract 3.15: lists and tags by name, notes by content, each joined with `, `."""
    lists, tags = [await front.new_list(name) for name in ("B", "A")], [await front.new_tag(name) for name in "dc"]
    notes = [{"content": "first"}, {"content": "second"}]
    await new_contact(front, list_memberships=lists, taggings=tags, notes=notes)
    assert await rows(front, fields=["tag", "notes", "email_lists"]) == [
        {"tag": "d, c", "notes": "second, first", "email_lists": "B, A"}
    ]


@pytest.mark.parametrize("path", [f"/v3/contact_exports/{UUID(int=1)}", "/v3/contact_exports/x"])
async def test_refusals_are_json_whatever_is_accepted(front: Front, path: str) -> None:
    """Contract 3.15 and 1.3: errors are JSON, although the caller accepts only `text/csv`."""
    assert await front.refused("GET", path, 404, headers={"Accept": "text/csv"})
    assert await front.as_(None).refused("GET", path, 401, headers={"Accept": "text/csv"})


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"segment_id": 1, "exclude": {"contact_ids": [str(uuid4())]}}, "segment_id and exclude cannot be combined"),
        ({"segment_id": 1, "new_subscriber": True}, "segment_id and new_subscriber cannot be combined"),
        ({"contact_ids": [str(uuid4())], "list_ids": [str(uuid4())]}, "contact_ids and list_ids cannot be combined"),
        ({"new_subscriber": True, "status": "active"}, "new_subscriber and status cannot be combined"),
        ({"status": "active", "exclude": {"contact_ids": [str(uuid4())]}}, "status and exclude cannot be combined"),
        ({"segment_ids": [1]}, "segment_ids is not known here"),
        ({"fields": ["first_name", "email_optout_reason"]}, "fields must hold email_address, too"),
    ],
)
async def test_what_cannot_be_combined(front: Front, body: dict[str, Any], message: str) -> None:
    """Contract 3.10: 400, in words that tell what; nothing is queued."""
    assert (await front.refused("POST", f"/v3/activities/{KIND}", 400, json=body)).startswith(message)
    assert await front.get("/v3/activities") == {"activities": []}
