"""Segments over HTTP (contract v3.md 2.5 and 4)."""

import asyncio
import json
from datetime import datetime
from typing import Any

import pytest

from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.integration.desk import Desk

SEGMENTS = "/v3/segments"


def criteria(*rules: object, kind: str = "and") -> str:
    return json.dumps({"version": "1.0.0", "criteria": {"type": kind, "group": list(rules)}})


KIM = {"source": "contact", "field": "first_name", "op": "eq", "value": "Kim"}
ADA = KIM | {"value": "Ada"}


async def new_segment(front: Front, name: str) -> Any:
    return await front.post(SEGMENTS, {"name": name, "segment_criteria": criteria(KIM)})


async def age(front: Front) -> None:
    """As if all segments had been made an hour ago: times on the wire tell seconds only."""
    await front.desk.owner.execute(
        "UPDATE segment SET created_at = created_at - interval '1 hour', edited_at = edited_at - interval '1 hour'"
        " WHERE account_id = $1",
        front.desk.account_id,
    )


class TestMaking:
    """Contract v3.md 2.5, POST and GET, and 4."""

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

    async def test_1000_of_an_account(self, settings: Settings, desk: Desk, token: str) -> None:
        """Contract 6.25: a setting, 1,000 by default; deleted ones do not count."""
        assert settings.max_segments == 1000
        async with open_front(settings.model_copy(update={"max_segments": 2}), desk, token) as front:
            bodies = [{"name": str(number), "segment_criteria": criteria(KIM)} for number in range(8)]
            made = (front.request("POST", SEGMENTS, json=body) for body in bodies)
            assert sorted(answer.status for answer in await asyncio.gather(*made)) == [201] * 2 + [400] * 6
            [first, _] = (await front.get(SEGMENTS))["segments"]
            await front.delete(f"{SEGMENTS}/{first['segment_id']}", 204)
            await new_segment(front, "another")

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": "S"},
            {"segment_criteria": criteria(KIM)},
            {"name": "", "segment_criteria": criteria(KIM)},
            {"name": " ", "segment_criteria": criteria(KIM)},
            {"name": "x" * 256, "segment_criteria": criteria(KIM)},
            {"name": "a\0", "segment_criteria": criteria(KIM)},
            {"name": "S", "segment_criteria": json.loads(criteria(KIM))},
            {"name": "S", "segment_criteria": criteria(KIM) + " " * 20_000},
            {"name": "S", "segment_criteria": None},
        ],
    )
    async def test_bad_bodies(self, front: Front, body: Any) -> None:
        """Contract 2.5: both are required, the criteria are a text of at most 20,000 characters; POST and PUT."""
        kept = await new_segment(front, "kept")
        await front.refused("POST", SEGMENTS, 400, json=body)
        await front.refused("PUT", f"{SEGMENTS}/{kept['segment_id']}", 400, json=body)
        assert await front.get(f"{SEGMENTS}/{kept['segment_id']}") == kept

    async def test_what_is_asked_of_the_collection(self, front: Front) -> None:
        """Contract 2.5 and 1.7: `limit` 1 to 1000, `sort_by` `name` or `date`."""
        assert await front.get(SEGMENTS) == {"segments": []}
        assert await front.get(f"{SEGMENTS}?limit=1000&sort_by=date") == {"segments": []}
        for wrong in ("limit=0", "limit=1001", "limit=x", "limit=", "sort_by=id", "sort_by=", "sort_by=NAME"):
            await front.refused("GET", f"{SEGMENTS}?{wrong}", 400)


class TestChanging:
    """Contract v3.md 2.5, PUT and PATCH."""

    async def test_name_and_criteria(self, front: Front) -> None:
        made = await new_segment(front, "Kims")
        path, text = f"{SEGMENTS}/{made['segment_id']}", criteria(ADA).replace(",", " , ")
        changed = await front.put(path, {"name": "Adas", "segment_criteria": text, "unknown": 1})
        assert changed == made | {"name": "Adas", "segment_criteria": text, "edited_at": changed["edited_at"]}
        assert await front.get(path) == changed

    async def test_who_is_in_it_changes_with_it(self, front: Front) -> None:
        await front.desk.make_contacts(2)
        rule = {"source": "contact", "field": "email_address", "op": "starts-with", "value": "c1"}
        made = await front.post(SEGMENTS, {"name": "S", "segment_criteria": criteria(rule)})
        path = f"{SEGMENTS}/{made['segment_id']}"
        await front.put(path, {"name": "S", "segment_criteria": criteria(rule | {"value": "c2"})})
        found = (await front.get(f"/v3/contacts?segment_id={made['segment_id']}"))["contacts"]
        assert [each["email_address"]["address"] for each in found] == ["c2@example.org"]

    async def test_the_name_alone(self, front: Front) -> None:
        """Contract 2.5: PATCH answers the full segment."""
        made = await new_segment(front, "Kims")
        answer = await front.request("PATCH", f"{SEGMENTS}/{made['segment_id']}/name", json={"name": "KIMS"})
        assert answer.status == 200
        assert answer.body == made | {"name": "KIMS", "edited_at": answer.body["edited_at"]}
        wrong: list[Any] = [{}, {"name": ""}, {"name": None}, {"name": "x" * 256}, []]
        for body in wrong:
            await front.refused("PATCH", f"{SEGMENTS}/{made['segment_id']}/name", 400, json=body)

    async def test_edited_at_moves_when_something_changes(self, front: Front) -> None:
        made = await new_segment(front, "S")
        path, same = f"{SEGMENTS}/{made['segment_id']}", {"name": "S", "segment_criteria": criteria(KIM)}

        async def moves(method: str, path: str, body: Any) -> bool:
            await age(front)
            answer = await front.request(method, path, json=body)
            created, edited = (datetime.fromisoformat(answer.body[name]) for name in ("created_at", "edited_at"))
            return bool(edited > created)

        assert not await moves("PUT", path, same)
        assert not await moves("PATCH", f"{path}/name", {"name": "S"})
        assert await moves("PATCH", f"{path}/name", {"name": "s"})
        assert await moves("PUT", path, same | {"segment_criteria": criteria(ADA)})
        assert await moves("PUT", path, same | {"name": "T"})

    async def test_the_last_edited_comes_first(self, front: Front) -> None:
        """Contract 2.5, sort_by=date."""
        for name in ("a", "b"):
            await new_segment(front, name)
            await age(front)
        await front.request("PATCH", f"{SEGMENTS}/1/name", json={"name": "c"})
        assert [each["name"] for each in (await front.get(SEGMENTS))["segments"]] == ["c", "b"]

    async def test_a_name_in_use_is_409(self, front: Front) -> None:
        first, second = await new_segment(front, "First"), await new_segment(front, "Second")
        path = f"{SEGMENTS}/{second['segment_id']}"
        body = {"name": " FIRST ", "segment_criteria": criteria(KIM)}
        message = "another segment of this account is named 'FIRST'"
        assert await front.refused("PUT", path, 409, json=body) == message
        assert await front.refused("PATCH", f"{path}/name", 409, json=body) == message
        assert await front.put(f"{SEGMENTS}/{first['segment_id']}", body)

    async def test_several_that_want_one_name(self, front: Front) -> None:
        ids = [(await new_segment(front, str(number)))["segment_id"] for number in range(8)]
        changes = (front.request("PATCH", f"{SEGMENTS}/{each}/name", json={"name": "one"}) for each in ids)
        assert sorted(answer.status for answer in await asyncio.gather(*changes)) == [200] + [409] * 7

    async def test_names_that_go_to_and_fro(self, front: Front) -> None:
        """Everybody gets an answer, and never a 500: nobody waits for somebody who waits for him."""
        ids = [(await new_segment(front, str(number)))["segment_id"] for number in range(3)]
        for _ in range(5):
            changes = [
                front.request("PATCH", f"{SEGMENTS}/{each}/name", json={"name": name})
                for name in "xyz012"
                for each in ids
            ]
            assert {answer.status for answer in await asyncio.gather(*changes)} == {200, 409}


class TestDeleting:
    """Contract v3.md 2.5, DELETE."""

    async def test_gone_from_the_collection_but_not_by_id(self, front: Front) -> None:
        made = await new_segment(front, "S")
        path = f"{SEGMENTS}/{made['segment_id']}"
        assert (await front.delete(path, 204)).content == b""
        assert await front.get(SEGMENTS) == {"segments": []}
        assert await front.get(path) == made, "contract 2.5: no deleted marker exists"
        await front.refused("GET", f"/v3/contacts?segment_id={made['segment_id']}", 404)
        for method, tail in (("PUT", ""), ("PATCH", "/name"), ("DELETE", "")):
            body = {"name": "T", "segment_criteria": criteria(KIM)}
            message = await front.refused(method, path + tail, 404, json=body)
            assert message == f"there is no segment {made['segment_id']}"

    async def test_the_name_is_free_again(self, front: Front) -> None:
        made = await new_segment(front, "S")
        await front.delete(f"{SEGMENTS}/{made['segment_id']}", 204)
        assert (await new_segment(front, " s"))["segment_id"] == made["segment_id"] + 1

    async def test_what_was_queued_with_it_goes_on(self, front: Front) -> None:
        """Contract 3.3: criteria are those of the time when the activity was queued."""
        people = await front.desk.make_contacts(2)
        target = await front.new_list("L")
        rule = {"source": "contact", "field": "first_name", "op": "is-empty"}
        made = await front.post(SEGMENTS, {"name": "S", "segment_criteria": criteria(rule)})
        body = {"source": {"segment_id": made["segment_id"]}, "list_ids": [target]}
        submitted = await front.submit("add_list_memberships", body)
        await front.delete(f"{SEGMENTS}/{made['segment_id']}", 204)
        await front.work()
        done = await front.get(submitted["_links"]["self"]["href"])
        assert done["status"]["items_completed_count"] == len(people)
        await front.refused("POST", "/v3/activities/add_list_memberships", 400, json=body)

    @pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
    async def test_what_does_not_exist(self, front: Front, method: str) -> None:
        """Contract 1.8: 404."""
        tail = "/name" if method == "PATCH" else ""
        body = {"name": "T", "segment_criteria": criteria(KIM)}
        await front.refused(method, f"{SEGMENTS}/1{tail}", 404, json=body)
        for wrong in ("x", "-1", "1.0", str(2**31), "%D9%A1"):
            message = await front.refused(method, f"{SEGMENTS}/{wrong}{tail}", 404, json=body)
            assert message == "segment_id is in an invalid format."
