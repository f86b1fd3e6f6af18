"""Contact tags over HTTP (contract v3.md 2.3, and contacts_tags_delete of 3.7)."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.integration.desk import Desk

TAGS = "/v3/contact_tags"


async def tag_all(front: Front, *tag_ids: str) -> None:
    await front.finished("contacts_taggings_add", {"source": {"all_active_contacts": True}, "tag_ids": tag_ids})


class TestMaking:
    """Contract v3.md 2.3, POST and GET."""

    async def test_made_and_read(self, front: Front) -> None:
        made = await front.post(TAGS, {"name": "VIP", "tag_source": "Account"})
        assert set(made) == {"tag_id", "name", "tag_source", "created_at", "updated_at"}
        assert made["created_at"] == made["updated_at"]
        assert await front.get(f"{TAGS}/{made['tag_id'].upper()}") == made
        assert await front.get(f"{TAGS}?include_count=0") == {"tags": [made]}
        assert await front.get(f"{TAGS}?include_count=1") == {"tags": [made | {"contacts_count": 0}]}
        assert "tag_source" not in await front.post(TAGS, {"name": "plain"})

    async def test_counts(self, front: Front) -> None:
        await front.desk.make_contacts(3)
        tag_id = await front.new_tag("T")
        await tag_all(front, tag_id)
        assert (await front.get(f"{TAGS}/{tag_id}?include_count=true"))["contacts_count"] == 3
        assert "contacts_count" not in await front.get(f"{TAGS}/{tag_id}?include_count=false")
        await front.refused("GET", f"{TAGS}/{tag_id}?include_count=maybe", 400)

    async def test_pages(self, front: Front) -> None:
        """Contract 1.7."""
        ids = [await front.new_tag(f"tag {number}") for number in range(5)]
        assert [each["tag_id"] for each in await front.pages(f"{TAGS}?limit=2", "tags")] == ids
        for wrong in ("0", "501", "x", ""):
            await front.refused("GET", f"{TAGS}?limit={wrong}", 400)
        assert len((await front.get(f"{TAGS}?limit=500"))["tags"]) == 5

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": ""},
            {"name": " "},
            {"name": None},
            {"name": "x" * 256},
            {"name": "<b>"},
            {"name": "a < b"},
            {"name": "a\0"},
            {"name": 3},
            [],
        ],
    )
    async def test_bad_bodies(self, front: Front, body: Any) -> None:
        """Contract 2.3: 400 for length, and for `<` or `>` in the name; in POST and PUT."""
        kept = await front.post(TAGS, {"name": "kept"})
        await front.refused("POST", TAGS, 400, json=body)
        await front.refused("PUT", f"{TAGS}/{kept['tag_id']}", 400, json=body)
        assert await front.get(TAGS) == {"tags": [kept]}

    async def test_names_are_unique(self, front: Front) -> None:
        """Contract 2.3: trimmed and without case; 409. A list may have the same."""
        await front.new_tag("Straße")
        await front.new_list("Straße")
        for name in ("Straße", " STRAßE\t"):
            message = await front.refused("POST", TAGS, 409, json={"name": name})
            assert message.startswith("another tag of this account is named ")

    async def test_there_may_be_a_limit(self, settings: Settings, desk: Desk, token: str) -> None:
        """Contract 1.9: 400."""
        async with open_front(settings.model_copy(update={"max_tags": 1}), desk, token) as front:
            await front.new_tag("T")
            message = await front.refused("POST", TAGS, 400, json={"name": "more"})
            assert message == "the account has 1 tags already, as many as it may have"

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_what_does_not_exist(self, front: Front, method: str) -> None:
        """Contract 1.8: 404; never 406 (2.3)."""
        for tag_id in (str(uuid4()), await front.new_list("a list is no tag")):
            await front.refused(method, f"{TAGS}/{tag_id}", 404, json={"name": "x"})
        message = await front.refused(method, f"{TAGS}/x", 404, json={"name": "x"})
        assert message == "tag_id is in an invalid format."


class TestChanging:
    """Contract v3.md 2.3, PUT."""

    async def test_the_name_changes_and_the_source_stays(self, front: Front) -> None:
        made = await front.post(TAGS, {"name": "VIP", "tag_source": "Account"})
        body = {"name": "vip", "tag_source": "Contact"}
        changed = await front.put(f"{TAGS}/{made['tag_id']}", body)
        assert changed == made | {"name": "vip", "updated_at": changed["updated_at"]}
        assert await front.get(TAGS) == {"tags": [changed]}

    async def test_taggings_stay(self, front: Front) -> None:
        await front.desk.make_contacts(2)
        tag_id = await front.new_tag("T")
        await tag_all(front, tag_id)
        await front.put(f"{TAGS}/{tag_id}", {"name": "another"})
        assert (await front.get(f"{TAGS}/{tag_id}?include_count=1"))["contacts_count"] == 2

    async def test_a_name_that_is_taken_is_409(self, front: Front) -> None:
        await front.new_tag("First")
        second = await front.new_tag("Second")
        message = await front.refused("PUT", f"{TAGS}/{second}", 409, json={"name": " FIRST"})
        assert message == "another tag of this account is named 'FIRST'"

    async def test_two_that_want_one_name(self, front: Front) -> None:
        """One wins, the other is refused with 409."""
        ids = [await front.new_tag(str(number)) for number in range(8)]
        changes = (front.request("PUT", f"{TAGS}/{each}", json={"name": "one"}) for each in ids)
        assert sorted(answer.status for answer in await asyncio.gather(*changes)) == [200] + [409] * 7


class TestDeleting:
    """Contract v3.md 2.3, DELETE, and 3.7."""

    async def test_the_answer_is_an_activity_that_processes(self, front: Front) -> None:
        """Contract 2.3, 3.2.4 and 5.26: its `state` has no `initialized`."""
        tag_id = await front.new_tag("T")
        answer = await front.delete(f"{TAGS}/{tag_id.upper()}", 202)
        body = answer.body
        href = f"/v3/activities/{body['activity_id']}"
        assert body == {
            "activity_id": body["activity_id"],
            "state": "processing",
            "created_at": body["created_at"],
            "updated_at": body["created_at"],
            "percent_done": 1,
            "activity_errors": [],
            "status": {},
            "_links": {"self": {"href": href}},
        }
        await front.work()
        done = await front.get(href)
        assert done["state"] == "completed"
        assert done["status"] == {"items_total_count": 1, "items_completed_count": 1}
        assert await front.get(TAGS) == {"tags": []}
        await front.refused("DELETE", f"{TAGS}/{tag_id}", 404)

    async def test_it_is_taken_off_everybody(self, front: Front) -> None:
        await front.desk.make_contacts(3)
        gone, kept = await front.new_tag("gone"), await front.new_tag("kept")
        await tag_all(front, gone, kept)
        await front.delete(f"{TAGS}/{gone}", 202)
        await front.work()
        contacts = (await front.get("/v3/contacts?include=taggings"))["contacts"]
        assert [each["taggings"] for each in contacts] == [[kept]] * 3
        assert await front.new_tag("gone") != gone

    async def test_up_to_500_at_once(self, front: Front) -> None:
        """Contract 3.7 and 3.2.4: tags to delete, tags deleted."""
        ids = await asyncio.gather(*(front.new_tag(str(number)) for number in range(500)))
        done = await front.finished("contacts_tags_delete", {"tag_ids": ids})
        assert done["status"] == {"items_total_count": 500, "items_completed_count": 500}
        assert await front.get(TAGS) == {"tags": []}

    async def test_one_that_was_deleted_meanwhile(self, front: Front) -> None:
        """Contract 3.2.3: a string in `activity_errors`; objects are in the answer of DELETE only (1.10, 11)."""
        first, second = await front.new_tag("1"), await front.new_tag("2")
        await front.delete(f"{TAGS}/{first}", 202)
        done = await front.finished("contacts_tags_delete", {"tag_ids": [second, first]})
        assert (done["state"], done["activity_errors"]) == ("completed", [f"{first}: the tag was deleted"])
        assert done["status"] == {"items_total_count": 2, "items_completed_count": 1}

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"tag_ids": []},
            {"tag_ids": [str(uuid4())] * 501},
            {"tag_ids": ["x"]},
            {"tag_ids": [str(uuid4())]},
            {"list_ids": [str(uuid4())]},
        ],
    )
    async def test_bad_bodies(self, front: Front, body: Any) -> None:
        """Contract 3.1, 3.3 and 3.7: 400, unknown tags included, and nothing is queued."""
        await front.refused("POST", "/v3/activities/contacts_tags_delete", 400, json=body)
        assert await front.get("/v3/activities") == {"activities": []}
