"""Lists, tags, segments and contacts over HTTP (contract v3.md 2)."""

import asyncio
import json
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.integration.desk import Desk


def criteria(*rules: object, kind: str = "and") -> str:
    return json.dumps({"version": "1.0.0", "criteria": {"type": kind, "group": list(rules)}})


KIM = {"source": "contact", "field": "first_name", "op": "eq", "value": "Kim"}


class TestLists:
    """Contract v3.md 2.2."""

    async def test_made_and_read(self, front: Front) -> None:
        made = await front.post(
            "/v3/contact_lists", {"name": "News", "description": "weekly", "favorite": True, "unknown": 1}
        )
        assert set(made) == {"list_id", "name", "description", "favorite", "created_at", "updated_at"}
        assert (made["name"], made["description"], made["favorite"]) == ("News", "weekly", True)
        assert made["created_at"] == made["updated_at"]
        assert await front.get(f"/v3/contact_lists/{made['list_id'].upper()}") == made
        assert await front.get("/v3/contact_lists") == {"lists": [made]}

    @pytest.mark.parametrize("collection", ["contact_lists", "contact_tags"])
    async def test_names_are_unique(self, front: Front, collection: str) -> None:
        """Contract v3.md 2.3: trimmed and without case; 409."""
        await front.post(f"/v3/{collection}", {"name": "Straße"})
        for name in ("Straße", " STRAßE\t"):
            message = await front.refused("POST", f"/v3/{collection}", 409, json={"name": name})
            assert message.startswith("another ")

    async def test_pages_filters_and_counts(self, front: Front) -> None:
        names = [f"list {number}" for number in range(5)]
        ids = [await front.new_list(name) for name in names]
        contacts = await front.desk.make_contacts(3)
        left = await front.desk.make_contacts(2, first=10, permission="unsubscribed")
        await front.add(contacts, ids[0])
        assert left
        pages = await front.pages("/v3/contact_lists?limit=2&include_membership_count=all", "lists")
        assert [each["list_id"] for each in pages] == ids
        assert [each["membership_count"] for each in pages] == [3, 0, 0, 0, 0]
        counted = await front.get("/v3/contact_lists?limit=1&include_count=true")
        assert counted["lists_count"] == 5
        assert "membership_count" not in counted["lists"][0]
        [named] = (await front.get(f"/v3/contact_lists?name={quote('list 3')}"))["lists"]
        assert named["list_id"] == ids[3]
        for other in ("nobody", "LIST 3", " list 3"):
            assert await front.get(f"/v3/contact_lists?name={quote(other)}") == {"lists": []}
        active = await front.get(f"/v3/contact_lists/{ids[0]}?include_membership_count=active")
        assert active["membership_count"] == 3

    async def test_deleted_ones(self, front: Front) -> None:
        """Contract v3.md 2.2 and 6.24: gone by id, visible through `status`."""
        kept, gone = await front.new_list("kept"), await front.new_list("gone")
        await front.desk.owner.execute("UPDATE contact_set SET deleted_at = now() WHERE name = 'gone'")
        await front.refused("GET", f"/v3/contact_lists/{gone}", 404)

        async def listed(status: str) -> list[str]:
            return [each["list_id"] for each in (await front.get(f"/v3/contact_lists?status={status}"))["lists"]]

        assert await listed("active") == [kept]
        assert await listed("deleted") == [gone]
        assert await listed("all") == await listed("active,deleted") == [kept, gone]
        [shown] = (await front.get("/v3/contact_lists?status=deleted"))["lists"]
        assert shown["deleted_at"] >= shown["created_at"]

    async def test_there_may_be_a_limit(self, settings: Settings, desk: Desk, token: str) -> None:
        """Contract v3.md 1.9: 400."""
        limits = settings.model_copy(update={"max_lists": 1, "max_tags": 1})
        async with open_front(limits, desk, token) as front:
            await front.new_list("L")
            await front.new_tag("T")
            for collection in ("contact_lists", "contact_tags"):
                message = await front.refused("POST", f"/v3/{collection}", 400, json={"name": "more"})
                assert message.startswith("the account has 1 ")

    async def test_the_limit_is_exact_under_concurrency(self, settings: Settings, desk: Desk, token: str) -> None:
        async with open_front(settings.model_copy(update={"max_lists": 2}), desk, token) as front:
            made = (front.request("POST", "/v3/contact_lists", json={"name": str(number)}) for number in range(12))
            assert sorted(answer.status for answer in await asyncio.gather(*made)) == [201] * 2 + [400] * 10
            assert len(await front.pages("/v3/contact_lists", "lists")) == 2

    @pytest.mark.parametrize("collection", ["contact_lists", "contact_tags"])
    async def test_what_does_not_exist(self, front: Front, collection: str) -> None:
        """Contract v3.md 1.8."""
        await front.refused("GET", f"/v3/{collection}/{uuid4()}", 404)
        assert (await front.refused("GET", f"/v3/{collection}/x", 404)).endswith("_id is in an invalid format.")


class TestTags:
    """Contract v3.md 2.3."""

    async def test_made_and_read(self, front: Front) -> None:
        made = await front.post("/v3/contact_tags", {"name": "VIP", "tag_source": "Account"})
        assert set(made) == {"tag_id", "name", "tag_source", "created_at", "updated_at"}
        assert await front.get(f"/v3/contact_tags/{made['tag_id']}") == made
        assert await front.get("/v3/contact_tags?include_count=0") == {"tags": [made]}
        assert await front.get("/v3/contact_tags?include_count=1") == {"tags": [made | {"contacts_count": 0}]}
        assert (await front.refused("POST", "/v3/contact_tags", 400, json={"name": "<b>"})).startswith("name ")

    async def test_pages(self, front: Front) -> None:
        ids = [await front.new_tag(f"tag {number}") for number in range(5)]
        assert [each["tag_id"] for each in await front.pages("/v3/contact_tags?limit=2", "tags")] == ids

    async def test_a_tag_may_be_called_as_a_list(self, front: Front) -> None:
        assert await front.new_list("same") != await front.new_tag("same")


class TestSegments:
    """Contract v3.md 2.5 and 4."""

    async def test_made_and_read_with_their_criteria_as_given(self, front: Front) -> None:
        text = " " + criteria(KIM).replace(":", " : ")
        made = await front.post("/v3/segments", {"name": "Kims", "segment_criteria": text})
        assert (made["segment_id"], made["name"], made["segment_criteria"]) == (1, "Kims", text)
        assert set(made) == {"segment_id", "name", "segment_criteria", "created_at", "edited_at"}
        assert await front.get("/v3/segments/1") == made
        del made["segment_criteria"]
        assert await front.get("/v3/segments") == {"segments": [made]}

    async def test_sorted_and_paged(self, front: Front) -> None:
        for name in ("b", "a", "c"):
            await front.post("/v3/segments", {"name": name, "segment_criteria": criteria(KIM)})

        async def names(query: str) -> list[str]:
            return [each["name"] for each in await front.pages(f"/v3/segments{query}", "segments")]

        assert await names("") == await names("?limit=1") == await names("?sort_by=sort_by%3Ddate") == ["c", "a", "b"]
        assert await names("?sort_by=name&limit=2") == ["a", "b", "c"]

    @pytest.mark.parametrize(("sort_by", "expected"), [("date", ["c", "b", "a"]), ("name", ["a", "b", "c"])])
    async def test_what_comes_meanwhile_shifts_no_page(self, front: Front, sort_by: str, expected: list[str]) -> None:
        """Contract v3.md 1.7: a stable total order."""
        for name in ("a", "b", "c"):
            await front.post("/v3/segments", {"name": name, "segment_criteria": criteria(KIM)})
        first = await front.get(f"/v3/segments?limit=2&sort_by={sort_by}")
        await front.post("/v3/segments", {"name": "A0", "segment_criteria": criteria(KIM)})
        rest = await front.pages(first["_links"]["next"]["href"], "segments")
        assert [each["name"] for each in (*first["segments"], *rest)] == expected

    @pytest.mark.parametrize(
        "wrong",
        [
            "",
            "x",
            "[]",
            "null",
            "NaN",
            "1" * 5000,
            "[" * 9000,
            '{"a":' * 3000,
            criteria(),
            criteria(KIM, kind="or"),
            criteria(KIM | {"field": "shoe_size"}),
            criteria(KIM | {"op": "like"}),
            criteria(KIM | {"value": "a\0b"}),
            criteria(KIM | {"value": "\ud800"}),
            criteria(KIM | {"value": 10**400}),
            criteria(KIM | {"value": None}),
            criteria({"source": "tracking", "field": "not_opened", "op": "contains-any", "const_value": "x"}),
            criteria({"source": "tags", "field": "tag_id", "op": "contains-any", "value": ["x"]}),
            criteria(KIM | {"field": "cf:" + "x" * 500, "op": "before", "value": "never"}),
            criteria({"source": "contact", "field": "created_at", "op": "eq", "value": "9999-12-31"}, {}),
        ],
    )
    async def test_bad_criteria(self, front: Front, wrong: str) -> None:
        """Contract v3.md 2.5 and 4.3: 400."""
        await front.refused("POST", "/v3/segments", 400, json={"name": "S", "segment_criteria": wrong})

    async def test_names_are_unique_and_ids_are_numbers(self, front: Front) -> None:
        await front.post("/v3/segments", {"name": "S", "segment_criteria": criteria(KIM)})
        body = {"name": " s ", "segment_criteria": criteria(KIM)}
        await front.refused("POST", "/v3/segments", 409, json=body)
        await front.refused("GET", "/v3/segments/2", 404)
        for name in ("x", "0x1", "-1", "1.0", str(2**31), "9" * 100, "%D9%A1"):
            message = await front.refused("GET", f"/v3/segments/{name}", 404)
            assert message == "segment_id is in an invalid format."


class TestContacts:
    """Contract v3.md 2.1.8."""

    async def test_pages_and_counts(self, front: Front) -> None:
        ids = [str(contact_id) for contact_id in await front.desk.make_contacts(5)]
        found = await front.pages("/v3/contacts?limit=2&include_count=1", "contacts")
        assert [each["contact_id"] for each in found] == ids
        assert (await front.get("/v3/contacts?limit=1&include_count=1"))["contacts_count"] == 5
        assert "contacts_count" not in await front.get("/v3/contacts?include_count=0")
        assert found[0]["email_address"]["address"] == "c1@example.org"
        assert "taggings" not in found[0]

    async def test_filters(self, front: Front) -> None:
        kept = [str(each) for each in await front.desk.make_contacts(3)]
        deleted = [str(each) for each in await front.desk.make_contacts(1, first=10, deleted=True)]
        left = [str(each) for each in await front.desk.make_contacts(1, first=20, permission="unsubscribed")]
        target, tag = await front.new_list("L"), await front.new_tag("T")
        await front.finished("add_list_memberships", {"source": {"contact_ids": kept[:2]}, "list_ids": [target]})
        await front.finished("contacts_taggings_add", {"source": {"contact_ids": kept[1:]}, "tag_ids": [tag]})

        async def found(query: str) -> list[str]:
            return [each["contact_id"] for each in (await front.get(f"/v3/contacts?{query}"))["contacts"]]

        assert await found("") == kept + left
        assert await found("status=all") == kept + deleted + left
        assert await found("status=active") == kept
        assert await found("status=deleted, unsubscribed") == deleted + left
        assert await found("email=%20C2@EXAMPLE.org%20") == [kept[1]]
        assert await found("email=nobody") == []
        assert await found(f"lists={target},{uuid4()}") == kept[:2]
        assert await found(f"lists={uuid4()}") == []
        await front.refused("GET", f"/v3/contacts?lists={uuid4().hex}", 400)
        assert await found(f"tags={tag}") == kept[1:]
        assert await found(f"lists={target}&tags={tag}&status=all") == [kept[1]]

    @pytest.mark.parametrize("column", ["created", "updated", "optout"])
    async def test_times_that_contradict_each_other_match_nobody(self, front: Front, column: str) -> None:
        """Contract v3.md 2.1.8: strictly after and strictly before; several filters are ANDed."""
        await front.desk.make_contacts(1)
        early, late, last = "2000-01-01", "2999-01-01", "9999-12-31T23:59:59.999999Z"
        for after, before in ((late, early), (early, early), (last, last), (last, early)):
            page = await front.get(f"/v3/contacts?{column}_after={after}&{column}_before={before}")
            assert page == {"contacts": []}
        assert await front.get(f"/v3/contacts?{column}_after={last}") == {"contacts": []}

    async def test_sub_resources(self, front: Front) -> None:
        """Contract v3.md 2.1.1."""
        await front.desk.make_contacts(1)
        lists, tag = [await front.new_list(f"L{number}") for number in range(3)], await front.new_tag("T")
        everybody = {"all_active_contacts": True}
        await front.finished("add_list_memberships", {"source": everybody, "list_ids": lists})
        await front.finished("contacts_taggings_add", {"source": everybody, "tag_ids": [tag]})
        path = "/v3/contacts?include=list_memberships,taggings,custom_fields,phone_numbers,street_addresses,notes"
        [contact] = (await front.get(f"{path},sms_channel"))["contacts"]
        assert (contact["list_memberships"], contact["taggings"]) == (lists, [tag])
        for name in ("custom_fields", "phone_numbers", "street_addresses", "notes"):
            assert contact[name] == []
        assert "sms_channel" not in contact

    async def test_by_segment(self, front: Front) -> None:
        await front.desk.make_contacts(3)
        rule = {"source": "contact", "field": "email_address", "op": "starts-with", "value": "C2"}
        segment = await front.post("/v3/segments", {"name": "S", "segment_criteria": criteria(rule)})
        path = f"/v3/contacts?segment_id={segment['segment_id']}"
        assert [each["email_address"]["address"] for each in (await front.get(path))["contacts"]] == ["c2@example.org"]
        assert (await front.pages(f"{path}&limit=1", "contacts")) == (await front.get(path))["contacts"]
        assert await front.refused("GET", f"{path}&email=x", 400) == "segment_id may be combined with limit only"
        assert await front.refused("GET", "/v3/contacts?segment_id=99", 404) == "segment 99 does not exist"


async def test_nothing_is_null(front: Front) -> None:
    """Contract v3.md 1.6: absent properties are left out."""
    await front.desk.make_contacts(2)
    target = await front.new_list("L", description=None)
    await front.new_tag("T")
    await front.finished("add_list_memberships", {"source": {"all_active_contacts": True}, "list_ids": [target]})
    await front.post("/v3/segments", {"name": "S", "segment_criteria": criteria(KIM)})

    def without_null(value: Any) -> bool:
        if isinstance(value, dict):
            return all(map(without_null, value.values()))
        return all(map(without_null, value)) if isinstance(value, list) else value is not None

    for path in ("contacts?status=all", "contact_lists", "contact_tags", "segments", "activities"):
        assert without_null(await front.get(f"/v3/{path}"))
