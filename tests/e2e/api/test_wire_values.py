"""Ids, times and types of values, in all that is asked and answered (contract v3.md 1.4, 1.5 and 1.6)."""

import json
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.api.contacts import KIM, SIGN_UP, SUBS, changed, delete, new_contact, sign_up
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
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")
#: What the properties are called that hold times.
TIMES = re.compile(r".*_at|.*_date")
ARRAYS = {
    *("contacts", "lists", "tags", "custom_fields", "segments", "activities", "xrefs", "activity_errors"),
    *(set(SUBS.split(",")) - {"sms_channel"}),
    "sms_channel_consents",
}
OBJECTS = {"email_address", "sms_channel", "status", "_links", "next", "self", "results"}


def walked(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in an answer, by the name of its property."""
    yield name, value
    if isinstance(value, dict):
        for inner_name, inner in value.items():
            yield from walked(inner, inner_name)
    if isinstance(value, list):
        for item in value:
            yield from walked(item, f"{name}[]")


@pytest_asyncio.fixture
async def answers(front: Front) -> list[Any]:
    """Answers of every shape, of things that have all that they can have, and of others that have nothing."""
    list_id, tag_id = await front.new_list("L", description="about"), await front.new_tag("T")
    field = await front.post("/v3/contact_custom_fields", {"label": "Shoe size", "type": "string"})
    segment = await front.post("/v3/segments", {"name": "S", "segment_criteria": CRITERIA})
    consents = [
        {"sms_consent_permission": permission, "consent_type": "promotional_sms"}
        for permission in ("explicit", "opt_out")
    ]
    made = await new_contact(
        front,
        first_name="Kim",
        list_memberships=[list_id],
        taggings=[tag_id],
        custom_fields=[{"custom_field_id": field["custom_field_id"], "value": "44"}],
        phone_numbers=[{"phone_number": "1", "kind": "home"}],
        street_addresses=[{"kind": "home", "city": "Oslo"}],
        notes=[{"content": "x"}],
        sms_channel={"full_sms_address": "+14155552671", "sms_channel_consents": consents},
    )
    gone = await new_contact(front, email="gone@example.org")
    await delete(front, gone["contact_id"])
    await front.post("/v3/contacts", {"create_source": "Account", "last_name": "Nobody"})
    body = {"source": {"list_ids": [list_id]}, "list_ids": [await front.new_list("M")]}
    queued = await front.submit("add_list_memberships", body)
    exported = await front.submit("contact_exports", {})
    deleted = [(await front.request("DELETE", f"/v3/contact_lists/{await front.new_list('gone')}")).body]
    deleted.append((await front.request("DELETE", f"/v3/contact_tags/{await front.new_tag('gone')}")).body)
    await front.work()
    paths = (
        f"contacts?status=all&include={SUBS}&limit=2",
        f"contacts?status=all&include={SUBS}",
        "contacts/contact_id_xrefs?sequence_ids=1,2,3",
        f"contacts/{gone['contact_id']}",
        "contact_lists?status=all&include_count=1&include_membership_count=all",
        "contact_lists/list_id_xrefs?sequence_ids=1,2,3",
        "contact_tags?include_count=1",
        "contact_custom_fields",
        "segments",
        f"segments/{segment['segment_id']}",
        "activities",
        "contact_lists?name=nobody",
    )
    signed_up = await sign_up(front, list_id)
    return [made, queued, exported, *deleted, signed_up, *[await front.get(f"/v3/{path}") for path in paths]]


async def test_ids_and_times(answers: list[Any]) -> None:
    """Contract 1.4, 1.5, 1.6: ids in lower case; numbers of segments; one style of times, never an empty one."""
    found = [each for answer in answers for each in walked(answer)]
    names = {name for name, _ in found}
    ids = {name for name in names if name.endswith("_id")} - {"segment_id", "sequence_id"}
    of_entries = {"phone_number_id", "street_address_id", "sms_channel_id", "note_id"}
    assert ids == {"contact_id", "list_id", "tag_id", "custom_field_id", "activity_id", *of_entries}
    for name, value in found:
        if name in ids or name in ("list_memberships[]", "taggings[]"):
            assert ID.fullmatch(value), name
        elif name == "segment_id":
            assert type(value) is int
            assert 0 < value < 2**31
        elif name == "sequence_id":
            assert re.fullmatch(r"[1-9][0-9]*", value)
        elif TIMES.fullmatch(name):
            assert TIME.fullmatch(value) or (name == "deleted_at" and re.fullmatch(r"\d{4}-\d\d-\d\d", value)), name
    assert {"opt_in_date", "opt_out_date", "edited_at", "completed_at", "started_at"} <= names


async def test_what_a_deletion_is_dated(answers: list[Any]) -> None:
    """Contract 1.5: of a contact a date, of a list a date-time."""
    contacts = [each for answer in answers for each in answer.get("contacts", [answer]) if "contact_id" in each]
    assert {len(each["deleted_at"]) for each in contacts if "deleted_at" in each} == {10}
    lists = [each for answer in answers for each in answer.get("lists", ())]
    assert {len(each["deleted_at"]) for each in lists if "deleted_at" in each} == {25}


async def test_arrays_are_arrays_and_objects_are_objects(answers: list[Any]) -> None:
    """Contract 1.6: never a scalar or null in their place, `[]` when they are empty; an empty status is `{}`."""
    found = [each for answer in answers for each in walked(answer)]
    assert all(value is not None for _, value in found)
    assert {name for name, value in found if isinstance(value, list)} == ARRAYS
    assert {name for name, value in found if isinstance(value, dict) and name and "[]" not in name} == OBJECTS
    for name, value in found:
        assert isinstance(value, list) is (name in ARRAYS), name
        assert not (name in OBJECTS and not isinstance(value, dict)), name
    empty = {name for name, value in found if value == []}
    assert {"lists", "custom_fields", "phone_numbers", "taggings", "notes", "activity_errors"} <= empty
    assert ("status", {}) in found


async def test_ids_of_any_case_wherever_they_stand(front: Front) -> None:
    """Contract 1.4: in paths, queries and bodies."""
    list_id, tag_id = await front.new_list("L"), await front.new_tag("T")
    field = await front.post("/v3/contact_custom_fields", {"label": "F", "type": "string"})
    value = {"custom_field_id": field["custom_field_id"].upper(), "value": "x"}
    made = await new_contact(front, list_memberships=[list_id.upper()], custom_fields=[value])
    contact_id = made["contact_id"]
    assert made["custom_fields"] == [{**value, "custom_field_id": field["custom_field_id"]}]
    body = {"source": {"contact_ids": [contact_id.upper()]}, "tag_ids": [tag_id.upper()]}
    activity = await front.finished("contacts_taggings_add", body)
    for path, name, id_ in (
        ("contacts", "contact_id", contact_id),
        ("contact_lists", "list_id", list_id),
        ("contact_tags", "tag_id", tag_id),
        ("contact_custom_fields", "custom_field_id", field["custom_field_id"]),
        ("activities", "activity_id", activity["activity_id"]),
    ):
        assert (await front.get(f"/v3/{path}/{id_.upper()}"))[name] == id_
    for query in (f"lists={list_id.upper()}", f"tags={tag_id.upper()}"):
        assert [each["contact_id"] for each in (await front.get(f"/v3/contacts?{query}"))["contacts"]] == [contact_id]


@pytest.mark.parametrize(
    "spelling",
    [
        *("03/04/2006", "3/4/2006", "2006/03/04", "2006/3/4", "2006-03-04", "2006-3-4", "3-4-2006", "3-04-2006"),
        "03-04-2006",
    ],
)
async def test_nine_forms_in_and_one_out(front: Front, spelling: str) -> None:
    """Contract 1.5: an anniversary may be written alike everywhere."""
    made = await new_contact(front, anniversary=spelling)
    assert made["anniversary"] == "2006-03-04"
    path, list_id = f"/v3/contacts/{made['contact_id']}", await front.new_list("L")
    assert (await changed(front, made["contact_id"], anniversary=spelling))["anniversary"] == "2006-03-04"
    for given in (
        front.post(SIGN_UP, {"email_address": KIM, "list_memberships": [list_id], "anniversary": spelling}, 200),
        front.finished(
            "contacts_json_import", {"import_data": [{"email": KIM, "anniversary": spelling}], "list_ids": [list_id]}
        ),
    ):
        await changed(front, made["contact_id"])
        assert "anniversary" not in await front.get(path)
        await given
        assert (await front.get(path))["anniversary"] == "2006-03-04"


IMPOSSIBLE: tuple[dict[str, Any], ...] = (
    {"anniversary": "2005-02-29"},
    {"anniversary": "13/1/2006"},
    {"anniversary": "2006-00-10"},
    {"birthday_month": 2, "birthday_day": 30},
    {"birthday_month": 4, "birthday_day": 31},
    {"birthday_month": 0, "birthday_day": 1},
    {"birthday_month": 13, "birthday_day": 1},
    {"birthday_month": 1, "birthday_day": 0},
    {"birthday_month": 1, "birthday_day": 32},
)


@pytest.mark.parametrize("wrong", [*IMPOSSIBLE, {"birthday_month": 1}, {"birthday_day": 1}])
async def test_days_that_no_calendar_has(front: Front, wrong: dict[str, Any]) -> None:
    """Contract 1.5: 400 for single contacts, a correctable error of a row in imports; month and day need each other."""
    made, list_id = await new_contact(front), await front.new_list("L")
    bodies = (
        ("POST", "/v3/contacts", {"create_source": "Account", "first_name": "Kim"}),
        ("PUT", f"/v3/contacts/{made['contact_id']}", {"update_source": "Account"}),
        ("POST", SIGN_UP, {"email_address": KIM, "list_memberships": [list_id]}),
    )
    for method, path, body in bodies:
        await front.refused(method, path, 400, json=body | wrong)
    row = {"email": "new@example.org", **{name: str(value) for name, value in wrong.items()}}
    done = await front.finished("contacts_json_import", {"import_data": [row], "list_ids": [list_id]})
    assert (done["status"]["correctable_count"], done["status"]["person_count"]) == (1, 0)


async def test_the_last_days_there_are(front: Front) -> None:
    """Contract 1.5: 1 to 12, and 1 to 31 as far as the month has them."""
    for number, (month, day) in enumerate(((1, 31), (2, 29), (4, 30), (12, 1))):
        made = await new_contact(front, email=f"c{number}@example.org", birthday_month=month, birthday_day=day)
        assert (made["birthday_month"], made["birthday_day"]) == (month, day)


async def test_a_bare_date_is_its_first_moment(front: Front) -> None:
    """Contract 1.5: filters take dates and date-times; a date is 00:00:00 UTC of that day."""
    made = await new_contact(front)
    day = "2026-03-04"
    midnight = datetime.fromisoformat(f"{day}T00:00:00+00:00")
    for second, later in ((0, False), (1, True), (-1, False)):
        at = midnight + timedelta(seconds=second)
        sql = "UPDATE contact SET created_at = $2 WHERE contact_id = $1"
        await front.desk.owner.execute(sql, made["contact_id"], at)
        for spelling in (day, f"{day}T00:00:00Z", f"{day}T01:00:00%2B01:00", f"{day}T00:00:00.000Z"):
            assert bool((await front.get(f"/v3/contacts?created_after={spelling}"))["contacts"]) is later, spelling
        earlier = bool((await front.get(f"/v3/contacts?created_before={day}"))["contacts"])
        assert earlier is (second < 0)


async def test_what_is_named_twice_is_one(front: Front) -> None:
    """Contract 1.6: in every array of ids; the maximum is of what was sent."""
    list_id, tag_id = await front.new_list("L"), await front.new_tag("T")
    both = [list_id, list_id.upper(), list_id]
    made = await new_contact(front, list_memberships=both, taggings=[tag_id, tag_id])
    assert (made["list_memberships"], made["taggings"]) == ([list_id], [tag_id])
    contact_id = made["contact_id"]
    shown = await changed(front, contact_id, list_memberships=both, taggings=[tag_id] * 50)
    assert (shown["list_memberships"], shown["taggings"]) == ([list_id], [tag_id])
    assert (await sign_up(front, *both))["contact_id"] == contact_id
    assert len((await front.get(f"/v3/contacts?lists={list_id},{list_id}&tags={tag_id},{tag_id}"))["contacts"]) == 1
    ids = {"source": {"contact_ids": [contact_id] * 3}, "list_ids": [await front.new_list("M")] * 2}
    done = await front.finished("add_list_memberships", ids)
    assert done["status"] == {"items_total_count": 1, "items_completed_count": 1, "list_count": 1}
    assert done["changed_count"] == 1
    gone = {"address": KIM, "permission_to_send": "unsubscribed"}
    await changed(front, contact_id, update_source="Contact", email_address=gone)
    again = await front.put(f"/v3/contacts/resubscribe/{contact_id}", {"list_ids": both})
    assert again["list_memberships"].count(list_id) == 1


async def test_what_is_unknown_is_ignored_unless_it_widens_a_job(front: Front) -> None:
    """Contract 1.6: in bodies of resources; but not inside a bulk `source`, where it may be a typo."""
    list_id = await front.new_list("L")
    more: dict[str, Any] = {"unknown": [None, {"a": 1}], "id": 3}
    made = await new_contact(front, **more, notes=[{"content": "x", **more}])
    path = f"/v3/contacts/{made['contact_id']}"
    await front.put(path, {"update_source": "Account", "email_address": {"address": KIM, **more}, **more})
    await sign_up(front, list_id, **more, street_address={"kind": "home", **more})
    for resource, body in (
        ("contact_lists", {"name": "M"}),
        ("contact_tags", {"name": "M"}),
        ("contact_custom_fields", {"label": "M", "type": "date"}),
        ("segments", {"name": "M", "segment_criteria": CRITERIA}),
    ):
        made = await front.post(f"/v3/{resource}", body | more)
        assert not set(more) & set(made)
    await front.get("/v3/contacts?unknown=1")
    for source in ({"list_ids": [list_id], "lists": [list_id]}, {"all_active_contacts": True, "unknown": None}):
        job = {"source": source, "list_ids": [list_id]}
        assert "is not known here" in await front.refused("POST", "/v3/activities/add_list_memberships", 400, json=job)
    assert (await front.get("/v3/activities"))["activities"] == []


@pytest.mark.parametrize(("query", "counts"), [("true", True), ("1", True), ("false", False), ("0", False)])
async def test_booleans_of_queries(front: Front, query: str, counts: bool) -> None:
    """Contract 1.6 and 1.10, 1: in every query that has one."""
    tag_id = await front.new_tag("T")
    for path, name in (("contacts", "contacts_count"), ("contact_lists", "lists_count")):
        assert (name in await front.get(f"/v3/{path}?include_count={query}")) is counts
    assert ("contacts_count" in (await front.get(f"/v3/contact_tags?include_count={query}"))["tags"][0]) is counts
    assert ("contacts_count" in await front.get(f"/v3/contact_tags/{tag_id}?include_count={query}")) is counts


@pytest.mark.parametrize("said", ["true", "false", True, False])
async def test_booleans_of_tagging_bodies(front: Front, said: object) -> None:
    """Contract 1.6: guide samples write them as text; `false` chooses nobody (1.10, 3)."""
    await front.desk.make_contacts(2)
    tag_id = await front.new_tag("T")
    for kind in ("contacts_taggings_add", "contacts_taggings_remove"):
        body = {"source": {"all_active_contacts": said}, "tag_ids": [tag_id]}
        answer = await front.request("POST", f"/v3/activities/{kind}", json=body)
        assert answer.status == (201 if said in ("true", True) else 400)
