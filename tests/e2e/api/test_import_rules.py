"""What imports make of single rows and of contacts that are known, over HTTP (contract v3.md 3.8 and 3.9)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.api.contacts import KIM, changed, everything, new_contact
from tests.e2e.api.front import Front

PARTS = ("street", "street2", "city", "state", "zip", "country")


async def imported(front: Front, *rows: dict[str, Any], **body: Any) -> Any:
    """The ended import of these rows."""
    body = {"import_data": rows, "list_ids": [await front.new_list(f"imported {uuid4()}")], **body}
    return await front.finished("contacts_json_import", body)


async def uploaded(front: Front, text: str, *parts: tuple[str, str, None]) -> Any:
    """The ended import of a CSV file."""
    list_ids = ("list_ids", await front.new_list(f"uploaded {uuid4()}"), None)
    answer = await front.upload(("file", text.encode(), "people.csv"), list_ids, *parts)
    assert answer.status == 201, answer.content
    await front.work()
    return await front.get(answer.body["_links"]["self"]["href"])


async def only_contact(front: Front) -> Any:
    [contact] = (await front.get("/v3/contacts"))["contacts"]
    return await everything(front, contact["contact_id"])


class TestDateFields:
    """Contract v3.md 2.4 and 1.5: the value of a date field is a day in one of the nine forms, stored as given."""

    @pytest.fixture
    async def field_id(self, front: Front) -> str:
        made = await front.post("/v3/contact_custom_fields", {"label": "Joined", "type": "date"})
        return str(made["custom_field_id"])

    @pytest.mark.parametrize("day", ["05/17/2024", "5/7/2024", "2024/5/7", "2024-05-17", "5-17-2024", "02/29/2024"])
    async def test_a_day_is_stored_as_it_is_given(self, front: Front, field_id: str, day: str) -> None:
        """Contract v3.md 2.4."""
        await imported(front, {"email": KIM, "cf:joined": day})
        assert (await only_contact(front))["custom_fields"] == [{"custom_field_id": field_id, "value": day}]

    @pytest.mark.parametrize("wrong", ["soon", "2023-02-29", "13/01/2024", "2024-05-17T00:00:00Z", "2024"])
    @pytest.mark.parametrize("way", ["CSV", "JSON"])
    async def test_no_day_is_a_row_error_that_somebody_can_correct(
        self, front: Front, field_id: str, way: str, wrong: str
    ) -> None:
        """Contract v3.md 1.5 and 3.2.4."""
        row = {"email": KIM, "cf:joined": wrong}
        if way == "CSV":
            ended = await uploaded(front, ",".join(row) + "\n" + ",".join(row.values()) + "\n")
        else:
            ended = await imported(front, row)
        assert (ended["status"]["correctable_count"], ended["status"]["error_count"]) == (1, 0)
        [text] = ended["activity_errors"]
        assert f"cf:joined is {wrong}; use a date as" in text
        assert await front.get("/v3/contacts") == {"contacts": []}


class TestKinds:
    """Contract v3.md 3.8 and 3.9: phone numbers and addresses by kind; a contact has three of each (1.9)."""

    async def test_every_phone_heading(self, front: Front) -> None:
        """Contract v3.md 3.8 and 3.9: `phone` is of kind `other`, the others of their own; in CSV and in JSON."""
        headings = {"phone": "other", "home_phone": "home", "work_phone": "work", "mobile_phone": "mobile"}
        headings["other_phone"] = "other"
        for number, (heading, kind) in enumerate(headings.items()):
            await imported(front, {"email": f"json{number}@example.org", heading: "5"})
            await uploaded(front, f"email,{heading}\ncsv{number}@example.org,5\n")
            shown = (await front.get("/v3/contacts?include=phone_numbers"))["contacts"][-2:]
            assert [[(each["kind"], each["phone_number"]) for each in c["phone_numbers"]] for c in shown] == [
                [(kind, "5")]
            ] * 2

    @pytest.mark.parametrize(
        ("kind", "beginning"), [("home", ""), ("home", "home_"), ("work", "work_"), ("other", "other_")]
    )
    @pytest.mark.parametrize("way", ["CSV", "JSON"])
    async def test_every_part_of_an_address(self, front: Front, way: str, kind: str, beginning: str) -> None:
        """Contract v3.md 3.8 and 3.9: `street2` is appended to `street` with a blank, `zip` is the postal code."""
        row = {"email": KIM} | {beginning + part: part.upper() for part in PARTS}
        if way == "CSV":
            await uploaded(front, ",".join(row) + "\n" + ",".join(row.values()) + "\n")
        else:
            await imported(front, row)
        [address] = (await only_contact(front))["street_addresses"]
        parts = {name: address[name] for name in ("street", "city", "state", "postal_code", "country")}
        assert address["kind"] == kind
        assert parts == {
            "street": "STREET STREET2",
            "city": "CITY",
            "state": "STATE",
            "postal_code": "ZIP",
            "country": "COUNTRY",
        }

    async def test_of_several_numbers_of_a_kind_one_changes(self, front: Front) -> None:
        """Contract v3.md 3.9: only what is given changes: the first of the kind, unless one is the same already."""
        numbers = [{"kind": "home", "phone_number": "1"}, {"kind": "home", "phone_number": "2"}]
        contact_id = (await new_contact(front, phone_numbers=numbers))["contact_id"]

        async def after(**row: str) -> list[tuple[str, str]]:
            assert (await imported(front, {"email": KIM, **row}))["activity_errors"] == []
            shown = await everything(front, contact_id)
            return [(each["kind"], each["phone_number"]) for each in shown["phone_numbers"]]

        assert await after(home_phone="3", work_phone="4") == [("home", "3"), ("home", "2"), ("work", "4")]
        assert await after(home_phone="2", work_phone="5") == [("home", "3"), ("home", "2"), ("work", "5")]

    async def test_of_several_addresses_of_a_kind_one_changes(self, front: Front) -> None:
        """Contract v3.md 3.9."""
        addresses = [{"kind": "home", "city": "Oslo"}, {"kind": "home", "city": "Bergen", "street": "1 Elm St"}]
        contact_id = (await new_contact(front, street_addresses=addresses))["contact_id"]

        async def after(**row: str) -> list[tuple[str, str]]:
            await imported(front, {"email": KIM, **row})
            shown = await everything(front, contact_id)
            return [(each["city"], each.get("street", "")) for each in shown["street_addresses"]]

        assert await after(city="Bergen", first_name="Kim") == [("Oslo", ""), ("Bergen", "1 Elm St")]
        assert await after(city="Bodø") == [("Bodø", ""), ("Bergen", "1 Elm St")]

    @pytest.mark.parametrize(
        ("stored", "row", "code", "what"),
        [
            (
                {"phone_numbers": [{"kind": "home", "phone_number": str(number)} for number in range(3)]},
                {"work_phone": "9"},
                "too_many_phones",
                "phone numbers",
            ),
            (
                {"street_addresses": [{"kind": "home", "city": str(number)} for number in range(3)]},
                {"work_city": "Oslo"},
                "too_many_addresses",
                "street addresses",
            ),
        ],
    )
    async def test_what_there_is_no_room_for_is_told(
        self, front: Front, stored: dict[str, Any], row: dict[str, str], code: str, what: str
    ) -> None:
        """Contract v3.md 1.9: three at most, whatever their kinds; what is left out is an error of its row."""
        [(name, entries)] = stored.items()
        contact_id = (await new_contact(front, **stored))["contact_id"]
        before = (await everything(front, contact_id))[name]
        ended = await imported(front, {"email": KIM, **row})
        message = f"row 1: a contact may have three {what}; one of a further kind was left out"
        assert ended["activity_errors"] == [f"{KIM}: {message}"]
        [error] = await front.pages(f"{ended['_links']['self']['href']}/errors", "errors")
        assert error["code"] == code
        assert (await everything(front, contact_id))[name] == before
        await changed(front, contact_id, **{name: entries[:2]})
        assert (await imported(front, {"email": KIM, **row}))["activity_errors"] == []
        assert len((await everything(front, contact_id))[name]) == 3


class TestRequests:
    @pytest.mark.parametrize("wrong", ["maybe", "", "EXPLICIT"])
    async def test_the_permission_to_send_text_messages(self, front: Front, wrong: str) -> None:
        """Contract v3.md 3.8 and 3.9: `not_set` or `explicit`; anything else is 400."""
        list_id = await front.new_list("L")
        parts = ("list_ids", list_id, None), ("file", b"email\na@example.org\n", "people.csv")
        for good in ("not_set", "explicit"):
            assert (await front.upload(*parts, ("sms_permission_to_send", good, None))).status == 201
        answer = await front.upload(*parts, ("sms_permission_to_send", wrong, None))
        assert (answer.status, "sms_permission_to_send" in answer.message) == (400, True)
        body = {"import_data": [{"email": KIM}], "list_ids": [list_id], "sms_permission_to_send": wrong}
        assert "sms_permission_to_send" in await front.refused(
            "POST", "/v3/activities/contacts_json_import", 400, json=body
        )

    async def test_fifty_lists(self, front: Front) -> None:
        """Contract v3.md 3.8 and 3.9: 1 to 50 lists, and everybody on every one of them."""
        lists = [await front.new_list(f"L{number}") for number in range(50)]
        row = {"email": KIM}
        ended = await front.finished("contacts_json_import", {"import_data": [row], "list_ids": lists})
        assert ended["changed_count"] == 50
        assert (await only_contact(front))["list_memberships"] == lists

    async def test_the_email_of_a_row_is_shorter_than_that_of_a_contact(self, front: Front) -> None:
        """Contract v3.md 3.8, 3.9 and 5.35: at most 50 characters, though a contact's may have 80."""
        long = "k" * 39 + "@example.org"
        await new_contact(front, email=long)
        ended = await imported(front, {"email": long[1:]}, {"email": long})
        assert (ended["status"]["person_count"], ended["status"]["correctable_count"]) == (1, 1)

    async def test_who_made_and_changed_a_contact(self, front: Front) -> None:
        """Contract v3.md 3.9, 6.21 and 6.22: the account; what an import changes moves `updated_at`."""
        contact_id = (await new_contact(front))["contact_id"]
        await front.desk.owner.execute(
            "UPDATE contact SET updated_at = '2020-01-01', create_source = 'Contact' WHERE account_id = $1",
            front.desk.account_id,
        )
        await imported(front, {"email": KIM, "first_name": "Kim"}, {"email": "new@example.org"})
        known, new = (await front.get("/v3/contacts"))["contacts"]
        assert (known["contact_id"], known["create_source"], known["update_source"]) == (
            contact_id,
            "Contact",
            "Account",
        )
        assert known["updated_at"] > "2020-01-02"
        assert new["create_source"] == new["email_address"]["opt_in_source"] == "Account"
        assert "update_source" not in new
