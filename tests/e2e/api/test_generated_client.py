"""An unmodified generated client meets the server (contract v3.md 1.10, and every operation of 2.0 and 3.1)."""

import json
from typing import Any
from uuid import UUID, uuid4

import aiohttp
import pytest

from tests.e2e.api.front import Front
from tests.e2e.api.generated_client import Broken, GeneratedClient, read

CRITERIA = (
    '{"version":"1.0.0","criteria":{"type":"and","group":[{"source":"tracking","field":"not_opened",'
    '"op":"contains-any","const_value":"last-n-campaigns","param":"5"}]}}'
)
#: What it sends although nobody asked for it (1.10, 2 and 3).
LIST_DEFAULTS: dict[str, Any] = {"limit": 50, "include_count": False}


@pytest.fixture
def client(front: Front) -> GeneratedClient:
    return GeneratedClient(front)


def new_contact(email: str, **more: Any) -> dict[str, Any]:
    return {
        "email_address": {"address": email, "permission_to_send": "implicit"},
        "create_source": "Account",
        "first_name": "Kim",
        **more,
    }


async def finished(client: GeneratedClient, submitted: Any) -> Any:
    await client.front.work()
    return await client.call("GET", f"/activities/{submitted['activity_id']}", "Activity")


async def add_to(client: GeneratedClient, source: dict[str, Any], *list_ids: str) -> Any:
    body = {"source": {"all_active_contacts": False, **source}, "list_ids": list(list_ids)}
    return await client.call("POST", "/activities/add_list_memberships", "Activity", body=body)


class TestContacts:
    async def test_every_operation(self, client: GeneratedClient) -> None:
        """Contract 2.0 and 2.1: every operation of the group, every member of a contact."""
        named = await client.call("POST", "/contact_lists", "List", body={"name": "L", "favorite": False})
        tag = await client.call("POST", "/contact_tags", "Tag", body={"name": "T"})
        field = await client.call(
            "POST", "/contact_custom_fields", "CustomField", body={"label": "Size", "type": "string"}
        )
        given = new_contact(
            "kim@example.org",
            last_name="Ode",
            birthday_month=5,
            birthday_day=17,
            anniversary="11/15/2006",
            custom_fields=[{"custom_field_id": field["custom_field_id"], "value": "M"}],
            phone_numbers=[{"phone_number": "555-0100", "kind": "home"}],
            street_addresses=[{"kind": "home", "street": "1 Elm St", "city": "Oslo"}],
            list_memberships=[named["list_id"]],
            taggings=[tag["tag_id"]],
            notes=[{"content": "called"}],
            job_title=None,
        )
        made = await client.call("POST", "/contacts", "Contact", body=given, status=201)
        assert (made["list_memberships"], made["taggings"]) == ([named["list_id"]], [tag["tag_id"]])
        path, include = (
            f"/contacts/{made['contact_id']}",
            ("custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes,sms_channel"),
        )
        found = await client.call("GET", path, "Contact", include=include)
        assert (found["anniversary"], found["custom_fields"][0]["value"]) == ("2006-11-15", "M")
        page = await client.call("GET", "/contacts", "Contacts", limit=50, include=include, include_count=True)
        assert (page["contacts"], page["contacts_count"]) == ([found], 1)
        changed = {key: value for key, value in given.items() if key != "create_source"}
        changed |= {"update_source": "Account", "first_name": "Bo", "notes": None}
        assert (await client.call("PUT", path, "Contact", body=changed))["first_name"] == "Bo"
        form = {"email_address": "kim@example.org", "list_memberships": [named["list_id"]], "last_name": "Berg"}
        acted = await client.call("POST", "/contacts/sign_up_form", "ContactAction", body=form, status=200)
        assert acted == {"contact_id": made["contact_id"], "action": "updated"}
        form["email_address"] = "new@example.org"
        await client.call("POST", "/contacts/sign_up_form", "ContactAction", body=form, status=201)
        xrefs = await client.call("GET", "/contacts/contact_id_xrefs", "ContactXrefs", sequence_ids="1,2,77")
        assert made["contact_id"] in [each["contact_id"] for each in xrefs["xrefs"]]
        counts = await client.call("GET", "/contacts/counts", "Counts", include="new_subscriber")
        assert (counts["total"], counts["new_subscriber"]) == (2, 2)
        assert await client.call("GET", f"/contacts/sms_engagement_history/{made['contact_id']}", "[SmsEvent]") == []
        await client.call("DELETE", path, status=204)
        assert (await client.call("GET", path, "Contact"))["deleted_at"]


class TestResources:
    async def test_lists(self, client: GeneratedClient) -> None:
        """Contract 2.2."""
        made = await client.call("POST", "/contact_lists", "List", body={"name": "L", "favorite": False}, status=201)
        path = f"/contact_lists/{made['list_id']}"
        page = await client.call("GET", "/contact_lists", "Lists", **LIST_DEFAULTS, include_membership_count="all")
        assert [each["membership_count"] for each in page["lists"]] == [0]
        assert "lists_count" not in page
        await client.call("GET", path, "List", include_membership_count="active")
        body = {"name": "M", "favorite": True, "description": "more"}
        assert (await client.call("PUT", path, "List", body=body))["favorite"] is True
        await client.call("GET", "/contact_lists/list_id_xrefs", "ListXrefs", sequence_ids="1,2")
        deleted = await client.call("DELETE", path, "Activity", status=202)
        assert (await finished(client, deleted))["status"] == {"list_count": 1}

    async def test_tags(self, client: GeneratedClient) -> None:
        """Contract 2.3; 1.10, 11: objects in the answer of DELETE, strings elsewhere."""
        made = await client.call("POST", "/contact_tags", "Tag", body={"name": "T"}, status=201)
        path = f"/contact_tags/{made['tag_id']}"
        assert "contacts_count" not in (await client.call("GET", "/contact_tags", "Tags", **LIST_DEFAULTS))["tags"][0]
        assert (await client.call("GET", path, "Tag", include_count=True))["contacts_count"] == 0
        assert (await client.call("PUT", path, "Tag", body={"name": "U"}))["name"] == "U"
        deleted = await client.call("DELETE", path, "TagActivity", status=202)
        assert deleted["state"] == "processing"
        assert (await finished(client, deleted))["state"] == "completed"

    async def test_custom_fields(self, client: GeneratedClient) -> None:
        """Contract 2.4; 1.10, 12: DELETE is read without a body."""
        body = {"label": "Shoe size", "type": "string"}
        made = await client.call("POST", "/contact_custom_fields", "CustomField", body=body, status=201)
        path = f"/contact_custom_fields/{made['custom_field_id']}"
        page = await client.call("GET", "/contact_custom_fields", "CustomFields", limit=50)
        assert [each["name"] for each in page["custom_fields"]] == ["Shoe_size"]
        await client.call("GET", path, "CustomField")
        await client.call("PUT", path, "CustomField", body={"label": "Size", "type": "string"})
        await client.call("DELETE", path, status=204)

    async def test_segments(self, client: GeneratedClient) -> None:
        """Contract 2.5; 1.10, 2: `limit=1000&sort_by=date` is always sent."""
        body = {"name": "S", "segment_criteria": CRITERIA}
        made = await client.call("POST", "/segments", "Segment", body=body, status=201)
        assert made["segment_criteria"] == CRITERIA
        path = f"/segments/{made['segment_id']}"
        page = await client.call("GET", "/segments", "Segments", limit="1000", sort_by="date")
        assert [each["segment_id"] for each in page["segments"]] == [made["segment_id"]]
        await client.call("GET", path, "Segment")
        await client.call("PUT", path, "Segment", body=body)
        await client.call("PATCH", f"{path}/name", "Segment", body={"name": "R"})
        await client.call("DELETE", path, status=204)


class TestActivities:
    @pytest.mark.parametrize(
        ("kind", "targets", "figures"),
        [
            ("add_list_memberships", "list_ids", {"items_total_count", "items_completed_count", "list_count"}),
            ("remove_list_memberships", "list_ids", {"items_total_count", "items_completed_count", "list_count"}),
            ("contacts_taggings_add", "tag_ids", {"items_total_count", "items_completed_count"}),
            ("contacts_taggings_remove", "tag_ids", {"items_total_count", "items_completed_count"}),
        ],
    )
    async def test_memberships(self, client: GeneratedClient, kind: str, targets: str, figures: set[str]) -> None:
        """Contract 3.4 to 3.6, 3.2.4 and 3.13; 1.10, 3: the idle flag is no source."""
        target = await (client.front.new_list if targets == "list_ids" else client.front.new_tag)("X")
        [contact_id] = await client.front.desk.make_contacts(1)
        body = {"source": {"all_active_contacts": False, "contact_ids": [str(contact_id)]}, targets: [target]}
        submitted = await client.call("POST", f"/activities/{kind}", "Activity", body=body, status=201)
        assert (submitted["status"], submitted["activity_errors"]) == ({}, [])
        ended = await finished(client, submitted)
        assert (ended["state"], ended["percent_done"], set(ended["status"])) == ("completed", 100, figures)

    @pytest.mark.parametrize(
        ("kind", "name", "figures"),
        [
            ("contacts_tags_delete", "tag_ids", {"items_total_count": 2, "items_completed_count": 2}),
            ("list_delete", "list_ids", {"list_count": 2}),
            ("custom_fields_delete", "custom_field_ids", {"items_total_count": 2, "items_completed_count": 2}),
            ("contact_delete", "contact_ids", {"items_total_count": 2, "items_completed_count": 2}),
        ],
    )
    async def test_deletions(self, client: GeneratedClient, kind: str, name: str, figures: dict[str, int]) -> None:
        """Contract 3.7, 3.2.4 and 3.13; 1.10, 8: the array of fields may be filled."""
        made = {
            "tag_ids": [await client.front.new_tag(f"T{n}") for n in range(2)],
            "list_ids": [await client.front.new_list(f"L{n}") for n in range(2)],
            "contact_ids": [str(contact_id) for contact_id in await client.front.desk.make_contacts(2)],
            "custom_field_ids": [
                (
                    await client.call(
                        "POST", "/contact_custom_fields", "CustomField", body={"label": f"F{n}", "type": "date"}
                    )
                )["custom_field_id"]
                for n in range(2)
            ],
        }
        submitted = await client.call("POST", f"/activities/{kind}", "Activity", body={name: made[name]}, status=201)
        assert submitted["status"] == {}
        ended = await finished(client, submitted)
        assert (ended["state"], ended["status"]) == ("completed", figures)

    async def test_contacts_of_lists_are_deleted(self, client: GeneratedClient) -> None:
        """Contract 3.7 and 3.2.4: `list_count` only when lists are given."""
        contacts, named = await client.front.desk.make_contacts(2), await client.front.new_list("L")
        await client.front.add(contacts, named)
        submitted = await client.call("POST", "/activities/contact_delete", "Activity", body={"list_ids": [named]})
        figures = {"items_total_count": 2, "items_completed_count": 2, "list_count": 1}
        assert (await finished(client, submitted))["status"] == figures

    async def test_exports(self, client: GeneratedClient) -> None:
        """Contract 3.2.4, 3.10, 3.13 and 3.15."""
        await client.front.desk.make_contacts(2)
        submitted = await client.call("POST", "/activities/contact_exports", "Activity", body={}, status=201)
        href = submitted["_links"]["results"]["href"]
        ended = await finished(client, submitted)
        assert ended["status"] == {"items_total_count": 2, "items_completed_count": 2}
        got = await client.front.request("GET", href, headers={"Accept": "text/csv"})
        assert (got.status, got.headers["Content-Type"].partition(";")[0]) == (200, "text/csv")
        assert got.content.startswith(b"first_name,") or b"email_address" in got.content.splitlines()[0]

    async def test_json_imports(self, client: GeneratedClient) -> None:
        """Contract 3.9 and 3.13; 1.10, 9: its keys with a blank, and of its one custom value."""
        row = {
            "email": "kim@example.org",
            "home_street": "1 Elm St",
            "home country": "Norway",
            "cf:custom_field_name": "M",
            "first_name": None,
        }
        body = {"import_data": [row, {"email": "x"}], "list_ids": [await client.front.new_list("L")]}
        submitted = await client.call("POST", "/activities/contacts_json_import", "Activity", body=body, status=201)
        ended = await finished(client, submitted)
        assert "source_file_name" not in ended
        assert ended["status"] == {
            "items_total_count": 2,
            "person_count": 1,
            "error_count": 0,
            "correctable_count": 1,
            "cannot_add_to_list_count": 0,
        }
        assert ended["activity_errors"][0] == "unknown custom field `custom_field_name`: its values are ignored"
        page = await client.call("GET", "/contacts", "Contacts", limit=50, include="street_addresses")
        [address] = page["contacts"][0]["street_addresses"]
        assert (address["street"], address["country"]) == ("1 Elm St", "Norway")

    async def test_the_literal_custom_field(self, client: GeneratedClient) -> None:
        """Contract 3.9; 1.10, 9: a field of that very name has its value."""
        body = {"label": "custom field name", "type": "string"}
        await client.call("POST", "/contact_custom_fields", "CustomField", body=body)
        rows = [{"email": "kim@example.org", "cf:custom_field_name": "M"}]
        rows_body = {"import_data": rows, "list_ids": [await client.front.new_list("L")]}
        submitted = await client.call("POST", "/activities/contacts_json_import", "Activity", body=rows_body)
        assert (await finished(client, submitted))["activity_errors"] == []
        page = await client.call("GET", "/contacts", "Contacts", include="custom_fields")
        assert [each["value"] for each in page["contacts"][0]["custom_fields"]] == ["M"]

    @pytest.mark.parametrize(("lists", "status"), [("{0},{1}", 201), ("Array", 400)])
    async def test_file_imports(self, client: GeneratedClient, lists: str, status: int) -> None:
        """Contract 3.8 and 3.13; 1.10, 7: text that lists ids, and the word that an array becomes."""
        ids = [await client.front.new_list(f"L{n}") for n in range(2)]
        form = aiohttp.FormData()
        form.add_field("file", b"email\nkim@example.org\n", filename="people.csv", content_type="text/csv")
        form.add_field("list_ids", lists.format(*ids))
        got = await client.front.request("POST", "/v3/activities/contacts_file_import", data=form)
        assert got.status == status
        if status == 201:
            ended = await finished(client, client.read(got, "Activity"))
            assert (ended["source_file_name"], ended["status"]["items_total_count"]) == ("people.csv", 2)

    async def test_the_history(self, client: GeneratedClient) -> None:
        """Contract 3.11 and 3.12; 1.10, 6: pages are asked for by their links."""
        named = await client.front.new_list("L")
        made = [(await add_to(client, {"list_ids": [named]}, named))["activity_id"] for _ in range(3)]
        await client.front.work()
        page = await client.call("GET", "/activities", "Activities", limit=2, state="completed")
        assert [each["activity_id"] for each in page["activities"]] == made[:0:-1]
        page = await client.next_page(page, "Activities")
        assert [each["activity_id"] for each in page["activities"]] == made[:1]
        assert "_links" not in page
        assert (await client.call("GET", "/activities", "Activities", limit=50))["activities"]


class TestHabits:
    """Contract 1.10, row by row, where no operation above shows it."""

    async def test_1_booleans_in_queries(self, client: GeneratedClient) -> None:
        assert "lists_count" in await client.call("GET", "/contact_lists", "Lists", include_count=True)
        assert "lists_count" not in await client.call("GET", "/contact_lists", "Lists", include_count=False)

    async def test_3_false_is_no_source_anywhere(self, client: GeneratedClient) -> None:
        named, tag = await client.front.new_list("L"), await client.front.new_tag("T")
        for source in (
            {"list_ids": [named]},
            {"tag_ids": [tag]},
            {"engagement_level": "low"},
            {"new_subscriber": True},
        ):
            assert (await add_to(client, source, named))["state"] == "initialized"
        with pytest.raises(Broken, match="this one has none"):
            await add_to(client, {}, named)

    async def test_5_garbled_dates(self, client: GeneratedClient) -> None:
        garbled = "2026-01-15 10:00:00.000000,3,Europe/Oslo".replace(" ", "%20")
        for name in ("updated_after", "updated_before", "created_after", "created_before", "optout_after"):
            query: dict[str, Any] = {name: garbled}
            with pytest.raises(Broken, match="400"):
                await client.call("GET", "/contacts", "Contacts", **query)
            query = {name: "2016-07-16"}
            await client.call("GET", "/contacts", "Contacts", **query)

    async def test_10_maxima_hold_for_what_imports_bring(self, client: GeneratedClient) -> None:
        """The longest values that an import takes come back within the maxima."""
        texts = dict.fromkeys(("first_name", "last_name", "job_title", "company_name"), "ø" * 50)
        places = dict.fromkeys(("city", "state", "zip", "country", "work_city", "other_zip"), "🙂" * 50)
        row = {
            "email": "k" * 38 + "@example.org",
            **texts,
            **places,
            "street": "x" * 200,
            "street2": "y" * 54,
            **dict.fromkeys(("phone", "home_phone", "work_phone"), "5" * 25),
            "sms_number": "+15055550100",
        }
        body = {"import_data": [row], "list_ids": [await client.front.new_list("L")]}
        ended = await client.front.finished("contacts_json_import", body)
        assert ended["activity_errors"] == []
        include = "phone_numbers,street_addresses,sms_channel,notes,taggings"
        [contact] = (await client.call("GET", "/contacts", "Contacts", include=include))["contacts"]
        assert len(contact["street_addresses"]) == len(contact["phone_numbers"]) == 3
        assert contact["sms_channel"]["sms_address"] == "5055550100"

    async def test_11_errors_are_strings(self, client: GeneratedClient) -> None:
        named = await client.front.new_list("L")
        ended = await finished(client, await add_to(client, {"contact_ids": [str(uuid4())]}, named))
        assert len(ended["activity_errors"]) == 1

    async def test_13_more_than_it_knows_is_ignored(self, client: GeneratedClient) -> None:
        """The imitation itself: additions are safe."""
        more = {"activity_id": str(UUID(int=0)), "state": "resting", "changed_count": 7, "retry_of": "x"}
        assert read(more, "Activity") == {"activity_id": str(UUID(int=0)), "state": "resting"}

    async def test_12_a_body_wherever_one_is_declared(self, client: GeneratedClient) -> None:
        """JSON with every 2xx, but 204 of the three deletions that are read without a body."""
        field = {"label": "F", "type": "string"}
        made = {
            "contacts": (await client.call("POST", "/contacts", "Contact", body=new_contact("a@x.org")))["contact_id"],
            "contact_custom_fields": (await client.call("POST", "/contact_custom_fields", "CustomField", body=field))[
                "custom_field_id"
            ],
            "segments": (
                await client.call("POST", "/segments", "Segment", body={"name": "S", "segment_criteria": CRITERIA})
            )["segment_id"],
        }
        for path, id_ in made.items():
            assert (await client.front.delete(f"/v3/{path}/{id_}", 204)).content == b""
        for path, id_ in (("lists", await client.front.new_list("L")), ("tags", await client.front.new_tag("T"))):
            assert (await client.front.delete(f"/v3/contact_{path}/{id_}", 202)).body["activity_id"]

    async def test_14_lists_and_tags_are_writable(self, client: GeneratedClient) -> None:
        lists, tags = [await client.front.new_list(n) for n in "LM"], [await client.front.new_tag(n) for n in "TU"]
        given = new_contact("kim@example.org", list_memberships=lists[:1], taggings=tags[:1])
        made = await client.call("POST", "/contacts", "Contact", body=given)
        assert (made["list_memberships"], made["taggings"]) == (lists[:1], tags[:1])
        body = {"update_source": "Account", "list_memberships": lists[1:], "taggings": tags[1:], "first_name": "Kim"}
        shown = await client.call("PUT", f"/contacts/{made['contact_id']}", "Contact", body=body)
        assert (shown["list_memberships"], shown["taggings"]) == (lists[1:], tags[1:])

    async def test_15_times_can_be_parsed(self, client: GeneratedClient) -> None:
        named = await client.front.new_list("L")
        ended = await finished(client, await add_to(client, {"list_ids": [named]}, named))
        assert ended["created_at"] <= ended["started_at"] <= ended["completed_at"] == ended["updated_at"]
        assert read("2026-01-15T10:00:00.123456789Z", "datetime").microsecond == 123456

    @pytest.mark.parametrize(
        ("value", "kind"),
        [
            (None, "string"),
            ({}, "[string]"),
            ([], "Activity"),
            ("", "datetime"),
            ("5", "integer"),
            (1, "boolean"),
            ([{"message": "x"}], "[string]"),
            ("x" * 51, "string 50"),
            (["x"] * 4, "[Phone] 3"),
        ],
    )
    def test_the_imitation_breaks(self, value: Any, kind: str) -> None:
        with pytest.raises((Broken, ValueError)):
            read(json.loads(json.dumps(value)), kind)
