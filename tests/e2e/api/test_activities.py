"""Activities over HTTP: submit, watch, page, cancel, retry (contract v3.md 3)."""

import asyncio
import re
from uuid import UUID, uuid4

import pytest

from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.integration.desk import Desk

ADD = "/v3/activities/add_list_memberships"
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00")


def ids(contacts: list[UUID]) -> list[str]:
    return [str(contact_id) for contact_id in contacts]


async def members(front: Front, list_id: str) -> int:
    found = await front.get(f"/v3/contact_lists/{list_id}?include_membership_count=all")
    return int(found["membership_count"])


class TestSubmitting:
    async def test_the_seeds_request_gets_the_seeds_answer(self, front: Front) -> None:
        """Contract v3.md 3.2, 3.4, 5.4, 5.5: the seed's request and answer, shape and values; a repeated id is one."""
        contacts = ids(await front.desk.make_contacts(2))
        lists = [await front.new_list(f"list {number}") for number in range(3)]
        body = {"source": {"contact_ids": [contacts[0], contacts[1], contacts[1]]}, "list_ids": lists}
        answer = await front.request("POST", ADD, json=body, headers={"Cache-Control": "no-cache"})
        activity = answer.body
        path = f"/v3/activities/{activity['activity_id']}"
        assert (answer.status, answer.headers["Location"]) == (201, path)
        assert answer.headers["Content-Type"] == "application/json"
        assert MOMENT.fullmatch(activity["created_at"])
        assert activity == {
            "activity_id": str(UUID(activity["activity_id"])),
            "state": "initialized",
            "created_at": activity["created_at"],
            "updated_at": activity["created_at"],
            "percent_done": 1,
            "activity_errors": [],
            "status": {},
            "_links": {"self": {"href": path}},
        }
        assert await front.get(path) == activity
        await front.work()
        ended = await front.get(path)
        assert (ended["state"], ended["percent_done"], ended["changed_count"], ended["error_count"]) == (
            "completed",
            100,
            6,
            0,
        )
        assert ended["status"] == {"items_total_count": 2, "items_completed_count": 2, "list_count": 3}
        assert MOMENT.fullmatch(ended["started_at"])
        assert MOMENT.fullmatch(ended["completed_at"])
        assert [await members(front, list_id) for list_id in lists] == [2, 2, 2]

    async def test_what_the_generated_client_sends_is_understood(self, front: Front) -> None:
        """Contract v3.md 1.10, 3 and 3.4: the idle flag is no source; ids in any case."""
        contacts = [text.upper() for text in ids(await front.desk.make_contacts(2))]
        target = (await front.new_list("L")).upper()
        source = {"all_active_contacts": False, "contact_ids": contacts}
        ended = await front.finished("add_list_memberships", {"source": source, "list_ids": [target]})
        assert ended["changed_count"] == 2

    async def test_lists_are_left_again_with_excludes(self, front: Front) -> None:
        """Contract v3.md 3.5."""
        first, *others = await front.desk.make_contacts(4)
        target = await front.new_list("L")
        await front.add([first, *others], target)
        body = {
            "source": {"all_active_contacts": True},
            "exclude": {"contact_ids": [str(first), str(uuid4())]},
            "list_ids": [target],
        }
        ended = await front.finished("remove_list_memberships", body)
        assert ended["status"] == {"items_total_count": 3, "items_completed_count": 3, "list_count": 1}
        assert (ended["changed_count"], await members(front, target)) == (3, 1)

    async def test_tags_are_put_on_and_taken_off(self, front: Front) -> None:
        """Contract v3.md 3.6 and 3.2.4."""
        await front.desk.make_contacts(3)
        tag = await front.new_tag("VIP")
        body = {"source": {"all_active_contacts": "true"}, "tag_ids": [tag]}
        ended = await front.finished("contacts_taggings_add", body)
        assert ended["status"] == {"items_total_count": 3, "items_completed_count": 3}
        assert (await front.get(f"/v3/contact_tags/{tag}?include_count=1"))["contacts_count"] == 3
        ended = await front.finished("contacts_taggings_remove", {"source": {"tag_ids": [tag]}, "tag_ids": [tag]})
        assert ended["changed_count"] == 3
        assert (await front.get(f"/v3/contact_tags/{tag}?include_count=1"))["contacts_count"] == 0

    async def test_levels_are_stored_and_chosen_by(self, front: Front) -> None:
        """`contacts_engagement_set` is an extension; contract v3.md 3.4 and 3.14."""
        contacts = await front.desk.make_contacts(3)
        target = await front.new_list("L")
        level = {"source": {"contact_ids": ids(contacts[:2])}, "engagement_level": "high"}
        assert (await front.finished("contacts_engagement_set", level))["state"] == "completed"
        for engagement_level, expected in (("high", 2), ("unqualified", 1), ("low", 0)):
            body = {"source": {"engagement_level": engagement_level}, "list_ids": [target]}
            ended = await front.finished("add_list_memberships", body)
            assert ended["status"]["items_total_count"] == expected

    async def test_segments_are_a_source(self, front: Front) -> None:
        """Contract v3.md 3.4 and 4."""
        contacts = await front.desk.make_contacts(3)
        source, target = await front.new_list("from"), await front.new_list("to")
        await front.add(contacts[:2], source)
        criteria = (
            '{"version":"1.0.0","criteria":{"type":"and","group":[{"source":"list_membership",'
            f'"field":"list_id","op":"contains-any","value":["{source}"]}}]}}}}'
        )
        segment = await front.post("/v3/segments", {"name": "S", "segment_criteria": criteria})
        body = {"source": {"segment_id": segment["segment_id"]}, "list_ids": [target]}
        assert (await front.finished("add_list_memberships", body))["changed_count"] == 2

    @pytest.mark.parametrize(
        ("kind", "property_", "status"),
        [
            ("add_list_memberships", "list_ids", 400),
            ("remove_list_memberships", "list_ids", 404),
            ("contacts_taggings_add", "tag_ids", 404),
            ("contacts_taggings_remove", "tag_ids", 404),
        ],
    )
    async def test_unknown_targets_and_sources_queue_nothing(
        self, front: Front, kind: str, property_: str, status: int
    ) -> None:
        """Contract v3.md 3.1 and 3.3: 404 where it is documented, else 400."""
        good = await front.new_list("L") if property_ == "list_ids" else await front.new_tag("T")
        unknown = str(uuid4())
        for source, targets in (({"all_active_contacts": True}, [good, unknown]), ({"list_ids": [unknown]}, [good])):
            body = {"source": source, property_: targets}
            assert unknown in await front.refused("POST", f"/v3/activities/{kind}", status, json=body)
        assert (await front.get("/v3/activities"))["activities"] == []

    async def test_a_typo_widens_nothing(self, front: Front) -> None:
        """Contract v3.md 1.6."""
        target = await front.new_list("L")
        body = {"source": {"all_active_contacts": True}, "list_ids": [target], "exlude": {"contact_ids": []}}
        assert "exlude" in await front.refused("POST", ADD, 400, json=body)

    async def test_a_segment_that_is_not_there_is_400(self, front: Front) -> None:
        """Contract v3.md 3.1 and 3.3."""
        body = {"source": {"segment_id": 99}, "list_ids": [await front.new_list("L")]}
        assert await front.refused("POST", ADD, 400, json=body) == "segment 99 does not exist"

    async def test_a_thousand_unfinished_ones_are_enough(self, settings: Settings, desk: Desk, token: str) -> None:
        """Contract v3.md 1.8, 1.9 and 3.3: 429."""
        async with open_front(settings.model_copy(update={"max_unfinished": 2}), desk, token) as front:
            body = {"source": {"all_active_contacts": True}, "list_ids": [await front.new_list("L")]}
            for _ in range(2):
                await front.post(ADD, body)
            message = await front.refused("POST", ADD, 429, json=body)
            assert message.startswith("the account has 2 unfinished activities")
            await front.work()
            await front.post(ADD, body)

    async def test_submitting_works_without_the_broker(self, front: Front) -> None:
        """With the queue's broker down an activity is still accepted: the sweeper finds it."""
        front.bell.up = False
        body = {"source": {"all_active_contacts": True}, "list_ids": [await front.new_list("L")]}
        submitted = await front.submit("add_list_memberships", body)
        await front.desk.finish_everything()
        assert (await front.get(submitted["_links"]["self"]["href"]))["state"] == "completed"

    async def test_what_comes_at_once_is_answered_each_for_itself(self, front: Front) -> None:
        """Requests of one account that share a transaction do not share their fate."""
        target = await front.new_list("L")
        good = {"source": {"all_active_contacts": True}, "list_ids": [target]}
        bad = {"source": {"all_active_contacts": True}, "list_ids": [str(uuid4())]}
        answers = await asyncio.gather(
            *(front.request("POST", ADD, json=bad if number % 3 == 0 else good) for number in range(30))
        )
        assert [answer.status for answer in answers] == [400 if number % 3 == 0 else 201 for number in range(30)]
        listed = await front.pages("/v3/activities?limit=7", "activities")
        assert {each["activity_id"] for each in listed} == {
            answer.body["activity_id"] for answer in answers if answer.status == 201
        }


class TestWatching:
    async def test_what_does_not_exist_is_404(self, front: Front) -> None:
        """Contract v3.md 1.8 and 3.12."""
        for path in (f"/v3/activities/{uuid4()}", f"/v3/activities/{uuid4()}/errors"):
            assert (await front.refused("GET", path, 404)).startswith("there is no activity")
        for name in ("x", "5", uuid4().hex, f"urn:uuid:{uuid4()}", "%C3%A9", "%ff", "%00", "a%20b"):
            message = await front.refused("GET", f"/v3/activities/{name}", 404)
            assert message == "activity_id is in an invalid format."

    async def test_waiting_answers_as_soon_as_it_has_ended(self, front: Front) -> None:
        """`?wait=` is an extension."""
        target = await front.new_list("L")
        submitted = await front.submit(
            "add_list_memberships", {"source": {"all_active_contacts": True}, "list_ids": [target]}
        )
        href = submitted["_links"]["self"]["href"]
        assert (await front.get(f"{href}?wait=0"))["state"] == "initialized"
        waiting = [asyncio.create_task(front.get(f"{href}?wait=30")) for _ in range(5)]
        await asyncio.sleep(0.05)
        await front.work()
        async with asyncio.timeout(5):
            assert [(await task)["state"] for task in waiting] == ["completed"] * 5

    async def test_waiting_ends(self, front: Front) -> None:
        target = await front.new_list("L")
        submitted = await front.submit(
            "add_list_memberships", {"source": {"all_active_contacts": True}, "list_ids": [target]}
        )
        href = submitted["_links"]["self"]["href"]
        async with asyncio.timeout(5):
            assert (await front.get(f"{href}?wait=1"))["state"] == "initialized"
        assert (await front.refused("GET", f"{href}?wait=61", 400)).startswith("wait does not have a valid value")

    async def test_pages_of_activities(self, front: Front) -> None:
        """Contract v3.md 1.7 and 3.11: newest first, filters in the cursor, no _links on the last page."""
        target = await front.new_list("L")
        made = []
        for _ in range(5):
            body = {"source": {"all_active_contacts": True}, "list_ids": [target]}
            made.append((await front.submit("add_list_memberships", body))["activity_id"])
        await front.work()
        for path in ("/v3/activities?limit=2", "/v3/activities?limit=2&state=completed", "/v3/activities?limit=5"):
            listed = await front.pages(path, "activities")
            assert [each["activity_id"] for each in listed] == made[::-1]
        assert (await front.get("/v3/activities?state=failed")) == {"activities": []}
        assert "state" in await front.refused("GET", "/v3/activities?state=initialized", 400)

    async def test_errors_of_single_items(self, front: Front) -> None:
        """Contract v3.md 3.2.3 and 3.3: unknown, deleted and unsubscribed contacts; the pages are an extension."""
        alive = await front.desk.make_contacts(2)
        gone = await front.desk.make_contacts(3, first=10, deleted=True)
        left = await front.desk.make_contacts(2, first=20, permission="unsubscribed")
        unknown = [uuid4(), uuid4()]
        ended = await front.add([*unknown, *alive, *gone, *left], await front.new_list("L"))
        assert (ended["state"], ended["changed_count"], ended["error_count"]) == ("completed", 2, 7)
        href = ended["_links"]["self"]["href"]
        errors = await front.pages(f"{href}/errors?limit=2", "errors")
        assert [error["item"] for error in errors] == ids([*unknown, *gone, *left])
        assert all(set(error) == {"item", "code", "message"} for error in errors)
        assert len({error["code"] for error in errors}) == 3
        texts = [f"{error['item']}: {error['message']}" for error in errors]
        assert ended["activity_errors"] == texts
        [listed] = (await front.get("/v3/activities"))["activities"]
        assert listed["activity_errors"] == texts

    async def test_no_more_than_a_thousand_errors_are_shown(self, front: Front) -> None:
        """Contract v3.md 3.2.3; the pages have them all."""
        rows = "".join(f"nobody-{number}\n" for number in range(1050))
        answer = await front.upload(
            ("list_ids", await front.new_list("L"), None), ("file", f"email\n{rows}", "people.csv")
        )
        await front.work()
        href = answer.body["_links"]["self"]["href"]
        ended = await front.get(href)
        assert (ended["state"], ended["error_count"], len(ended["activity_errors"])) == ("completed", 1050, 1000)
        errors = await front.pages(f"{href}/errors?limit=500", "errors")
        assert [error["item"] for error in errors] == [f"nobody-{number}" for number in range(1050)]


class TestEnding:
    async def test_cancelling_what_has_not_begun(self, front: Front) -> None:
        """Contract v3.md 3.2.1: final states stay. An extension: 200 with the activity, 409 when it has ended."""
        await front.desk.make_contacts(2)
        target = await front.new_list("L")
        body = {"source": {"all_active_contacts": True}, "list_ids": [target]}
        href = (await front.submit("add_list_memberships", body))["_links"]["self"]["href"]
        cancelled = (await front.request("POST", f"{href}/cancel")).body
        assert (cancelled["state"], cancelled["percent_done"], cancelled["changed_count"]) == ("cancelled", 1, 0)
        await front.work()
        assert await front.get(href) == cancelled
        assert await members(front, target) == 0
        assert (await front.refused("POST", f"{href}/cancel", 409)).endswith("is cancelled already")

    async def test_retrying_what_has_ended(self, front: Front) -> None:
        """An extension: 201 with a new activity, 409 while the old one runs."""
        await front.desk.make_contacts(2)
        target = await front.new_list("L")
        body = {"source": {"all_active_contacts": True}, "list_ids": [target]}
        href = (await front.submit("add_list_memberships", body))["_links"]["self"]["href"]
        assert "only an ended activity" in await front.refused("POST", f"{href}/retry", 409)
        await front.request("POST", f"{href}/cancel")
        answer = await front.request("POST", f"{href}/retry")
        again = answer.body
        assert (answer.status, answer.headers["Location"]) == (201, again["_links"]["self"]["href"])
        assert (again["state"], again["status"]) == ("initialized", {})
        assert again["retry_of"] == href.rpartition("/")[2]
        await front.work()
        assert (await front.get(again["_links"]["self"]["href"]))["changed_count"] == 2
        assert (await front.get(href))["state"] == "cancelled"

    @pytest.mark.parametrize("verb", ["cancel", "retry"])
    async def test_what_does_not_exist(self, front: Front, verb: str) -> None:
        await front.refused("POST", f"/v3/activities/{uuid4()}/{verb}", 404)
        await front.refused("POST", f"/v3/activities/x/{verb}", 404)


async def test_a_failure_says_why(front: Front) -> None:
    """Contract v3.md 3.2.1 and 3.2.3: the reason is among the strings."""
    target = await front.new_list("L")
    answer = await front.upload(("list_ids", target, None), ("file", "email\na@example.org\n", "people.csv"))
    for upload in front.desk.settings.uploads.glob("*/*"):
        upload.unlink()
    await front.work()
    ended = await front.get(answer.body["_links"]["self"]["href"])
    assert (ended["state"], ended["percent_done"]) == ("failed", 1)
    assert "cannot be read" in ended["activity_errors"][0]
    [error] = await front.pages(f"{ended['_links']['self']['href']}/errors?limit=1", "errors")
    assert error == {"item": "", "code": "invalid_import", "message": ended["activity_errors"][0]}
