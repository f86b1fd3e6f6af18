"""Custom fields over HTTP (contract v3.md 2.4, and custom_fields_delete of 3.7)."""

import asyncio
import json
from typing import Any
from uuid import uuid4

import pytest

from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.integration.desk import Desk

FIELDS = "/v3/contact_custom_fields"


async def new_field(front: Front, label: str, type: str = "string") -> str:  # noqa: A002
    return str((await front.post(FIELDS, {"label": label, "type": type}))["custom_field_id"])


async def import_values(front: Front, target: str, rows: str) -> None:
    answer = await front.upload(("file", rows.encode(), "people.csv"), ("list_ids", target, None))
    assert answer.status == 201
    await front.work()


async def shown_values(front: Front) -> list[dict[str, str]]:
    """By contact, what the API shows: values by field."""
    contacts = (await front.get("/v3/contacts?include=custom_fields"))["contacts"]
    return [{each["custom_field_id"]: each["value"] for each in contact["custom_fields"]} for contact in contacts]


class TestMaking:
    """Contract v3.md 2.4, POST and GET."""

    @pytest.mark.parametrize("type", ["string", "date"])
    async def test_made_and_read(self, front: Front, type: str) -> None:  # noqa: A002
        made = await front.post(FIELDS, {"label": "Vehicle make and model year", "type": type, "name": "ignored"})
        assert set(made) == {"custom_field_id", "label", "name", "type", "created_at", "updated_at"}
        assert (made["label"], made["name"]) == ("Vehicle make and model year", "Vehicle_make_and_model_year")
        assert made["type"] == type
        assert made["created_at"] == made["updated_at"]
        assert await front.get(f"{FIELDS}/{made['custom_field_id'].upper()}") == made
        assert await front.get(FIELDS) == {"custom_fields": [made]}

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"label": "x"},
            {"type": "string"},
            {"label": None, "type": "string"},
            {"label": "", "type": "string"},
            {"label": " ", "type": "string"},
            {"label": "x" * 51, "type": "string"},
            {"label": "a\0b", "type": "string"},
            {"label": "\ud800", "type": "string"},
            {"label": 1, "type": "string"},
            {"label": "x", "type": None},
            {"label": "x", "type": "String"},
            *[
                {"label": "x", "type": later}
                for later in ("datetime", "single_select", "multi_select", "currency", "text_area", "number", "boolean")
            ],
            [],
        ],
    )
    async def test_bad_bodies(self, front: Front, body: Any) -> None:
        """Contract 2.4: label and type are required, `string` and `date` are all; in POST and PUT."""
        kept = await front.post(FIELDS, {"label": "kept", "type": "string"})
        await front.refused("POST", FIELDS, 400, json=body)
        await front.refused("PUT", f"{FIELDS}/{kept['custom_field_id']}", 400, json=body)
        assert await front.get(FIELDS) == {"custom_fields": [kept]}

    @pytest.mark.parametrize("label", ["Größe 👟", "فئة", "zero\u200bwidth", "x" * 50, "\U0001f4a9" * 50, "a,b;\"'"])
    async def test_labels_of_every_script(self, front: Front, label: str) -> None:
        """Contract 1.4; 1.10, 10: neither label nor name is longer than 50 characters."""
        made = await front.post(FIELDS, {"label": label, "type": "string"})
        assert made["label"] == label
        assert len(made["name"]) <= 50

    async def test_labels_and_names_are_unique(self, front: Front) -> None:
        """Contract 2.4: 409, also for a label that gives the same name."""
        await new_field(front, "Shoe size")
        for label in ("Shoe size", "SHOE SIZE", "shoe_size", " shoe size "):
            message = await front.refused("POST", FIELDS, 409, json={"label": label, "type": "date"})
            assert message.startswith("another custom field of this account is named ")

    async def test_pages(self, front: Front) -> None:
        """Contract 1.7: 1 to 100, else 400."""
        ids = [await new_field(front, str(number)) for number in range(5)]
        assert [each["custom_field_id"] for each in await front.pages(f"{FIELDS}?limit=2", "custom_fields")] == ids
        assert len((await front.get(f"{FIELDS}?limit=100"))["custom_fields"]) == 5
        for wrong in ("0", "101", "x", ""):
            await front.refused("GET", f"{FIELDS}?limit={wrong}", 400)

    async def test_100_of_an_account(self, front: Front) -> None:
        """Contract 1.9 and 2.4: 400 for one more; a deleted one makes room at once."""
        first, *_ = await asyncio.gather(*(new_field(front, str(number)) for number in range(100)))
        message = await front.refused("POST", FIELDS, 400, json={"label": "more", "type": "string"})
        assert message == "the account has 100 custom fields already, as many as it may have"
        await front.delete(f"{FIELDS}/{first}", 204)
        await new_field(front, "more")

    async def test_the_limit_is_a_setting(self, settings: Settings, desk: Desk, token: str) -> None:
        async with open_front(settings.model_copy(update={"max_custom_fields": 2}), desk, token) as front:
            made = (front.request("POST", FIELDS, json={"label": str(n), "type": "date"}) for n in range(8))
            assert sorted(answer.status for answer in await asyncio.gather(*made)) == [201] * 2 + [400] * 6

    @pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
    async def test_what_does_not_exist(self, front: Front, method: str) -> None:
        """Contract 1.8: 404."""
        body = {"label": "x", "type": "string"}
        await front.refused(method, f"{FIELDS}/{uuid4()}", 404, json=body)
        message = await front.refused(method, f"{FIELDS}/x", 404, json=body)
        assert message == "custom_field_id is in an invalid format."


class TestChanging:
    """Contract v3.md 2.4, PUT."""

    async def test_the_name_follows_the_label(self, front: Front) -> None:
        made = await front.post(FIELDS, {"label": "Shoe size", "type": "string"})
        path = f"{FIELDS}/{made['custom_field_id']}"
        changed = await front.put(path, {"label": "Hat Size", "type": "string"})
        assert changed == made | {"label": "Hat Size", "name": "Hat_Size", "updated_at": changed["updated_at"]}
        assert await front.get(path) == changed
        assert (await front.put(path, {"label": "HAT size", "type": "string"}))["name"] == "HAT_size"
        await new_field(front, "shoe_size")

    async def test_the_type_stays(self, front: Front) -> None:
        """Contract 2.4: 400."""
        field_id = await new_field(front, "Birthday", "date")
        message = await front.refused("PUT", f"{FIELDS}/{field_id}", 400, json={"label": "B", "type": "string"})
        assert message == "type cannot be changed: this custom field is of type date"
        assert (await front.get(f"{FIELDS}/{field_id}"))["label"] == "Birthday"

    async def test_a_label_that_is_taken_is_400(self, front: Front) -> None:
        """Contract 2.4: no 409 is documented."""
        await new_field(front, "Shoe size")
        other = await new_field(front, "Hat size")
        body = {"label": "shoe_SIZE", "type": "string"}
        message = await front.refused("PUT", f"{FIELDS}/{other}", 400, json=body)
        assert message == "another custom field of this account is named 'shoe_SIZE'"

    async def test_two_that_want_one_label(self, front: Front) -> None:
        """One wins, the others are refused; a new field with it, too."""
        ids = [await new_field(front, str(number)) for number in range(6)]
        body = {"label": "one", "type": "string"}
        changes = (front.request("PUT", f"{FIELDS}/{each}", json=body) for each in ids)
        made = front.request("POST", FIELDS, json=body)
        *changed, created = [answer.status for answer in await asyncio.gather(*changes, made)]
        assert sorted([*changed, {201: 200, 409: 400}[created]]) == [200] + [400] * 6

    async def test_imports_and_segments_know_the_new_name(self, front: Front) -> None:
        """Contract 2.4: `cf:` names are matched without case."""
        target, field_id = await front.new_list("L"), await new_field(front, "Shoe size")
        await front.put(f"{FIELDS}/{field_id}", {"label": "Hat size", "type": "string"})
        await import_values(front, target, "email,CF:HAT_size,cf:shoe_size\na@example.org,44,45\n")
        assert await shown_values(front) == [{field_id: "44"}]


class TestDeleting:
    """Contract v3.md 2.4, DELETE, and 3.7."""

    async def test_values_disappear_at_once(self, front: Front) -> None:
        target = await front.new_list("L")
        gone, kept = await new_field(front, "gone"), await new_field(front, "kept")
        await import_values(front, target, "email,cf:gone,cf:kept\na@example.org,1,2\nb@example.org,3,\n")
        assert await shown_values(front) == [{gone: "1", kept: "2"}, {gone: "3"}]
        answer = await front.delete(f"{FIELDS}/{gone.upper()}", 204)
        assert answer.content == b""
        assert await shown_values(front) == [{kept: "2"}, {}]
        assert [each["custom_field_id"] for each in (await front.get(FIELDS))["custom_fields"]] == [kept]
        for method in ("GET", "DELETE", "PUT"):
            body = {"label": "gone", "type": "string"}
            await front.refused(method, f"{FIELDS}/{gone}", 404, json=body)
        stored = [row["custom_values"] for row in await front.desk.rows("contact")]
        assert sorted(map(json.loads, stored), key=str) == [{"1": "1", "2": "2"}, {"1": "3"}]

    async def test_an_activity_that_nobody_sees_erases_them(self, front: Front) -> None:
        target, gone = await front.new_list("L"), await new_field(front, "gone")
        await import_values(front, target, "email,cf:gone\na@example.org,1\n")
        listed = await front.get("/v3/activities")
        await front.delete(f"{FIELDS}/{gone}", 204)
        await front.work()
        assert await front.get("/v3/activities") == listed
        assert [row["custom_values"] for row in await front.desk.rows("contact")] == [None]
        assert [row["state"] for row in await front.desk.rows("activity")] == ["completed"] * 2

    async def test_its_name_is_free_and_its_values_do_not_come_back(self, front: Front) -> None:
        """The number of a field is never used again."""
        target, gone = await front.new_list("L"), await new_field(front, "F")
        await import_values(front, target, "email,cf:F\na@example.org,1\n")
        await front.delete(f"{FIELDS}/{gone}", 204)
        again = await new_field(front, "f")
        assert await shown_values(front) == [{}]
        await import_values(front, target, "email,cf:f\na@example.org,2\n")
        assert await shown_values(front) == [{again: "2"}]

    async def test_an_import_that_was_queued_before(self, front: Front) -> None:
        """Contract 3.3: in order; what it writes for the field, if anything, is erased after it."""
        target, gone = await front.new_list("L"), await new_field(front, "gone")
        rows = b"email,cf:gone\na@example.org,1\n"
        await front.upload(("file", rows, "people.csv"), ("list_ids", target, None))
        await front.delete(f"{FIELDS}/{gone}", 204)
        await front.work()
        assert [row["custom_values"] for row in await front.desk.rows("contact")] == [None]

    async def test_several_at_once(self, front: Front) -> None:
        """Contract 3.7 and 3.2.4: fields to delete, fields deleted."""
        target = await front.new_list("L")
        ids = [await new_field(front, f"f{number}") for number in range(4)]
        await import_values(front, target, "email,cf:f0,cf:f1,cf:f3\na@example.org,1,2,3\n")
        submitted = await front.submit("custom_fields_delete", {"custom_field_ids": [*ids[:3], ids[0].upper()]})
        assert submitted["status"] == {}
        assert await shown_values(front) == [{ids[0]: "1", ids[1]: "2", ids[3]: "3"}], "it is not its turn yet"
        await front.work()
        done = await front.get(submitted["_links"]["self"]["href"])
        assert (done["state"], done["percent_done"]) == ("completed", 100)
        assert done["status"] == {"items_total_count": 3, "items_completed_count": 3}
        assert await shown_values(front) == [{ids[3]: "3"}]
        assert [each["custom_field_id"] for each in (await front.get(FIELDS))["custom_fields"]] == [ids[3]]

    async def test_one_that_was_deleted_meanwhile(self, front: Front) -> None:
        first, second = await new_field(front, "1"), await new_field(front, "2")
        submitted = await front.submit("custom_fields_delete", {"custom_field_ids": [first, second]})
        await front.delete(f"{FIELDS}/{first}", 204)
        await front.work()
        done = await front.get(submitted["_links"]["self"]["href"])
        assert done["activity_errors"] == [f"{first}: the custom field was deleted"]
        assert done["status"] == {"items_total_count": 2, "items_completed_count": 1}

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({}, 400),
            ({"custom_field_ids": []}, 400),
            ({"custom_field_ids": [str(uuid4())] * 101}, 400),
            ({"custom_field_ids": ["x"]}, 400),
            ({"custom_field_ids": [str(uuid4())] * 100}, 404),
            ({"list_ids": [str(uuid4())]}, 400),
        ],
    )
    async def test_bad_bodies(self, front: Front, body: Any, status: int) -> None:
        """Contract 3.1, 3.3, 3.7 and 5.24: 1 to 100 ids; 404 is documented for the unknown; nothing is queued."""
        await front.refused("POST", "/v3/activities/custom_fields_delete", status, json=body)
        assert await front.get("/v3/activities") == {"activities": []}
