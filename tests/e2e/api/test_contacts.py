"""Single contacts over HTTP (contract v3.md 2.1)."""

from typing import Any
from uuid import uuid4

import pytest

from engine.sets import system
from tests.e2e.api.contacts import PROPERTIES, changed, delete, everything, is_in, new_contact, number_of
from tests.e2e.api.front import Front

NO_FIELD = {"custom_field_id": str(uuid4()), "value": "x"}
NAMES = [
    "Zoë Ångström-Nuñez",
    "李小龍",
    "Владимир",
    "عبد الرحمن",
    "नरेंद्र",
    "👩‍👩‍👧‍👦 family",
    "zero\u200bwidth\u200djoined",
    "e\u0301 combined",
    "O'Brien; DROP TABLE contact; --",
    'quote " back \\ slash',
    "\u202eright to left",
]


async def test_a_new_contact(front: Front) -> None:
    """Contract 2.1.9, 6.12, 6.13: mailable with implicit permission, opted in by whoever made it."""
    made = await new_contact(front, **PROPERTIES)
    email = made["email_address"]
    assert {name: made[name] for name in PROPERTIES} == PROPERTIES
    assert email["address"] == "kim@example.org"
    assert email["permission_to_send"] == "implicit"
    assert email["opt_in_source"] == made["create_source"] == "Account"
    assert email["confirm_status"] == "off"
    assert (
        email["opt_in_date"] == email["created_at"] == email["updated_at"] == made["created_at"] == made["updated_at"]
    )
    assert made == await front.get(f"/v3/contacts/{made['contact_id']}")
    assert not {"update_source", "deleted_at", "notes", "opt_out_date"} & {*made, *email}
    assert await is_in(front, made["contact_id"], system.EXISTS)
    assert await is_in(front, made["contact_id"], system.ACTIVE)


async def test_what_belongs_to_a_new_contact(front: Front) -> None:
    """Contract 2.1.3 to 2.1.7, 6.9: shown when the request had them."""
    list_id, tag_id = await front.new_list("a list"), await front.new_tag("a tag")
    sent = {
        "phone_numbers": [{"phone_number": "555-0100", "kind": "home"}, {"phone_number": "555-0101", "kind": "work"}],
        "street_addresses": [{"kind": "home", "street": "1 Elm St", "city": "Oslo", "postal_code": "0150"}],
        "list_memberships": [list_id, list_id],
        "taggings": [tag_id],
        "notes": [{"content": "called"}, {"content": "called again"}],
    }
    made = await new_contact(front, **sent)
    assert made["list_memberships"] == [list_id]
    assert made["taggings"] == [tag_id]
    assert [each["content"] for each in made["notes"]] == ["called again", "called"] or len(made["notes"]) == 2
    for name, ids in {"phone_numbers": "phone_number_id", "street_addresses": "street_address_id"}.items():
        assert [{k: each[k] for k in given} for each, given in zip(made[name], sent[name], strict=True)] == sent[name]  # type: ignore[call-overload]
        assert len({each[ids] for each in made[name]}) == len(made[name])
        assert all(each["created_at"] == made["created_at"] for each in made[name])
    shown = await everything(front, made["contact_id"])
    assert shown == {**made, "custom_fields": []}


@pytest.mark.parametrize(
    ("body", "problem"),
    [
        ({}, "create_source is missing"),
        ({"create_source": "Somebody", "first_name": "a"}, "create_source does not have a valid value"),
        ({"create_source": "Account"}, "at least one of email_address, first_name, last_name and sms_channel"),
        ({"create_source": "Account", "first_name": " "}, "at least one of email_address"),
        ({"create_source": "Account", "email_address": {}}, "email_address.address is missing"),
        ({"create_source": "Account", "email_address": {"address": "no"}}, "it must be an e-mail address"),
        ({"create_source": "Account", "email_address": {"address": "a@" + "b" * 80}}, "at most 80 characters"),
        ({"create_source": "Account", "email_address": "a@b.c"}, "email_address does not have a valid value"),
        ({"create_source": "Account", "first_name": "x" * 51}, "first_name is too long"),
        ({"create_source": "Account", "first_name": "a\0b"}, "NUL"),
        ({"create_source": "Account", "first_name": "a", "birthday_month": 2}, "birthday_day is missing"),
        ({"create_source": "Account", "first_name": "a", "birthday_day": 2}, "birthday_month is missing"),
        ({"create_source": "Account", "first_name": "a", "birthday_month": 2, "birthday_day": 30}, "has no day 30"),
        ({"create_source": "Account", "first_name": "a", "birthday_month": 13, "birthday_day": 3}, "at most 12"),
        ({"create_source": "Account", "first_name": "a", "anniversary": "30/30/2020"}, "it must be a date"),
        ({"create_source": "Account", "first_name": "a", "list_memberships": ["Array"]}, "UUID"),
        ({"create_source": "Account", "first_name": "a", "list_memberships": [str(uuid4())]}, "does not exist"),
        ({"create_source": "Account", "first_name": "a", "taggings": [str(uuid4())]}, "does not exist"),
        ({"create_source": "Account", "first_name": "a", "taggings": [str(uuid4())] * 51}, "at most 50"),
        ({"create_source": "Account", "first_name": "a", "custom_fields": [NO_FIELD]}, "there is no field"),
        ({"create_source": "Account", "first_name": "a", "phone_numbers": [{"phone_number": "1" * 26}]}, "too long"),
        ({"create_source": "Account", "first_name": "a", "phone_numbers": [{"phone_number": "1"}] * 4}, "at most 3"),
        ({"create_source": "Account", "first_name": "a", "street_addresses": [{"street": "x"}]}, "kind is missing"),
        ({"create_source": "Account", "first_name": "a", "street_addresses": [{"kind": "mobile"}]}, "kind does not"),
        ({"create_source": "Account", "first_name": "a", "notes": [{"content": "x" * 2001}]}, "at most 2000"),
        ({"create_source": "Account", "first_name": "a", "notes": [{"content": "x"}] * 151}, "at most 150"),
    ],
)
async def test_what_a_new_contact_cannot_be(front: Front, body: dict[str, Any], problem: str) -> None:
    """Contract 2.1.9, 1.5, 1.8, 1.9: 400, and nothing is stored."""
    assert problem in await front.refused("POST", "/v3/contacts", 400, json=body)
    assert await front.desk.rows("contact") == []
    assert await front.desk.rows("activity") == []


@pytest.mark.parametrize("spelling", ["kim@example.org", " KIM@Example.org  "])
async def test_an_address_is_one_contacts(front: Front, spelling: str) -> None:
    """Contract 2.1.9, 1.8: 409 with the id at the very end, also when that contact is deleted."""
    made = await new_contact(front)
    for _ in range(2):
        body = {"create_source": "Contact", "email_address": {"address": spelling}}
        message = await front.refused("POST", "/v3/contacts", 409, json=body)
        assert message == f"Validation failed: Email already exists for contact {made['contact_id']}"
        if not (await front.get(f"/v3/contacts/{made['contact_id']}")).get("deleted_at"):
            await delete(front, made["contact_id"])


async def test_changing_a_contact(front: Front) -> None:
    """Contract 2.1.11: core properties that are left out or blank are emptied, all else stays."""
    list_id, tag_id = await front.new_list("a list"), await front.new_tag("a tag")
    made = await new_contact(
        front,
        **PROPERTIES,
        list_memberships=[list_id],
        taggings=[tag_id],
        phone_numbers=[{"phone_number": "1", "kind": "home"}],
        street_addresses=[{"kind": "work", "city": "Oslo"}],
        notes=[{"content": "x"}],
    )
    before = await everything(front, made["contact_id"])
    shown = await changed(front, made["contact_id"], first_name="Kimberly", last_name="  ", job_title=None)
    assert shown["first_name"] == "Kimberly"
    assert not set(PROPERTIES) - {"first_name"} & set(shown)
    assert shown["update_source"] == "Account"
    after = await everything(front, made["contact_id"])
    kept = ("email_address", "list_memberships", "taggings", "phone_numbers", "street_addresses", "notes")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}


async def test_an_array_takes_the_place_of_what_is_stored(front: Front) -> None:
    """Contract 2.1.11, 6.8: `[]` empties; entries that stay keep their ids."""
    lists = [await front.new_list(f"list {number}") for number in range(3)]
    made = await new_contact(
        front,
        list_memberships=lists[:2],
        phone_numbers=[{"phone_number": "1", "kind": "home"}, {"phone_number": "2", "kind": "work"}],
        notes=[{"content": "first"}],
    )
    note_id, phones = made["notes"][0]["note_id"], made["phone_numbers"]
    shown = await changed(
        front,
        made["contact_id"],
        list_memberships=lists[1:],
        phone_numbers=[{"phone_number": "2", "kind": "work"}, {"phone_number": "3", "kind": "home"}],
        notes=[{"note_id": note_id, "content": "edited"}, {"content": "second"}],
    )
    assert set(shown["list_memberships"]) == set(lists[1:])
    assert shown["phone_numbers"][0] == phones[1]
    assert shown["phone_numbers"][1]["phone_number_id"] == phones[0]["phone_number_id"]
    assert {(each["note_id"] == note_id, each["content"]) for each in shown["notes"]} == {
        (True, "edited"),
        (False, "second"),
    }
    emptied = await changed(front, made["contact_id"], list_memberships=[], phone_numbers=[], notes=[])
    assert [emptied[name] for name in ("list_memberships", "phone_numbers", "notes")] == [[], [], []]


async def test_unsubscribing_and_coming_back(front: Front) -> None:
    """Contract 2.1.11, 6.11, and the design's policy: memberships stay, and only the contact opts in again."""
    list_id = await front.new_list("a list")
    made = await new_contact(front, list_memberships=[list_id])
    contact_id, address = made["contact_id"], "kim@example.org"
    gone = {"address": address, "permission_to_send": "unsubscribed", "opt_out_reason": "too many mails"}
    shown = await changed(front, contact_id, update_source="Contact", email_address=gone)
    email = shown["email_address"]
    assert (email["opt_out_source"], email["opt_out_reason"]) == ("Contact", "too many mails")
    assert email["opt_out_date"]
    assert not await is_in(front, contact_id, system.ACTIVE)
    assert await is_in(front, contact_id, system.UNSUBSCRIBED)
    assert (await everything(front, contact_id))["list_memberships"] == [list_id]
    back = {"address": address, "permission_to_send": "explicit"}
    await changed(front, contact_id, 400, email_address=back)
    other = await front.new_list("another")
    await changed(front, contact_id, 400, list_memberships=[list_id, other])
    shown = await changed(front, contact_id, update_source="Contact", email_address=back)
    assert shown["email_address"]["opt_in_source"] == "Contact"
    assert not {"opt_out_date", "opt_out_source", "opt_out_reason"} & set(shown["email_address"])
    assert await is_in(front, contact_id, system.ACTIVE)
    assert not await is_in(front, contact_id, system.UNSUBSCRIBED)


async def test_changes_that_are_refused(front: Front) -> None:
    """Contract 2.1.11, 1.8."""
    first, second = await new_contact(front), await new_contact(front, email="other@example.org")
    taken = {"address": "OTHER@example.org"}
    answer = await front.request(
        "PUT", f"/v3/contacts/{first['contact_id']}", json={"update_source": "Account", "email_address": taken}
    )
    assert answer.status == 409
    assert answer.message.endswith(second["contact_id"])
    assert "update_source is missing" in await front.refused(
        "PUT", f"/v3/contacts/{first['contact_id']}", 400, json={"first_name": "a"}
    )
    await front.refused("PUT", f"/v3/contacts/{uuid4()}", 404, json={"update_source": "Account"})
    assert await front.refused("PUT", "/v3/contacts/no-id", 404, json={"update_source": "Account"}) == (
        "contact_id is in an invalid format."
    )


async def test_deleting_and_reviving(front: Front) -> None:
    """Contract 2.1.12, 2.1.10, 2.1.11, 6.10, and the design's policy: tags come back, lists do not."""
    list_id, tag_id = await front.new_list("a list"), await front.new_tag("a tag")
    made = await new_contact(front, list_memberships=[list_id], taggings=[tag_id], first_name="Kim")
    contact_id = made["contact_id"]
    await delete(front, contact_id)
    await front.refused("DELETE", f"/v3/contacts/{contact_id}", 404)
    shown = await everything(front, contact_id)
    assert shown["deleted_at"] == shown["updated_at"][:10]
    assert shown["email_address"]["opt_out_source"] == "Account"
    assert shown["email_address"]["permission_to_send"] == "implicit"
    assert (shown["list_memberships"], shown["taggings"], shown["first_name"]) == ([], [], "Kim")
    assert (await front.get(f"/v3/contact_lists/{list_id}?include_membership_count=all"))["membership_count"] == 0
    assert not await is_in(front, contact_id, system.EXISTS)
    assert not await is_in(front, contact_id, system.ACTIVE)
    assert (await front.get("/v3/contacts"))["contacts"] == []
    await changed(front, contact_id, 400, update_source="Contact")
    await changed(front, contact_id, first_name="Kim")
    shown = await everything(front, contact_id)
    assert (shown["list_memberships"], shown["taggings"]) == ([], [tag_id])
    assert not {"deleted_at"} & set(shown)
    assert not {"opt_out_date", "opt_out_source"} & set(shown["email_address"])
    assert await is_in(front, contact_id, system.ACTIVE)


async def test_cross_references(front: Front) -> None:
    """Contract 2.1.14: ascending, unknown ones left out."""
    made = [await new_contact(front, email=f"c{number}@example.org") for number in range(3)]
    numbers = [await number_of(front, each["contact_id"]) for each in made]
    asked = ", ".join(map(str, [*reversed(numbers), 99_999, 2**62]))
    found = await front.get(f"/v3/contacts/contact_id_xrefs?sequence_ids={asked}")
    expected = [
        {"sequence_id": str(n), "contact_id": each["contact_id"]} for n, each in zip(numbers, made, strict=True)
    ]
    assert found == {"xrefs": expected}
    await front.refused("GET", "/v3/contacts/contact_id_xrefs", 400)
    await front.refused("GET", "/v3/contacts/contact_id_xrefs?sequence_ids=a", 400)
    many = ",".join(map(str, range(501)))
    await front.refused("GET", f"/v3/contacts/contact_id_xrefs?sequence_ids={many}", 400)


async def test_counts(front: Front) -> None:
    """Contract 2.1.15."""
    for permission, count in {"explicit": 3, "implicit": 2, "pending_confirmation": 1, "unsubscribed": 2}.items():
        for number in range(count):
            email = {"address": f"{permission}{number}@example.org", "permission_to_send": permission}
            await new_contact(front, email_address=email)
    deleted = await new_contact(front)
    await delete(front, deleted["contact_id"])
    expected = {"total": 8, "explicit": 3, "implicit": 2, "pending": 1, "unsubscribed": 2}
    assert await front.get("/v3/contacts/counts") == expected
    for spelling in ("new_subscriber", "new_subscribers"):
        found = await front.get(f"/v3/contacts/counts?include={spelling}")
        assert found == {**expected, "new_subscriber": 5}
    await front.refused("GET", "/v3/contacts/counts?include=everything", 400)


async def test_text_messages(front: Front) -> None:
    """Contract 2.1.7, 2.1.16: stored and shown; nothing has happened on the channel."""
    channel = {
        "full_sms_address": "+14155552671",
        "sms_channel_consents": [{"sms_consent_permission": "explicit", "consent_type": "promotional_sms"}],
    }
    made = await new_contact(front, sms_channel=channel)
    shown = made["sms_channel"]
    assert (shown["sms_address"], shown["dial_code"], shown["country_code"]) == ("4155552671", "1", "US")
    [consent] = shown["sms_channel_consents"]
    assert consent["sms_consent_permission"] == "explicit"
    assert consent["opt_in_date"] == made["created_at"]
    assert await front.get(f"/v3/contacts/sms_engagement_history/{made['contact_id']}") == []
    await front.refused("GET", f"/v3/contacts/sms_engagement_history/{uuid4()}", 404)
    await front.post("/v3/contacts", {"create_source": "Account", "first_name": "Nobody"})
    for status, count in {"explicit": 1, "unsubscribed": 0, "not_set": 1, "all": 2, "explicit,not_set": 2}.items():
        found = await front.get(f"/v3/contacts?sms_status={status}")
        assert len(found["contacts"]) == count, status


@pytest.mark.parametrize("name", NAMES)
async def test_names_of_every_script(front: Front, name: str) -> None:
    """Contract 2.1.1: kept as they are given."""
    made = await new_contact(front, first_name=name, notes=[{"content": name}])
    shown = await everything(front, made["contact_id"])
    assert shown["first_name"] == shown["notes"][0]["content"] == name


async def test_custom_fields_of_a_contact(front: Front) -> None:
    """Contract 2.1.3, 2.1.11, 2.4: values by field; those of a date field must be dates, and stay as they are given."""
    color = await front.post("/v3/contact_custom_fields", {"label": "Color", "type": "string"})
    day = await front.post("/v3/contact_custom_fields", {"label": "Day", "type": "date"})
    values = [
        {"custom_field_id": color["custom_field_id"], "value": "blue"},
        {"custom_field_id": day["custom_field_id"], "value": "5/17/2024"},
    ]
    made = await new_contact(front, custom_fields=values)
    assert made["custom_fields"] == values
    wrong = [{"custom_field_id": day["custom_field_id"], "value": "soon"}]
    await changed(front, made["contact_id"], 400, custom_fields=wrong)
    shown = await changed(front, made["contact_id"], custom_fields=values[:1])
    assert shown["custom_fields"] == values[:1]
    list_id = await front.new_list("a list")
    body = {"email_address": "kim@example.org", "list_memberships": [list_id], "custom_fields": values[1:]}
    await front.post("/v3/contacts/sign_up_form", body, 200)
    assert (await everything(front, made["contact_id"]))["custom_fields"] == values
    answer = await front.request("DELETE", f"/v3/contact_custom_fields/{color['custom_field_id']}")
    assert answer.status == 204
    assert (await everything(front, made["contact_id"]))["custom_fields"] == values[1:]
