"""Whom bulk requests mean, what they change and what they refuse, over HTTP (contract v3.md 3.3 to 3.7)."""

import json
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.e2e.api.front import Front

EVERYBODY = {"all_active_contacts": True}
#: By kind: the ways of its source, and the name of its targets.
KINDS: dict[str, tuple[set[str], str]] = {
    "add_list_memberships": (
        {
            "contact_ids",
            "list_ids",
            "tag_ids",
            "all_active_contacts",
            "new_subscriber",
            "engagement_level",
            "segment_id",
        },
        "list_ids",
    ),
    "remove_list_memberships": (
        {"contact_ids", "list_ids", "tag_ids", "all_active_contacts", "engagement_level"},
        "list_ids",
    ),
    "contacts_taggings_add": (
        {"contact_ids", "list_ids", "tag_ids", "all_active_contacts", "new_subscriber"},
        "tag_ids",
    ),
    "contacts_taggings_remove": (
        {"contact_ids", "list_ids", "tag_ids", "all_active_contacts", "new_subscriber"},
        "tag_ids",
    ),
}
WAYS = [(kind, way) for kind, (ways, _) in KINDS.items() for way in sorted(ways)]


async def new_target(front: Front, kind: str) -> str:
    return await (front.new_list if KINDS[kind][1] == "list_ids" else front.new_tag)(f"target {uuid4()}")


async def members(front: Front, target: str, kind: str) -> set[str]:
    name = "lists" if KINDS[kind][1] == "list_ids" else "tags"
    found = await front.pages(f"/v3/contacts?{name}={target}&status=all", "contacts")
    return {each["contact_id"] for each in found}


async def done(front: Front, kind: str, source: dict[str, Any], *targets: str, **more: Any) -> Any:
    ended = await front.finished(kind, {"source": source, KINDS[kind][1]: targets, **more})
    assert ended["state"] == "completed"
    return ended


async def put_in(front: Front, target: str, kind: str, contact_ids: list[str]) -> None:
    """Members of a target: on the list, or with the tag."""
    adding = "add_list_memberships" if KINDS[kind][1] == "list_ids" else "contacts_taggings_add"
    await done(front, adding, {"contact_ids": contact_ids}, target)


async def people_by_every_way(front: Front) -> tuple[list[str], dict[str, Any]]:
    """Four active contacts, and by every way a source that means the first two, or all of them."""
    people = [str(each) for each in await front.desk.make_contacts(4)]
    chosen, named, tag = people[:2], await front.new_list("from"), await front.new_tag("from")
    await put_in(front, named, "add_list_memberships", chosen)
    await put_in(front, tag, "contacts_taggings_add", chosen)
    await front.finished("contacts_engagement_set", {"source": {"contact_ids": chosen}, "engagement_level": "high"})
    await front.desk.owner.execute(
        "UPDATE contact SET opt_in_date = now() - interval '31 days' WHERE account_id = $1 AND contact_no > 2",
        front.desk.account_id,
    )
    rules = [
        {"source": "contact", "field": "email_address", "op": "starts-with", "value": f"c{number}@"}
        for number in (1, 2)
    ]
    segment = await front.post("/v3/segments", {"name": "S", "segment_criteria": any_of(*rules)})
    return people, {
        "contact_ids": chosen,
        "list_ids": [named],
        "tag_ids": [tag],
        "all_active_contacts": True,
        "new_subscriber": True,
        "engagement_level": "high",
        "segment_id": segment["segment_id"],
    }


def any_of(*rules: Any) -> str:

    group = {"type": "or", "group": rules}
    return json.dumps({"version": "1.0.0", "criteria": {"type": "and", "group": [group]}})


@pytest.mark.parametrize(("kind", "way"), WAYS)
async def test_each_way_means_its_contacts(front: Front, kind: str, way: str) -> None:
    """Contract 3.3, 3.4, 3.5 and 3.6: whom each source of each kind chooses, and what becomes of them."""
    people, ways = await people_by_every_way(front)
    chosen = set(people if way == "all_active_contacts" else people[:2])
    target = await new_target(front, kind)
    if kind.endswith(("add", "add_list_memberships")):
        ended = await done(front, kind, {way: ways[way]}, target)
        assert await members(front, target, kind) == chosen
    else:
        await put_in(front, target, kind, people)
        ended = await done(front, kind, {way: ways[way]}, target)
        assert await members(front, target, kind) == set(people) - chosen
    assert ended["changed_count"] == ended["status"]["items_total_count"] == len(chosen)


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        *(("add_list_memberships", way) for way in ("all_active_contacts", "list_ids", "new_subscriber")),
        *(("remove_list_memberships", way) for way in ("all_active_contacts", "list_ids")),
        *(("contacts_taggings_add", way) for way in ("all_active_contacts", "list_ids")),
        *(("contacts_taggings_remove", way) for way in ("all_active_contacts", "list_ids")),
        # Beyond the contract (issue 2).
        *(("add_list_memberships", way) for way in ("tag_ids", "segment_id", "engagement_level")),
    ],
)
async def test_who_is_excluded_is_not_even_counted(front: Front, kind: str, way: str) -> None:
    """Contract 3.3, 3.4, 3.5, 3.6 and 5.2: `exclude` stands beside `source`; unknown ids in it are ignored."""
    people, ways = await people_by_every_way(front)
    chosen = people if way == "all_active_contacts" else people[:2]
    target = await new_target(front, kind)
    await put_in(front, target, kind, people)
    exclude = {"contact_ids": [people[0], people[0].upper(), str(uuid4())]}
    ended = await done(front, kind, {way: ways[way]}, target, exclude=exclude)
    assert ended["status"]["items_total_count"] == ended["status"]["items_completed_count"] == len(chosen) - 1
    assert ended["activity_errors"] == []
    assert people[0] in await members(front, target, kind)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_is_so_already_stays_so(front: Front, kind: str) -> None:
    """Contract 3.4, 3.5 and 3.6: no change, counted as processed."""
    people = [str(each) for each in await front.desk.make_contacts(3)]
    target = await new_target(front, kind)
    expected = 3 if kind in ("add_list_memberships", "contacts_taggings_add") else 0
    if not expected:
        await put_in(front, target, kind, people)
    for changed in (3, 0):
        ended = await done(front, kind, EVERYBODY, target)
        assert (ended["changed_count"], ended["activity_errors"]) == (changed, [])
        assert ended["status"]["items_total_count"] == ended["status"]["items_completed_count"] == 3
        assert len(await members(front, target, kind)) == expected


@pytest.mark.parametrize("kind", KINDS)
async def test_of_several_lists_everybody_is_taken_once(front: Front, kind: str) -> None:
    """Contract 3.3: the union of the members, each contact once."""
    people = [str(each) for each in await front.desk.make_contacts(3)]
    first, second = await front.new_list("1"), await front.new_list("2")
    await put_in(front, first, "add_list_memberships", people[:2])
    await put_in(front, second, "add_list_memberships", people[1:])
    ended = await done(front, kind, {"list_ids": [first, second, first]}, await new_target(front, kind))
    assert ended["status"]["items_total_count"] == 3


async def test_who_cannot_join_a_list_is_told(front: Front) -> None:
    """Contract 3.4: members of a source list that have unsubscribed are skipped, one string each; tags they get."""
    people, source = await front.desk.make_contacts(3), await front.new_list("from")
    await front.add(people, source)
    [left] = people[:1]
    email = {"address": "c1@example.org", "permission_to_send": "unsubscribed"}
    await front.put(f"/v3/contacts/{left}", {"update_source": "Contact", "email_address": email})
    target = await front.new_list("to")
    ended = await done(front, "add_list_memberships", {"list_ids": [source]}, target)
    assert ended["activity_errors"] == [f"{left}: the contact has unsubscribed"]
    assert ended["status"] == {"items_total_count": 3, "items_completed_count": 3, "list_count": 1}
    assert await members(front, target, "add_list_memberships") == {str(each) for each in people[1:]}
    tag = await front.new_tag("T")
    ended = await done(front, "contacts_taggings_add", {"list_ids": [source]}, tag)
    assert (ended["changed_count"], ended["activity_errors"]) == (3, [])


async def test_only_active_contacts_are_at_a_level(front: Front) -> None:
    """Contract 3.14: a level that was stored for somebody who is not active any more selects nobody."""
    people = [str(each) for each in await front.desk.make_contacts(3)]
    for level, chosen in (("high", people[:2]), ("low", people[2:])):
        body = {"source": {"contact_ids": chosen}, "engagement_level": level}
        await front.finished("contacts_engagement_set", body)
    email = {"address": "c1@example.org", "permission_to_send": "unsubscribed"}
    await front.put(f"/v3/contacts/{people[0]}", {"update_source": "Account", "email_address": email})
    for level, count in (("high", 1), ("low", 1), ("medium", 0), ("unqualified", 0)):
        ended = await done(front, "add_list_memberships", {"engagement_level": level}, await front.new_list(level))
        assert (ended["status"]["items_total_count"], ended["activity_errors"]) == (count, [])


async def test_bulk_changes_are_no_changes_of_the_contact(front: Front) -> None:
    """Contract 6.22: list and tag jobs do not move `updated_at`."""
    await front.desk.make_contacts(1)
    await front.desk.owner.execute(
        "UPDATE contact SET updated_at = '2020-01-01' WHERE account_id = $1", front.desk.account_id
    )
    before = await front.get("/v3/contacts")
    target, tag = await front.new_list("L"), await front.new_tag("T")
    for kind, of_kind in (
        ("add_list_memberships", target),
        ("contacts_taggings_add", tag),
        ("remove_list_memberships", target),
        ("contacts_taggings_remove", tag),
    ):
        assert (await done(front, kind, EVERYBODY, of_kind))["changed_count"] == 1
    assert await front.get("/v3/contacts") == before


class TestMaxima:
    """Contract v3.md 3.3 to 3.7: one more is 400; what is allowed is taken."""

    @pytest.mark.parametrize("kind", KINDS)
    @pytest.mark.parametrize(
        ("path", "most"),
        [
            ("source.contact_ids", 500),
            ("source.list_ids", 50),
            ("source.tag_ids", 50),
            ("exclude.contact_ids", 500),
            ("targets", 50),
        ],
    )
    async def test_of_memberships(self, front: Front, kind: str, path: str, most: int) -> None:
        """Contract 3.3, 3.4, 3.5 and 3.6; 5.3, 5.7; an empty or malformed one is 400, too."""
        of = {"list_ids": await front.new_list("L"), "tag_ids": await front.new_tag("T"), "contact_ids": str(uuid4())}
        targets = KINDS[kind][1]
        holder, _, name = path.rpartition(".")

        def body(ids: list[str]) -> Any:
            told: Any = {"source": dict(EVERYBODY), targets: [of[targets]]}
            match holder:
                case "source":
                    return told | {"source": {name: ids}}
                case "exclude":
                    return told | {"exclude": {name: ids}}
            return told | {targets: ids}

        one = of[name if holder else targets]
        await front.submit(kind, body([one] * most))
        message = f"{path if holder else targets} has {most + 1} items where at most {most} may be"
        assert await front.refused("POST", f"/v3/activities/{kind}", 400, json=body([one] * (most + 1))) == message
        await front.refused("POST", f"/v3/activities/{kind}", 400, json=body([one.replace("-", "")]))
        if holder != "exclude":
            await front.refused("POST", f"/v3/activities/{kind}", 400, json=body([]))

    @pytest.mark.parametrize(("name", "most"), [("contact_ids", 500), ("list_ids", 50)])
    async def test_of_deletions_of_contacts(self, front: Front, name: str, most: int) -> None:
        """Contract 3.7."""
        one = await front.new_list("L") if name == "list_ids" else str(uuid4())
        await front.submit("contact_delete", {name: [one] * most})
        message = await front.refused("POST", "/v3/activities/contact_delete", 400, json={name: [one] * (most + 1)})
        assert message == f"{name} has {most + 1} items where at most {most} may be"


class TestDeletingContacts:
    """Contract v3.md 3.7, contact_delete."""

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"contact_ids": []},
            {"list_ids": []},
            {"contact_ids": None, "list_ids": None},
            {"contact_ids": [str(uuid4())], "list_ids": [str(uuid4())]},
            {"contact_ids": ["x"]},
            {"contact_ids": "x"},
            {"tag_ids": [str(uuid4())]},
            {"all_active_contacts": True},
            {"contact_ids": [str(uuid4())], "segment_id": 1},
            [],
        ],
    )
    async def test_bad_bodies(self, front: Front, body: Any) -> None:
        """Contract 3.7, 3.3 and 1.6: exactly one of contact_ids and list_ids; nothing is queued."""
        await front.refused("POST", "/v3/activities/contact_delete", 400, json=body)
        assert await front.get("/v3/activities") == {"activities": []}

    async def test_an_unknown_list_is_400(self, front: Front) -> None:
        """Contract 3.1 and 3.3: no 404 is documented; nothing is queued."""
        wrong = str(uuid4())
        body = {"list_ids": [await front.new_list("L"), wrong]}
        message = await front.refused("POST", "/v3/activities/contact_delete", 400, json=body)
        assert message == f"list {wrong} does not exist"
        assert await front.get("/v3/activities") == {"activities": []}

    async def test_they_are_deleted_as_by_delete(self, front: Front) -> None:
        """Contract 3.7: as by DELETE; of lists all members, each once, and the lists stay."""
        people = [str(each) for each in await front.desk.make_contacts(4)]
        lists = [await front.new_list(f"L{number}") for number in range(2)]
        for target, chosen in zip(lists, (people[:2], people[1:3]), strict=True):
            await front.add([UUID(each) for each in chosen], target)
        await front.request("DELETE", f"/v3/contacts/{people[3]}")
        ended = await front.finished("contact_delete", {"list_ids": [*lists, lists[0].upper()]})
        figures = {"items_total_count": 3, "items_completed_count": 3, "list_count": 2}
        assert (ended["status"], ended["activity_errors"]) == (figures, [])
        shown = (await front.get("/v3/contacts?status=deleted&include=list_memberships"))["contacts"]
        assert [each["contact_id"] for each in shown] == people
        assert len({each["deleted_at"] for each in shown}) == 1
        for each in shown:
            assert each["list_memberships"] == []
            assert each["email_address"]["opt_out_source"] == "Account"
            assert each["email_address"]["permission_to_send"] == "implicit"
        counted = await front.get("/v3/contact_lists?include_membership_count=all")
        assert [each["membership_count"] for each in counted["lists"]] == [0, 0]
