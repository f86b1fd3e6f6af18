"""Pages of contacts over HTTP: whom a query finds (contract v3.md 2.1.8)."""

import json
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from tests.e2e.api.contacts import KIM, delete, new_contact
from tests.e2e.api.front import Front

PERMISSIONS = ("implicit", "explicit", "pending_confirmation", "temp_hold", "not_set", "unsubscribed")


async def ids(front: Front, query: str) -> set[str]:
    """The ids on all pages, after a check that they are counted and nobody is there twice."""
    path = f"/v3/contacts?limit=3&{query}"
    found = [each["contact_id"] for each in await front.pages(path, "contacts")]
    assert len(found) == len(set(found))
    if "segment_id" not in query:
        assert (await front.get(f"{path}&include_count=1"))["contacts_count"] == len(found)
    return set(found)


class People:
    """Two dozen contacts of every kind, and who of them meets a condition."""

    def __init__(self, lists: list[str], tags: list[str], people: list[dict[str, Any]]) -> None:
        self.lists, self.tags, self.all = lists, tags, people

    def those(self, condition: Any) -> set[str]:
        return {person["contact_id"] for person in self.all if condition(person)}

    def living(self, condition: Any) -> set[str]:
        return self.those(lambda person: not person["deleted"] and condition(person))


@pytest_asyncio.fixture
async def people(front: Front) -> People:
    """The n-th has been made, changed and, if it was, opted out on the n-th day of 2026."""
    lists = [await front.new_list(f"list {number}") for number in range(2)]
    tags = [await front.new_tag(f"tag {number}") for number in range(2)]
    made = [await _person(front, number, lists, tags) for number in range(24)]
    for number, person in enumerate(made, 1):
        person["time"] = f"2026-01-{number:02}T00:00:00+00:00"
        await front.desk.owner.execute(
            "UPDATE contact SET created_at = $2::text::timestamptz, updated_at = $2::text::timestamptz,"
            " opt_out_date = CASE WHEN opt_out_date IS NOT NULL THEN $2::text::timestamptz END WHERE contact_id = $1",
            *(person["contact_id"], person["time"]),
        )
    return People(lists, tags, made)


async def _person(front: Front, number: int, lists: list[str], tags: list[str]) -> dict[str, Any]:
    permission = PERMISSIONS[number % 6]
    made = await new_contact(
        front,
        email_address={"address": f"c{number}@example.org", "permission_to_send": permission},
        list_memberships=[lists[number % 2]] if number % 3 == 0 and permission != "unsubscribed" else [],
        taggings=[tags[number % 2]] if number % 4 == 0 else [],
    )
    if number % 5 == 0:
        await delete(front, made["contact_id"])
    return {**made, "permission": permission, "deleted": number % 5 == 0}


async def test_by_status_and_address(front: Front, people: People) -> None:
    """Contract 2.1.8, 6.6: of several values in one filter any counts; by default everybody who is not deleted."""
    living = people.living
    assert await ids(front, "") == living(lambda _: True)
    assert await ids(front, "status=all") == people.those(lambda _: True)
    assert await ids(front, "status=deleted") == people.those(lambda person: person["deleted"])
    assert await ids(front, "status=active") == living(lambda p: p["permission"] in ("implicit", "explicit"))
    for status in PERMISSIONS[2:]:
        assert await ids(front, f"status={status}") == living(lambda p, status=status: p["permission"] == status)
    several = living(lambda p: p["permission"] in ("temp_hold", "unsubscribed")) | people.those(lambda p: p["deleted"])
    assert await ids(front, "status=temp_hold,%20unsubscribed,deleted") == several
    assert await ids(front, "email=C7@Example.ORG") == living(lambda p: p is people.all[7])


async def test_by_list_and_tag(front: Front, people: People) -> None:
    """Contract 2.1.8, 6.14: several filters are all met, of several values in one any."""
    on = [people.living(lambda p, each=each: each in p["list_memberships"]) for each in people.lists]
    tagged = [people.living(lambda p, each=each: each in p["taggings"]) for each in people.tags]
    first, second = people.lists
    assert await ids(front, f"lists={first}") == on[0]
    assert await ids(front, f"lists={first},{second.upper()}") == on[0] | on[1]
    assert await ids(front, f"lists={first}&tags={','.join(people.tags)}") == on[0] & (tagged[0] | tagged[1])
    assert await ids(front, f"lists={uuid4()}") == set()
    together = f"status=active&lists={first}&tags={people.tags[0]}&updated_after=2026-01-02"
    assert await ids(front, together) == on[0] & tagged[0] & people.living(
        lambda p: p["permission"] in ("implicit", "explicit") and p["time"] > "2026-01-02T00:00:00+00:00"
    )


async def test_by_time(front: Front, people: People) -> None:
    """Contract 2.1.8, 1.5: strictly after and before; contradicting each other they are nobody's."""
    day, tenth = "2026-01-10", "2026-01-10T00:00:00+00:00"
    assert await ids(front, f"updated_after={day}") == people.living(lambda p: p["time"] > tenth)
    assert await ids(front, f"updated_before={day}") == people.living(lambda p: p["time"] < tenth)
    between = people.living(lambda p: "2026-01-04T00:00:00+00:00" < p["time"] < tenth)
    assert await ids(front, f"created_after=2026-01-04T00:00:00Z&created_before={day}") == between
    opted_out = people.those(lambda p: p["deleted"] or p["permission"] == "unsubscribed")
    later = people.those(lambda p: p["time"] > tenth)
    assert await ids(front, f"status=all&optout_after={day}") == opted_out & later
    earlier = people.those(lambda p: p["time"] < tenth)
    assert await ids(front, f"status=all&optout_before={day}") == opted_out & earlier
    assert await ids(front, f"created_after={day}&created_before=2026-01-02") == set()
    assert await ids(front, f"created_after={day}&created_before={day}") == set()


@pytest.mark.parametrize(
    "query",
    [
        "status=living",
        "include=everything",
        "include=notes,",
        "lists=Array",
        "lists=" + ",".join(str(uuid4()) for _ in range(26)),
        "tags=" + ",".join(str(uuid4()) for _ in range(51)),
        "limit=0",
        "limit=501",
        "limit=a",
        "segment_id=a",
        "segment_id=1&status=all",
        "segment_id=1&updated_after=2026-01-01",
        "segment_id=1&sms_status=all",
        "include_count=2",
        "updated_after=yesterday",
        "sms_status=deaf",
        "cursor=abc",
        "email=%00",
    ],
)
async def test_queries_that_are_refused(front: Front, query: str) -> None:
    """Contract 2.1.8, 1.5, 1.6, 1.7: 400, never another set of contacts."""
    await front.refused("GET", f"/v3/contacts?{query}", 400)


async def test_pages_stay_whole_while_contacts_come_and_go(front: Front) -> None:
    """Contract 1.7, 6.15, 6.16: a stable order, and cursors that hold all filters."""
    list_id = await front.new_list("a list")
    made = [await new_contact(front, email=f"c{n}@example.org", list_memberships=[list_id]) for n in range(6)]
    page = await front.get(f"/v3/contacts?limit=2&lists={list_id}&include=list_memberships&include_count=true")
    assert [each["contact_id"] for each in page["contacts"]] == [each["contact_id"] for each in made[:2]]
    await delete(front, made[1]["contact_id"])
    await delete(front, made[2]["contact_id"])
    late = await new_contact(front, email="late@example.org", list_memberships=[list_id])
    await new_contact(front, email="elsewhere@example.org")
    rest = []
    while "_links" in page:
        page = await front.get(page["_links"]["next"]["href"])
        rest += page["contacts"]
        assert page["contacts_count"] == 5
    assert [each["contact_id"] for each in rest] == [each["contact_id"] for each in (*made[3:], late)]
    assert all(each["list_memberships"] == [list_id] for each in rest)


async def test_a_segment_and_its_cursor(front: Front) -> None:
    """Contract 2.1.8: `segment_id` may stand beside `limit` and `cursor`."""
    made = [await new_contact(front, email=f"c{number}@example.org", first_name="Kim") for number in range(3)]
    rule = {"source": "contact", "field": "first_name", "op": "eq", "value": "kim"}
    criteria = {"version": "1.0.0", "criteria": {"type": "and", "group": [rule]}}
    segment = await front.post("/v3/segments", {"name": "S", "segment_criteria": json.dumps(criteria)})
    path = f"/v3/contacts?segment_id={segment['segment_id']}&limit=2"
    first = await front.get(path)
    cursor = first["_links"]["next"]["href"].partition("cursor=")[2]
    second = await front.get(f"{path}&cursor={cursor}")
    assert [each["contact_id"] for each in first["contacts"] + second["contacts"]] == [i["contact_id"] for i in made]
    await front.refused("GET", f"{path}&email={KIM}", 400)


async def test_by_text_message_consent(front: Front) -> None:
    """Contract 2.1.8, 2.1.7: by what the channel's consents say; `not_set` are those without any."""
    made = {}
    for permission in ("explicit", "opt_out", "pending_confirmation"):
        consent = {"sms_consent_permission": permission, "consent_type": "promotional_sms"}
        channel = {"full_sms_address": "+14155552671", "sms_channel_consents": [consent]}
        made[permission] = (await new_contact(front, email=f"{permission}@example.org", sms_channel=channel))[
            "contact_id"
        ]
    nobody = (await new_contact(front))["contact_id"]
    assert await ids(front, "sms_status=explicit") == {made["explicit"]}
    assert await ids(front, "sms_status=unsubscribed") == {made["opt_out"]}
    assert await ids(front, "sms_status=pending_confirmation") == {made["pending_confirmation"]}
    assert await ids(front, "sms_status=not_set") == {nobody}
    assert await ids(front, "sms_status=all") == {*made.values(), nobody}
    assert await ids(front, "sms_status=explicit,%20unsubscribed") == {made["explicit"], made["opt_out"]}
    await delete(front, made["explicit"])
    assert await ids(front, "sms_status=explicit") == set()


async def test_an_address_is_found_exactly(front: Front) -> None:
    """Contract 2.1.8, 2.1.2: the whole address, without case."""
    made = await new_contact(front, email="kim.lee@example.org")
    assert await ids(front, "email=KIM.LEE@example.org") == {made["contact_id"]}
    for other in ("kim", "kim.lee", "im.lee@example.org", "kim.lee@example.or", "kim_lee@example.org", "%25"):
        assert await ids(front, f"email={other}") == set()


async def test_as_many_lists_and_tags_as_may_be_asked_for(front: Front) -> None:
    """Contract 2.1.8, 1.9: 25 lists and 50 tags, of which any will do."""
    list_id, tag_id = await front.new_list("L"), await front.new_tag("T")
    made = await new_contact(front, list_memberships=[list_id], taggings=[tag_id])
    lists = ",".join([*(str(uuid4()) for _ in range(24)), list_id])
    tags = ",".join([*(str(uuid4()) for _ in range(49)), tag_id])
    assert await ids(front, f"lists={lists}&tags={tags}") == {made["contact_id"]}


async def test_what_is_counted(front: Front) -> None:
    """Contract 1.7, 2.1.8, 6.30: all that the filters match, deleted ones too, and only when it is asked for."""
    made = [await new_contact(front, email=f"c{number}@example.org") for number in range(4)]
    await delete(front, made[0]["contact_id"])
    for query, count in (
        ("", 3),
        ("status=all", 4),
        ("status=deleted", 1),
        ("email=c2@example.org", 1),
        ("email=x", 0),
    ):
        assert (await front.get(f"/v3/contacts?{query}&limit=1&include_count=true"))["contacts_count"] == count
        for without in ("", "include_count=0", "include_count=false"):
            assert "contacts_count" not in await front.get(f"/v3/contacts?{query}&{without}")


async def test_contacts_of_a_segment_come_at_once(front: Front) -> None:
    """Contract 2.0, 2.1.8: 200 and never 202, so no `status`; what else is asked for beside `segment_id` is 400."""
    await new_contact(front, first_name="Kim")
    rule = {"source": "contact", "field": "first_name", "op": "eq", "value": "kim"}
    criteria = {"version": "1.0.0", "criteria": {"type": "and", "group": [rule]}}
    segment = await front.post("/v3/segments", {"name": "S", "segment_criteria": json.dumps(criteria)})
    path = f"/v3/contacts?segment_id={segment['segment_id']}"
    assert set(await front.get(path)) == {"contacts"}
    assert await front.get(f"{path}&limit=50&include_count=0") == await front.get(path)
    others = ("status=all", f"email={KIM}", f"lists={uuid4()}", f"tags={uuid4()}", "include=notes", "include_count=1")
    moments = [f"{what}_{when}=2026-01-01" for what in ("updated", "created", "optout") for when in ("after", "before")]
    for other in (*others, *moments, "sms_status=explicit"):
        assert await front.refused("GET", f"{path}&{other}", 400) == "segment_id may be combined with limit only"
