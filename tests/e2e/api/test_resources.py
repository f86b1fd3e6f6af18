"""Contacts over HTTP (contract v3.md 2.1), and what holds for all resources."""

from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.api.front import Front
from tests.e2e.api.test_segments import KIM, criteria


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
