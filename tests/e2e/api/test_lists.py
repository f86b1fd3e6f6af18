"""Contact lists over HTTP (contract v3.md 2.2, and list_delete of 3.7)."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

import pytest

from engine.sets.system import ACTIVE
from engine.settings import Settings
from tests.e2e.api.front import Answer, Front, open_front
from tests.integration.desk import Desk, deliver_at_random

LISTS = "/v3/contact_lists"

#: Names that are what they are: every script, emoji, characters without width or that change the direction.
STRANGE_NAMES = (
    "Новости",
    "新闻",
    "أخبار",
    "ニュース",
    "👩‍👩‍👧‍👦 family",
    "zero\u200bwidth",
    "\u202eright to left",
    "e\u0301",
    "é",
    "'; drop table contact_set; --",
    "<b>bold</b>",
    "100% _like_",
    'a "quoted" \\ name',
    "x" * 255,
    "\U0001f4a9" * 255,
)


async def names_of(front: Front, query: str = "") -> list[str]:
    return [each["name"] for each in await front.pages(f"{LISTS}{query}", "lists")]


async def gone_and_kept(front: Front, people: Sequence[UUID]) -> tuple[str, str]:
    """Two lists with these contacts on both, of which the first has been deleted."""
    gone, kept = await front.new_list("gone"), await front.new_list("kept")
    await front.add(people, gone, kept)
    await front.delete(f"{LISTS}/{gone}", 202)
    await front.work()
    return gone, kept


class TestMaking:
    """Contract v3.md 2.2, POST and GET one."""

    async def test_made_and_read(self, front: Front) -> None:
        made = await front.post(LISTS, {"name": "News", "description": "weekly", "favorite": True, "unknown": 1})
        assert set(made) == {"list_id", "name", "description", "favorite", "created_at", "updated_at"}
        assert (made["name"], made["description"], made["favorite"]) == ("News", "weekly", True)
        assert made["created_at"] == made["updated_at"]
        assert await front.get(f"{LISTS}/{made['list_id'].upper()}") == made
        assert await front.get(LISTS) == {"lists": [made]}

    async def test_what_is_left_out(self, front: Front) -> None:
        """Contract 2.2: `favorite` is false by default, a description that was not given is absent (1.6)."""
        made = await front.post(LISTS, {"name": "News"})
        assert made["favorite"] is False
        assert "description" not in made
        assert "deleted_at" not in made

    @pytest.mark.parametrize("name", STRANGE_NAMES)
    async def test_names_are_kept_as_they_are(self, front: Front, name: str) -> None:
        """Contract 2.2: up to 255 characters, whichever."""
        made = await front.post(LISTS, {"name": name})
        assert made["name"] == name
        assert await names_of(front, f"?name={quote(name)}") == [name]
        await front.refused("POST", LISTS, 409, json={"name": f" {name}\n" if len(name) < 254 else name})

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": None},
            {"name": ""},
            {"name": " \t"},
            {"name": "x" * 256},
            {"name": 1},
            {"name": ["x"]},
            {"name": "a\0b"},
            {"name": "\ud800"},
            {"name": "x", "favorite": "yes"},
            {"name": "x", "favorite": 1},
            {"name": "x", "description": 1},
            {"name": "x", "description": "\0"},
            [],
            "x",
        ],
    )
    async def test_bad_bodies(self, front: Front, body: Any) -> None:
        """Contract 1.8: 400 for POST and PUT alike, and nothing is made or changed."""
        kept = await front.post(LISTS, {"name": "kept"})
        await front.refused("POST", LISTS, 400, json=body)
        await front.refused("PUT", f"{LISTS}/{kept['list_id']}", 400, json=body)
        assert await front.get(LISTS) == {"lists": [kept]}

    async def test_names_are_unique(self, front: Front) -> None:
        """Contract 2.2 and 6.23: trimmed and without case; 409."""
        await front.new_list("Straße")
        for name in ("Straße", " STRAßE\t"):
            message = await front.refused("POST", LISTS, 409, json={"name": name})
            assert message == "another list of this account is named " + repr(name.strip())

    async def test_there_may_be_a_limit(self, settings: Settings, desk: Desk, token: str) -> None:
        """Contract 1.9: 400; deleted lists do not count."""
        async with open_front(settings.model_copy(update={"max_lists": 1}), desk, token) as front:
            first = await front.new_list("L")
            message = await front.refused("POST", LISTS, 400, json={"name": "more"})
            assert message == "the account has 1 lists already, as many as it may have"
            await front.delete(f"{LISTS}/{first}", 202)
            await front.work()
            await front.new_list("more")

    async def test_the_limit_is_exact_under_concurrency(self, settings: Settings, desk: Desk, token: str) -> None:
        async with open_front(settings.model_copy(update={"max_lists": 2}), desk, token) as front:
            made = (front.request("POST", LISTS, json={"name": str(number)}) for number in range(12))
            assert sorted(answer.status for answer in await asyncio.gather(*made)) == [201] * 2 + [400] * 10
            assert len(await front.pages(LISTS, "lists")) == 2

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_what_does_not_exist(self, front: Front, method: str) -> None:
        """Contract 1.8: 404, badly formed ids included."""
        tag_id = await front.new_tag("a tag is no list")
        for list_id in (str(uuid4()), tag_id):
            await front.refused(method, f"{LISTS}/{list_id}", 404, json={"name": "x"})
        for wrong in ("x", uuid4().hex, f"{uuid4()}0", "%00", "%2F", "1"):
            message = await front.refused(method, f"{LISTS}/{wrong}", 404, json={"name": "x"})
            assert message == "list_id is in an invalid format."


class TestChanging:
    """Contract v3.md 2.2, PUT."""

    async def test_what_is_left_out_is_cleared(self, front: Front) -> None:
        made = await front.post(LISTS, {"name": "News", "description": "weekly", "favorite": True})
        path = f"{LISTS}/{made['list_id'].upper()}"
        changed = await front.put(path, {"name": "News", "description": "daily", "favorite": True})
        assert (changed["description"], changed["favorite"]) == ("daily", True)
        changed = await front.put(path, {"name": "Old news"})
        assert changed == {
            "list_id": made["list_id"],
            "name": "Old news",
            "favorite": False,
            "created_at": made["created_at"],
            "updated_at": changed["updated_at"],
        }
        assert changed["updated_at"] >= made["updated_at"]
        assert await front.get(path) == changed
        assert await front.get(LISTS) == {"lists": [changed]}

    async def test_as_the_generated_client_sends_it(self, front: Front) -> None:
        """Contract 1.10, 4: `favorite` is always there."""
        list_id = await front.new_list("News", favorite=True)
        assert (await front.put(f"{LISTS}/{list_id}", {"name": "News", "favorite": False}))["favorite"] is False

    async def test_a_name_that_is_taken_is_400(self, front: Front) -> None:
        """Contract 2.2: no 409 is documented; its own name is no hindrance."""
        first, second = await front.new_list("First"), await front.new_list("Second")
        for name in ("FIRST", " first "):
            message = await front.refused("PUT", f"{LISTS}/{second}", 400, json={"name": name})
            assert message == f"another list of this account is named {name.strip()!r}"
        assert (await front.put(f"{LISTS}/{first}", {"name": "FIRST"}))["name"] == "FIRST"
        await front.new_tag("third")
        assert (await front.put(f"{LISTS}/{second}", {"name": "third"}))["name"] == "third"
        await front.new_list("second")

    async def test_two_that_want_one_name(self, front: Front) -> None:
        """Contract 1.8: one wins; the other is refused, never with a 500."""
        ids = [await front.new_list(str(number)) for number in range(8)]
        for name in ("a", "b", "c"):
            changes = (front.request("PUT", f"{LISTS}/{each}", json={"name": name}) for each in ids)
            made = front.request("POST", LISTS, json={"name": name})
            *changed, created = [answer.status for answer in await asyncio.gather(*changes, made)]
            assert sorted([*changed, {201: 200, 409: 400}[created]]) == [200] + [400] * 8
            assert (await names_of(front)).count(name) == 1

    async def test_names_that_go_round_in_a_ring(self, front: Front) -> None:
        """Each wants the next one's name, all at once: every one is refused, or the ring breaks; no deadlock."""
        ids = [await front.new_list(str(number)) for number in range(6)]
        for _ in range(5):
            changes = [
                front.request("PUT", f"{LISTS}/{list_id}", json={"name": str((number + 1) % 6)})
                for number, list_id in enumerate(ids)
            ]
            assert {answer.status for answer in await asyncio.gather(*changes)} == {400}
        assert await names_of(front) == [str(number) for number in range(6)]

    async def test_names_that_go_to_and_fro(self, front: Front) -> None:
        """Everybody gets an answer, and never a 500: nobody waits for somebody who waits for him."""
        ids = [await front.new_list(str(number)) for number in range(3)]
        for _ in range(5):
            changes = [
                front.request("PUT", f"{LISTS}/{each}", json={"name": name}) for name in "xyz012" for each in ids
            ]
            assert {answer.status for answer in await asyncio.gather(*changes)} == {200, 400}

    async def test_a_deleted_one_cannot_be_changed(self, front: Front) -> None:
        list_id = await front.new_list("News")
        await front.delete(f"{LISTS}/{list_id}", 202)
        await front.work()
        await front.refused("PUT", f"{LISTS}/{list_id}", 404, json={"name": "News"})


class TestCollection:
    """Contract v3.md 2.2, GET all, and 1.7."""

    async def test_pages_filters_and_counts(self, front: Front) -> None:
        names = [f"list {number}" for number in range(5)]
        ids = [await front.new_list(name) for name in names]
        contacts = await front.desk.make_contacts(3)
        await front.add(contacts, ids[0])
        pages = await front.pages(f"{LISTS}?limit=2&include_membership_count=all", "lists")
        assert [each["list_id"] for each in pages] == ids
        assert [each["membership_count"] for each in pages] == [3, 0, 0, 0, 0]
        counted = await front.get(f"{LISTS}?limit=1&include_count=true")
        assert counted["lists_count"] == 5
        assert "membership_count" not in counted["lists"][0]
        assert "lists_count" not in await front.get(f"{LISTS}?include_count=false")
        assert await names_of(front, f"?name={quote('list 3')}") == ["list 3"]
        for other in ("nobody", "LIST 3", " list 3", "list"):
            assert await front.get(f"{LISTS}?name={quote(other)}") == {"lists": []}
        assert (await front.get(f"{LISTS}?name={quote('list 3')}&include_count=1"))["lists_count"] == 1

    async def test_membership_counts(self, front: Front) -> None:
        """Contract 2.2: `active` counts mailable contacts only, `all` every member."""
        list_id, empty = await front.new_list("L"), await front.new_list("empty")
        people = await front.desk.make_contacts(5)
        await front.add(people, list_id)
        await front.desk.owner.execute(
            "UPDATE set_chunk SET bits = set_bit(set_bit(bits, 2, 0), 4, 0) WHERE account_id = $1 AND set_no = $2",
            front.desk.account_id,
            ACTIVE,
        )

        async def counts(query: str) -> list[int | None]:
            shown = [
                *(await front.get(f"{LISTS}?{query}"))["lists"],
                await front.get(f"{LISTS}/{list_id}?{query}"),
                await front.get(f"{LISTS}/{empty}?{query}"),
            ]
            return [each.get("membership_count") for each in shown]

        assert await counts("include_membership_count=all") == [5, 0, 5, 0]
        assert await counts("include_membership_count=active") == [3, 0, 3, 0]
        assert await counts("") == [None] * 4
        for path in (LISTS, f"{LISTS}/{list_id}"):
            for wrong in ("", "ALL", "true", "1", "all,active"):
                await front.refused("GET", f"{path}?include_membership_count={wrong}", 400)

    async def test_status(self, front: Front) -> None:
        """Contract 2.2 and 6.24: deleted ones are gone by id and visible through `status`, with `deleted_at`."""
        kept, gone = await front.new_list("kept"), await front.new_list("gone")
        await front.delete(f"{LISTS}/{gone}", 202)
        await front.work()
        await front.refused("GET", f"{LISTS}/{gone}", 404)
        assert await names_of(front) == await names_of(front, "?status=active") == ["kept"]
        assert await names_of(front, "?status=deleted") == ["gone"]
        for both in ("all", "active,deleted", "deleted,%20active", "all,deleted"):
            assert await names_of(front, f"?status={both}") == ["kept", "gone"]
        assert (await front.get(f"{LISTS}?status=deleted&include_count=1"))["lists_count"] == 1
        [shown] = (await front.get(f"{LISTS}?status=deleted&include_membership_count=all"))["lists"]
        assert shown["deleted_at"] >= shown["created_at"]
        assert shown["membership_count"] == 0
        assert "deleted_at" not in (await front.get(f"{LISTS}/{kept}"))
        for wrong in ("", "gone", "active,", "ACTIVE"):
            await front.refused("GET", f"{LISTS}?status={wrong}", 400)

    async def test_what_later_clients_ask_for(self, front: Front) -> None:
        """Contract 2.2, V 2026: `channel_type` and `include_sms_membership_count` change nothing."""
        await front.new_list("L")
        expected = await front.get(LISTS)
        for query in ("channel_type=email", "channel_type=sms", "include_sms_membership_count=1&channel_type=email"):
            assert await front.get(f"{LISTS}?{query}") == expected
        for wrong in ("channel_type=fax", "include_sms_membership_count=maybe"):
            await front.refused("GET", f"{LISTS}?{wrong}", 400)

    async def test_what_the_generated_client_always_sends(self, front: Front) -> None:
        """Contract 1.10, 1 and 2: defaults and booleans as digits."""
        await front.new_list("L")
        assert await front.get(f"{LISTS}?limit=50&include_count=0&status=active") == await front.get(LISTS)

    @pytest.mark.parametrize("limit", ["0", "1001", "-1", "x", "", "1.5", "1e2", "9" * 30, "%D9%A1"])
    async def test_limits_of_pages(self, front: Front, limit: str) -> None:
        """Contract 1.7: 1 to 1000, else 400."""
        await front.refused("GET", f"{LISTS}?limit={limit}", 400)
        assert await front.get(f"{LISTS}?limit=1000") == {"lists": []}

    async def test_a_cursor_holds_all_filters(self, front: Front) -> None:
        """Contract 1.7."""
        ids = [await front.new_list(str(number)) for number in range(4)]
        for list_id in ids[:3]:
            await front.delete(f"{LISTS}/{list_id}", 202)
        await front.work()
        assert await names_of(front, "?status=deleted&limit=1&include_membership_count=active") == ["0", "1", "2"]


class TestDeleting:
    """Contract v3.md 2.2, DELETE, 3.2.4 and 3.7."""

    async def test_the_answer_is_an_activity_without_status(self, front: Front) -> None:
        list_id = await front.new_list("L")
        answer = await front.delete(f"{LISTS}/{list_id.upper()}", 202)
        body = answer.body
        href = f"/v3/activities/{body['activity_id']}"
        assert answer.headers["Location"] == href
        assert body == {
            "activity_id": body["activity_id"],
            "state": "initialized",
            "created_at": body["created_at"],
            "updated_at": body["created_at"],
            "percent_done": 1,
            "activity_errors": [],
            "_links": {"self": {"href": href}},
        }
        assert (await front.get(href))["status"] == {}
        assert (await front.get(f"{LISTS}/{list_id}"))["list_id"] == list_id, "it is not its turn yet"
        await front.work()
        done = await front.get(href)
        assert (done["state"], done["percent_done"], done["status"]) == ("completed", 100, {"list_count": 1})
        assert [each["activity_id"] for each in (await front.get("/v3/activities"))["activities"]] == [
            body["activity_id"]
        ], "contract 3.11: activities of DELETE are listed"

    async def test_memberships_go_and_contacts_stay(self, front: Front) -> None:
        """Contract 2.2; the name is free again."""
        people = await front.desk.make_contacts(3)
        gone, kept = await gone_and_kept(front, people)
        contacts = (await front.get("/v3/contacts?include=list_memberships"))["contacts"]
        assert [each["list_memberships"] for each in contacts] == [[kept]] * 3
        assert await front.get(f"/v3/contacts?lists={gone}") == {"contacts": []}
        assert await front.new_list("GONE") != gone

    async def test_once_more(self, front: Front) -> None:
        """Contract 2.2: 404; while the first is not done, an item error."""
        list_id = await front.new_list("L")
        await front.delete(f"{LISTS}/{list_id}", 202)
        second = (await front.delete(f"{LISTS}/{list_id}", 202)).body
        await front.work()
        await front.refused("DELETE", f"{LISTS}/{list_id}", 404)
        done = await front.get(second["_links"]["self"]["href"])
        assert (done["state"], done["status"]) == ("completed", {"list_count": 0})
        assert done["activity_errors"] == [f"{list_id}: the list was deleted"]

    async def test_with_the_headers_that_clients_send(self, front: Front) -> None:
        """Contract 1.3: Content-Type on DELETE is ignored."""
        path = f"{LISTS}/{await front.new_list('L')}"
        answer = await front.request("DELETE", path, headers={"Content-Type": "application/json", "Accept": "text/csv"})
        assert answer.status == 202

    async def test_several_at_once(self, front: Front) -> None:
        """Contract 3.7 and 3.2.4: up to 100 lists, named twice is named once; `list_count` alone."""
        ids = [await front.new_list(str(number)) for number in range(100)]
        body = {"list_ids": [*ids[:99], ids[0].upper()]}
        submitted = await front.submit("list_delete", body)
        assert submitted["status"] == {}
        await front.work()
        done = await front.get(submitted["_links"]["self"]["href"])
        assert (done["state"], done["status"]) == ("completed", {"list_count": 99})
        assert await names_of(front) == ["99"]

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"list_ids": []},
            {"list_ids": None},
            {"list_ids": "x"},
            {"list_ids": [1]},
            {"list_ids": [str(uuid4())] * 101},
            {"list_ids": [uuid4().hex]},
            {"list_ids": [str(uuid4())]},
            {"tag_ids": [str(uuid4())]},
            {"list_ids": [None]},
            [],
        ],
    )
    async def test_bad_bodies(self, front: Front, body: Any) -> None:
        """Contract 3.1, 3.3 and 3.7: 400, unknown lists included, and nothing is queued."""
        await front.refused("POST", "/v3/activities/list_delete", 400, json=body)
        assert await front.get("/v3/activities") == {"activities": []}

    async def test_one_unknown_among_known_ones(self, front: Front) -> None:
        """Contract 3.3: nothing is queued."""
        list_id, tag_id = await front.new_list("L"), await front.new_tag("T")
        for wrong in (str(uuid4()), tag_id):
            body = {"list_ids": [list_id, wrong]}
            message = await front.refused("POST", "/v3/activities/list_delete", 400, json=body)
            assert message == f"list {wrong} does not exist"
        assert await names_of(front) == ["L"]

    async def test_lists_that_are_gone_are_unknown_to_bulk_requests(self, front: Front) -> None:
        """Contract 3.3; also for a process that has remembered the list's number."""
        people = await front.desk.make_contacts(1)
        gone, kept = await gone_and_kept(front, people)
        for source, target in (({"list_ids": [kept]}, gone), ({"list_ids": [gone]}, kept)):
            body = {"source": source, "list_ids": [target]}
            message = await front.refused("POST", "/v3/activities/add_list_memberships", 400, json=body)
            assert message == f"list {gone} does not exist"
            await front.refused("POST", "/v3/activities/remove_list_memberships", 404, json=body)
        assert (await front.add(people, kept))["state"] == "completed"

    async def test_the_queue_may_be_full(self, settings: Settings, desk: Desk, token: str) -> None:
        """Contract 1.9: 429."""
        async with open_front(settings.model_copy(update={"max_unfinished": 1}), desk, token) as front:
            first, second = await front.new_list("1"), await front.new_list("2")
            await front.delete(f"{LISTS}/{first}", 202)
            await front.refused("DELETE", f"{LISTS}/{second}", 429)


async def test_everybody_at_once(front: Front) -> None:
    """Lists are made, renamed and deleted while contacts are put on them: nobody is refused with a 500, no work has to
    be done twice (a deadlock would be), and counts are right."""
    random, runners = Random(7), [front.desk.worker() for _ in range(3)]
    people = [str(each) for each in await front.desk.make_contacts(60)]
    ids = [await front.new_list(str(number)) for number in range(12)]

    async def ask() -> Answer:
        list_id, name = random.choice(ids), {"name": str(random.randrange(20))}
        match random.randrange(10):
            case 0:
                return await front.request("DELETE", f"{LISTS}/{list_id}")
            case 1 | 2 | 3:
                return await front.request("PUT", f"{LISTS}/{list_id}", json=name)
            case 4 | 5:
                made = await front.request("POST", LISTS, json=name)
                ids.extend([made.body["list_id"]] if made.status == 201 else [])
                return made
            case _:
                body = {"source": {"contact_ids": random.sample(people, 20)}, "list_ids": random.sample(ids, 3)}
                return await front.request("POST", "/v3/activities/add_list_memberships", json=body)

    async def client() -> set[int]:
        statuses = set()
        for _ in range(30):
            statuses.add((await ask()).status)
            messages, front.bell.messages[:] = list(front.bell.messages), []
            await deliver_at_random(random, messages, runners)
        return statuses

    statuses = set[int]().union(*await asyncio.gather(*(client() for _ in range(8))))
    assert statuses <= {200, 201, 202, 400, 404, 409}
    await front.desk.finish_everything(*runners)
    assert {(row["state"], row["attempts"]) for row in await front.desk.rows("activity")} == {("completed", 1)}
    for row in await front.desk.rows("contact_set"):
        members = await front.desk.members(row["set_no"])
        assert not (members and row["deleted_at"])


class TestXrefs:
    """Contract v3.md 2.2, GET list_id_xrefs: the list's number is its sequence id."""

    async def test_ascending_without_the_unknown(self, front: Front) -> None:
        first = await front.new_list("1")
        await front.new_tag("a tag has a number, too")
        ids = {"1": first, **{str(number): await front.new_list(str(number)) for number in range(3, 13)}}
        found = await front.get(f"{LISTS}/list_id_xrefs?sequence_ids=12,%203,2,99,1,1,03,0,{2**31},{10**18}")
        assert found == {"xrefs": [{"sequence_id": number, "list_id": ids[number]} for number in ("1", "3", "12")]}

    async def test_deleted_ones_are_unknown(self, front: Front) -> None:
        await front.delete(f"{LISTS}/{await front.new_list('L')}", 202)
        await front.work()
        assert await front.get(f"{LISTS}/list_id_xrefs?sequence_ids=1") == {"xrefs": []}

    @pytest.mark.parametrize("given", [None, "", "x", "1,,2", "-1", "1.0", "1;2", "%D9%A1", "9" * 20])
    async def test_bad_queries(self, front: Front, given: str | None) -> None:
        """Contract 1.8: 400; the parameter is required."""
        query = "" if given is None else f"?sequence_ids={given}"
        message = await front.refused("GET", f"{LISTS}/list_id_xrefs{query}", 400)
        assert message.startswith("sequence_ids")

    async def test_at_most_500(self, front: Front) -> None:
        """Contract 1.9."""
        await front.new_list("L")

        def path(count: int) -> str:
            return f"{LISTS}/list_id_xrefs?sequence_ids=" + ",".join(map(str, range(1, count + 1)))

        assert len((await front.get(path(500)))["xrefs"]) == 1
        await front.refused("GET", path(501), 400)
