"""What other dialects know of and have no calls to make: events, companies, fields of a list, abbreviations of tags.

Extensions of v3 (issue 4: administration that the wire formats lack).
"""

import json
from typing import Any
from uuid import uuid4

import pytest

from engine.activities.inline import Inline
from engine.contacts.changes import Changes
from engine.operations.contact_save import SaveContact
from engine.operations.members_change import ChangeMembers
from tests.e2e.api.front import Front

LARGE = (0, 10**9, 2**31, 10**18, 10**40)


async def new_field(front: Front, **said: Any) -> Any:
    return await front.post("/v3/field_definitions", said)


class TestEvents:
    async def test_from_its_making_to_its_end(self, front: Front) -> None:
        body = {
            "name": "Gala",
            "code": "GALA26",
            "starts_at": "2036-05-01T10:00:00+02:00",
            "ends_at": "2036-05-01T23:00:00Z",
        }
        made = await front.post("/v3/events", body)
        path = f"/v3/events/{made['event_id']}"
        assert made["starts_at"] == "2036-05-01T08:00:00+00:00"
        assert (made["name"], made["code"], made["invited_count"]) == ("Gala", "GALA26", 0)
        assert await front.get(path) == made
        await front.post("/v3/events", {"name": "Other"})
        assert [each["name"] for each in await front.pages("/v3/events?limit=1", "events")] == ["Gala", "Other"]
        changed = await front.put(path, {"name": "Ball"})
        assert changed.keys() == made.keys() - {"code", "starts_at", "ends_at"}
        cancelled = await front.post(f"{path}/cancel", None, 200)
        assert cancelled == await front.get(path) == {**changed, "cancelled_at": cancelled["cancelled_at"]}
        await front.refused("POST", "/v3/events", 409, json={"name": "ball"})
        await front.refused("PUT", path, 409, json={"name": " OTHER "})

    @pytest.mark.parametrize(
        "body",
        [
            {},
            {"name": " "},
            {"name": "x" * 256},
            {"name": "x\0"},
            {"name": "x", "code": 7},
            {"name": "x", "starts_at": "soon"},
            {"name": "x", "starts_at": "2036-05-01"},
            {"name": "x", "starts_at": "2036-05-01T10:00:00"},
            {"name": "x", "starts_at": "2036-05-02T00:00:00Z", "ends_at": "2036-05-01T00:00:00Z"},
            {"name": "x", "ends_at": "9999-12-31T23:59:59-23:59"},
            [],
        ],
    )
    async def test_what_is_no_event(self, front: Front, body: object) -> None:
        await front.refused("POST", "/v3/events", 400, json=body)


class TestCompanies:
    async def test_made_and_renamed(self, front: Front) -> None:
        made = await front.post("/v3/companies", {"name": " Fern & Co "})
        path = f"/v3/companies/{made['company_id']}"
        assert made.keys() == {"company_id", "name", "contacts_count", "created_at", "updated_at"}
        await front.post("/v3/companies", {"name": "Acorn"})
        assert [each["contacts_count"] for each in await front.pages("/v3/companies?limit=1", "companies")] == [0, 0]
        assert (await front.put(path, {"name": "Fern Labs"}))["name"] == (await front.get(path))["name"] == "Fern Labs"
        await front.refused("POST", "/v3/companies", 409, json={"name": "ACORN"})
        await front.refused("PUT", path, 409, json={"name": "acorn"})
        await front.refused("POST", "/v3/companies", 400, json={"name": ""})


@pytest.mark.parametrize(("resource", "member"), [("companies", "company_id"), ("events", "event_id")])
async def test_deleted_with_who_is_in_them(front: Front, resource: str, member: str) -> None:
    """By an activity, as tags are; contacts stay, the name is free, and a number of another kind is nobody's."""
    await front.desk.make_contacts(3)
    number = (await front.post(f"/v3/{resource}", {"name": "Fern"}))[member]
    other = (await front.desk.new_list()).set_no
    await front.desk.deliver((await front.desk.submit(ChangeMembers((1, 2), on=(number, other)))).messages)
    path = f"/v3/{resource}/{number}"
    deletion = await front.delete(path, 202)
    assert deletion.headers["Location"] == deletion.body["_links"]["self"]["href"]
    assert deletion.body["state"] == "initialized"
    await front.work()
    ended = await front.get(deletion.headers["Location"])
    assert (ended["state"], ended["changed_count"]) == ("completed", 2)
    assert await front.get(f"/v3/{resource}") == {resource: []}
    for method in ("GET", "PUT", "DELETE"):
        await front.refused(method, path, 404, json={"name": "x"} if method == "PUT" else None)
    await front.refused("DELETE", f"/v3/{resource}/{other}", 404)
    assert await front.desk.members(other) == {1, 2}
    assert (await front.post(f"/v3/{resource}", {"name": "FERN"}))[member] > number
    assert len((await front.get("/v3/contacts"))["contacts"]) == 3


class TestFieldDefinitions:
    async def test_from_its_making_to_its_end(self, front: Front) -> None:
        list_id = await front.new_list("Customers")
        wide = await new_field(front, label="Diet")
        made = await new_field(
            front,
            label="Diet",
            type="choice",
            list_id=list_id,
            choices=["None", "Vegan"],
            default_value="None",
            position=2,
            required=True,
            editability="editable",
        )
        path = f"/v3/field_definitions/{made['field_id']}"
        assert [each["value"] for each in made["choices"]] == ["None", "Vegan"]
        assert (made["list_id"], made["position"], made["required"]) == (list_id, 2, True)
        assert await front.get(path) == made
        assert await front.pages("/v3/field_definitions?limit=1", "field_definitions") == [wide, made]
        assert await front.pages(f"/v3/field_definitions?list_id={list_id}", "field_definitions") == [made]
        await front.refused("POST", "/v3/field_definitions", 409, json={"label": "diet", "list_id": list_id})
        await front.refused("PUT", path, 409, json={"label": "DIET"})
        moved = await front.put(path, {"label": "Food", "type": "choice", "choices": ["Vegan"]})
        assert moved.keys() == made.keys() - {"list_id", "default_value", "position"}
        assert moved["choices"] == [
            {"choice_id": 2, "value": "Vegan", "in_use": True},
            {"choice_id": 1, "value": "None", "in_use": False},
        ]
        await front.delete(path, 204)
        for method, body in (("GET", None), ("PUT", {"label": "x"}), ("DELETE", None)):
            await front.refused(method, path, 404, json=body)

    async def test_the_contracts_routes_see_everybodys_as_text_or_date(self, front: Front) -> None:
        """Contract v3.md 2.4: the type is string or date; whoever knows no other type may still rename such a field."""
        of_list = await new_field(front, label="Size", list_id=await front.new_list("L"))
        wide = [await new_field(front, label=each, type=each) for each in ("number", "date", "choices")]
        shown = (await front.get("/v3/contact_custom_fields"))["custom_fields"]
        assert [(each["name"], each["type"]) for each in shown] == [
            ("number", "string"),
            ("date", "date"),
            ("choices", "string"),
        ]
        path = f"/v3/contact_custom_fields/{wide[0]['custom_field_id']}"
        await front.refused("PUT", path, 400, json={"label": "Age", "type": "date"})
        assert (await front.put(path, {"label": "Age", "type": "string"}))["type"] == "string"
        assert (await front.get(f"/v3/field_definitions/{wide[0]['field_id']}"))["type"] == "number"
        hidden = f"/v3/contact_custom_fields/{of_list['custom_field_id']}"
        for method in ("GET", "DELETE"):
            await front.refused(method, hidden, 404)
        await front.refused("PUT", hidden, 404, json={"label": "x", "type": "string"})
        body = {"custom_field_ids": [of_list["custom_field_id"]]}
        await front.refused("POST", "/v3/activities/custom_fields_delete", 404, json=body)

    async def test_values_are_held_to_the_type(self, front: Front) -> None:
        """Contract v3.md 2.1.3 and 3.8: of a contact, and of a row of a file."""
        number = await new_field(front, label="Age", type="number")
        pet = await new_field(front, label="Pet", type="choices", choices=["Dog", "Cat"])

        def contact(age: str, pets: str) -> Any:
            given = [
                {"custom_field_id": number["custom_field_id"], "value": age},
                {"custom_field_id": pet["custom_field_id"], "value": pets},
            ]
            return {"create_source": "Account", "first_name": "Kim", "custom_fields": given}

        made = await front.post("/v3/contacts", contact(" 42 ", "cat,DOG"))
        assert [each["value"] for each in made["custom_fields"]] == ["42", "Cat,Dog"]
        for wrong in (contact("old", "Dog"), contact("1", "Horse")):
            await front.refused("POST", "/v3/contacts", 400, json=wrong)
        rows = b"email,cf:Age,cf:Pet\na@example.org,7,dog\nb@example.org,old,dog\nc@example.org,7,Horse\n"
        answer = await front.upload(("file", rows, "f.csv"), ("list_ids", await front.new_list("L"), None))
        await front.work()
        ended = await front.get(answer.body["_links"]["self"]["href"])
        assert ended["status"]["correctable_count"] == 2
        [imported] = (await front.get("/v3/contacts?email=a@example.org&include=custom_fields"))["contacts"]
        assert [each["value"] for each in imported["custom_fields"]] == ["7", "Dog"]

    async def test_values_of_a_lists_fields_stay_when_everybodys_are_replaced(self, front: Front) -> None:
        """Contract v3.md 2.1.11 replaces the values that its clients can see."""
        list_id = await front.new_list("Customers")
        wide = await new_field(front, label="Colour")
        size = await new_field(front, label="Size", list_id=list_id)
        given = [{"custom_field_id": wide["custom_field_id"], "value": "blue"}]
        body = {"create_source": "Account", "first_name": "Kim", "list_memberships": [list_id], "custom_fields": given}
        made = await front.post("/v3/contacts", body)
        changes = Changes(custom_values={size["field_id"]: "XL"})
        await Inline(front.desk.db).write(front.desk.principal, SaveContact(1, changes))
        path = f"/v3/contacts/{made['contact_id']}"
        changed = await front.put(path, {"update_source": "Account", "first_name": "Kim", "custom_fields": []})
        assert changed["custom_fields"] == []
        [row] = await front.desk.rows("contact")
        assert json.loads(row["custom_values"]) == {str(size["field_id"]): "XL"}

    @pytest.mark.parametrize(
        ("said", "status"),
        [
            ({}, 400),
            ({"label": "x" * 51}, 400),
            ({"label": "x", "type": "colour"}, 400),
            ({"label": "x", "choices": ["a,b"]}, 400),
            ({"label": "x", "choices": ["a", "A "]}, 400),
            ({"label": "x", "choices": ["a\0"]}, 400),
            ({"label": "x", "choices": ["a"] * 501}, 400),
            ({"label": "x", "type": "number", "default_value": "few"}, 400),
            ({"label": "x", "position": -1}, 400),
            ({"label": "x", "position": 2**31}, 400),
            ({"label": "x", "required": "yes"}, 400),
            ({"label": "x", "property": "shoe_size"}, 400),
            ({"label": "x", "property": "email"}, 400),
            ({"label": "x", "list_id": "3"}, 400),
            ({"label": "x", "list_id": str(uuid4())}, 404),
        ],
    )
    async def test_what_is_no_definition(self, front: Front, said: Any, status: int) -> None:
        await front.refused("POST", "/v3/field_definitions", status, json=said)

    async def test_of_a_list_that_is_not_there(self, front: Front) -> None:
        await front.refused("GET", f"/v3/field_definitions?list_id={uuid4()}", 404)
        await front.refused("GET", "/v3/field_definitions?list_id=3", 400)


@pytest.mark.parametrize("resource", ["events", "companies", "field_definitions"])
async def test_ids_of_nothing(front: Front, resource: str) -> None:
    tag = await front.new_tag("T")
    for number in (*LARGE, "-1", "x", tag, "1e3", "%31%00"):
        await front.refused("GET", f"/v3/{resource}/{number}", 404)
    body = {"name": "x", "label": "x"}
    await front.refused("PUT", f"/v3/{resource}/1", 404, json=body)


async def test_abbreviations_of_tags(front: Front) -> None:
    """Contract v3.md 2.3 knows none: they are shown where there is one, and stay where they are not mentioned."""
    plain = await front.post("/v3/contact_tags", {"name": "News"})
    assert "abbreviation" not in plain
    made = await front.post("/v3/contact_tags", {"name": "Speaker", "abbreviation": "SP"})
    path = f"/v3/contact_tags/{made['tag_id']}"
    assert made["abbreviation"] == (await front.put(path, {"name": "Speakers"}))["abbreviation"] == "SP"
    assert (await front.put(path, {"name": "Speakers", "abbreviation": "S"}))["abbreviation"] == "S"
    assert [each.get("abbreviation") for each in (await front.get("/v3/contact_tags"))["tags"]] == [None, "S"]
    assert "abbreviation" not in await front.put(path, {"name": "Speakers", "abbreviation": None})
    for wrong in (7, "x" * 51, "\0"):
        await front.refused("PUT", path, 400, json={"name": "Speakers", "abbreviation": wrong})
