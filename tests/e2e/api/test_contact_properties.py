"""Every property of a contact that can be given, up to its limits and beyond (contract v3.md 2.1.1 to 2.1.7, 1.9)."""

import json
from typing import Any, cast
from uuid import uuid4

import pytest

from tests.e2e.api.contacts import KIM, LONG_AGO, SUBS, changed, everything, new_contact
from tests.e2e.api.front import Front

PLACES = {"city": 50, "state": 50, "postal_code": 50, "country": 50, "street": 255}
CONSENT = {"sms_consent_permission": "explicit", "consent_type": "promotional_sms"}


async def both(front: Front, status: int, **properties: Any) -> list[Any]:
    """What is answered to a new contact with these properties, and to a stored one that is to have them."""
    stored = await new_contact(front, email=f"{uuid4()}@example.org")
    email = {"address": f"{uuid4()}@example.org"} | properties.pop("email_address", {})
    body = {"email_address": email, **properties}
    new = await front.request("POST", "/v3/contacts", json={"create_source": "Account", **body})
    assert new.status == {200: 201}.get(status, status), new.content
    if status == 200:
        body["email_address"] = {**email, "address": f"{uuid4()}@example.org"}
    return [new.body, await changed(front, stored["contact_id"], status, **body)]


async def refused(front: Front, named: str, **properties: Any) -> None:
    """400 for both, in words that name the property."""
    for answer in await both(front, 400, **properties):
        assert answer[0]["error_key"] == "contacts.api.validation.error"
        assert answer[0]["error_message"].startswith(named), answer


async def new_field(front: Front, label: str) -> str:
    return str((await front.post("/v3/contact_custom_fields", {"label": label, "type": "string"}))["custom_field_id"])


# One after the other


@pytest.mark.parametrize("name", ["first_name", "last_name", "job_title", "company_name"])
async def test_names(front: Front, name: str) -> None:
    """Contract 2.1.1, 2.1.9, 2.1.11: 50 characters each, whichever they are."""
    for longest in ("x" * 50, "\U0001f4a9" * 50):
        for shown in await both(front, 200, **{name: longest}):
            assert shown[name] == longest
    wrongs: tuple[object, ...] = ("x" * 51, 5, ["x"], {}, True)
    for wrong in wrongs:
        await refused(front, name, **{name: wrong})


async def test_the_address_of_an_email(front: Front) -> None:
    """Contract 2.1.2: required inside, up to 80 characters, in POST and PUT."""
    made = await new_contact(front)
    for wrong in ({}, {"address": None}, {"permission_to_send": "explicit"}, {"address": "x" * 69 + "@example.org"}):
        body = {"create_source": "Account", "update_source": "Account", "first_name": "Kim", "email_address": wrong}
        for method, path in (("POST", "/v3/contacts"), ("PUT", f"/v3/contacts/{made['contact_id']}")):
            message = await front.refused(method, path, 400, json=body)
            assert message.startswith("email_address.address ")
    longest = "x" * 68 + "@example.org"
    assert (await changed(front, made["contact_id"], email_address={"address": longest}))["email_address"][
        "address"
    ] == longest


@pytest.mark.parametrize(
    "permission", ["implicit", "explicit", "pending_confirmation", "unsubscribed", "temp_hold", "not_set"]
)
async def test_permissions(front: Front, permission: str) -> None:
    """Contract 2.1.2, 1.11: six, in POST and PUT; of those who opted out is told who did it and when, of others not."""
    for shown in await both(front, 200, email_address={"permission_to_send": permission}):
        email = shown["email_address"]
        assert email["permission_to_send"] == permission
        assert {"opt_out_source", "opt_out_date"} & set(email) == (
            {"opt_out_source", "opt_out_date"} if permission == "unsubscribed" else set()
        )
    await refused(front, "email_address.permission_to_send", email_address={"permission_to_send": permission.upper()})


@pytest.mark.parametrize("source", ["Account", "Contact"])
async def test_who_made_it(front: Front, source: str) -> None:
    """Contract 2.1.1, 2.1.2, 2.1.9, 1.11, 5.42, 6.13: `create_source` is `opt_in_source` of its address."""
    made = await new_contact(front, create_source=source, phone_numbers=[{"phone_number": "1", "kind": "home"}])
    email = made["email_address"]
    assert (made["create_source"], email["opt_in_source"]) == (source, source)
    assert made["phone_numbers"][0]["create_source"] == made["phone_numbers"][0]["update_source"] == source
    assert "update_source" not in made
    waiting = {"address": "waiting@example.org", "permission_to_send": "pending_confirmation"}
    later = await new_contact(front, create_source=source, email_address=waiting)
    assert later["email_address"]["opt_in_source"] == source
    shown = await changed(front, made["contact_id"], update_source="Contact", create_source="Account")
    assert (shown["create_source"], shown["update_source"]) == (source, "Contact")
    for wrong in ("Landing Page", "account", None, 1):
        body = {"first_name": "Kim", "email_address": {"address": f"{uuid4()}@example.org"}}
        await front.refused("POST", "/v3/contacts", 400, json={**body, "create_source": wrong})
        await changed(front, made["contact_id"], 400, update_source=wrong)


async def test_the_reason_of_an_opt_out(front: Front) -> None:
    """Contract 2.1.2, 1.11: given by PUT, up to 255 characters; not by POST."""
    gone = {"address": KIM, "permission_to_send": "unsubscribed", "opt_out_reason": "x" * 255}
    made = await new_contact(front, email_address=gone)
    assert "opt_out_reason" not in made["email_address"]
    shown = await changed(front, made["contact_id"], email_address=gone)
    assert shown["email_address"]["opt_out_reason"] == "x" * 255
    kept = await changed(front, made["contact_id"], email_address={"address": KIM})
    assert kept["email_address"]["opt_out_reason"] == "x" * 255
    wrong = await changed(front, made["contact_id"], 400, email_address=gone | {"opt_out_reason": "x" * 256})
    assert wrong[0]["error_message"].startswith("email_address.opt_out_reason is too long")


async def test_values_of_custom_fields(front: Front) -> None:
    """Contract 2.1.3, 1.9: field and value required, the value up to 255 characters; 25 of them; the field exists."""
    ids = [await new_field(front, f"F{number}") for number in range(25)]
    values = [{"custom_field_id": each, "value": "ø" * 255} for each in ids]
    for shown in await both(front, 200, custom_fields=values):
        assert shown["custom_fields"] == values
    for wrong in ({}, {"value": 5}, {"value": None}, {"value": "x" * 256}, {"value": ["x"]}):
        await refused(front, "custom_fields[0].value", custom_fields=[{"custom_field_id": ids[0], **wrong}])
    await refused(front, "custom_fields[0].custom_field_id", custom_fields=[{"value": "x"}])
    await refused(front, "custom_field_id", custom_fields=[{"custom_field_id": str(uuid4()), "value": "x"}])
    chosen = {"custom_field_id": ids[0], "value": "x", "choice_ids": [1]}
    for shown in await both(front, 200, custom_fields=[chosen]):
        assert shown["custom_fields"] == [{"custom_field_id": ids[0], "value": "x"}]


@pytest.mark.parametrize("kind", ["home", "work", "mobile", "other"])
async def test_phone_numbers(front: Front, kind: str) -> None:
    """Contract 2.1.4: up to 25 characters, four kinds; ids, times and sources are answered."""
    given = {"phone_number": "5" * 25, "kind": kind}
    for shown in await both(front, 200, phone_numbers=[given]):
        [phone] = shown["phone_numbers"]
        assert {name: phone[name] for name in given} == given
        rest = {"phone_number_id", "created_at", "updated_at", "create_source", "update_source"}
        assert set(phone) == {*given, *rest}
        assert phone["created_at"] == phone["updated_at"] >= shown["created_at"]
        assert phone["create_source"] == phone["update_source"] == "Account"
    wrongs: tuple[dict[str, Any], ...] = ({"kind": "fax"}, {"kind": 1}, {"phone_number": "5" * 26}, {"phone_number": 5})
    for wrong in wrongs:
        await refused(front, f"phone_numbers[0].{next(iter(wrong))}", phone_numbers=[given | wrong])


async def test_a_phone_number_that_changes(front: Front) -> None:
    """Contract 2.1.4: who made it and when stays; who changed it and when is told."""
    made = await new_contact(front, phone_numbers=[{"phone_number": "1", "kind": "home"}])
    [before] = made["phone_numbers"]
    old = dict.fromkeys(("created_at", "updated_at"), LONG_AGO)
    await front.desk.owner.execute(
        "UPDATE contact SET phone_numbers = $2 WHERE contact_id = $1", made["contact_id"], json.dumps([before | old])
    )
    given = [{"phone_number": "2", "kind": "home"}]
    [after] = (await changed(front, made["contact_id"], update_source="Contact", phone_numbers=given))["phone_numbers"]
    expected = {"phone_number": "2", "update_source": "Contact", "updated_at": after["updated_at"]}
    assert after == before | old | expected
    assert after["updated_at"] > LONG_AGO


@pytest.mark.parametrize("kind", ["home", "work", "other"])
async def test_street_addresses(front: Front, kind: str) -> None:
    """Contract 2.1.5: the kind is required, street up to 255 characters and 50 of the rest; ids and times answered."""
    given = {"kind": kind, **{name: "ø" * most for name, most in PLACES.items()}}
    for shown in await both(front, 200, street_addresses=[given]):
        [address] = shown["street_addresses"]
        assert {name: address[name] for name in given} == given
        assert set(address) == {*given, "street_address_id", "created_at", "updated_at"}
    for shown in await both(front, 200, street_addresses=[{"kind": kind}]):
        assert set(shown["street_addresses"][0]) == {"kind", "street_address_id", "created_at", "updated_at"}
    for name, most in PLACES.items():
        await refused(front, f"street_addresses[0].{name}", street_addresses=[given | {name: "ø" * (most + 1)}])
    for wrong in ({}, {"kind": None}, {"kind": "mobile"}):
        await refused(front, "street_addresses[0].kind", street_addresses=[{"city": "Oslo", **wrong}])


async def test_notes(front: Front) -> None:
    """Contract 2.1.6, 1.9: up to 2,000 characters each; id and time are answered."""
    for shown in await both(front, 200, notes=[{"content": "ø" * 2000}]):
        [note] = shown["notes"]
        assert set(note) == {"note_id", "created_at", "content"}
        assert note["content"] == "ø" * 2000
    for wrong in ({}, {"content": None}, {"content": "x" * 2001}, {"content": 1}):
        await refused(front, "notes[0].content", notes=[wrong])
    await refused(front, "notes[0].note_id", notes=[{"content": "x", "note_id": "1"}])


@pytest.mark.parametrize(
    ("permission", "dated"), [("explicit", "opt_in_date"), ("opt_out", "opt_out_date"), ("pending_confirmation", "")]
)
async def test_text_message_channels(front: Front, permission: str, dated: str) -> None:
    """Contract 2.1.7: number and consents required; three permissions, one type; sources, ids and times answered."""
    consent = CONSENT | {"sms_consent_permission": permission}
    channel = {"full_sms_address": "+442071838750", "sms_channel_consents": [consent]}
    for shown in await both(front, 200, sms_channel=channel):
        sms = shown["sms_channel"]
        assert (sms["sms_address"], sms["dial_code"], sms["country_code"]) == ("2071838750", "44", "GB")
        assert sms["create_source"] == sms["update_source"] == "Account"
        [told] = sms["sms_channel_consents"]
        assert {name: told[name] for name in consent} == consent
        assert set(told) - set(consent) == {"created_at", "updated_at", dated} - {""}
    wrongs: tuple[tuple[str, dict[str, Any]], ...] = (
        ("full_sms_address", {"full_sms_address": None}),
        ("full_sms_address", {"full_sms_address": ""}),
        ("sms_channel_consents", {"sms_channel_consents": None}),
        ("sms_channel_consents", {"sms_channel_consents": []}),
        ("sms_channel_consents[0].consent_type", {"sms_channel_consents": [consent | {"consent_type": "marketing"}]}),
        (
            "sms_channel_consents[0].sms_consent_permission",
            {"sms_channel_consents": [consent | {"sms_consent_permission": "implicit"}]},
        ),
    )
    for name, wrong in wrongs:
        given = {inner: value for inner, value in {**channel, **wrong}.items() if value is not None}
        await refused(front, f"sms_channel.{name}", sms_channel=given)
    await refused(front, "full_sms_address", sms_channel=channel | {"full_sms_address": "no number"})


# How many


@pytest.mark.parametrize(
    ("name", "most"),
    [
        ("phone_numbers", 3),
        ("street_addresses", 3),
        ("notes", 150),
        ("custom_fields", 25),
        ("list_memberships", 50),
        ("taggings", 50),
    ],
)
async def test_how_many_there_may_be(front: Front, name: str, most: int) -> None:
    """Contract 1.9, 2.1.9, 2.1.11, 5.8, 5.9: so many are stored and answered, one more is 400."""
    items = [await _item(front, name, number) for number in range(most)]
    for shown in await both(front, 200, **{name: items}):
        assert len(shown[name]) == most
        assert len((await everything(front, shown["contact_id"]))[name]) == most
    await refused(front, f"{name} has {most + 1} items where at most {most} may be", **{name: [*items, items[0]]})
    wrongs: tuple[object, ...] = ({}, "x", 1, True)
    for wrong in wrongs:
        await refused(front, name, **{name: wrong})


async def _item(front: Front, name: str, number: int) -> object:
    match name:
        case "list_memberships":
            return await front.new_list(f"list {number}")
        case "taggings":
            return await front.new_tag(f"tag {number}")
        case "custom_fields":
            return {"custom_field_id": await new_field(front, f"F{number}"), "value": "x"}
        case "notes":
            return {"content": str(number)}
        case _:
            return {"kind": "home", "phone_number": str(number), "city": str(number)}


# Who it is


@pytest.mark.parametrize("name", ["email_address", "first_name", "last_name", "sms_channel"])
async def test_one_thing_that_tells_who_it_is(front: Front, name: str) -> None:
    """Contract 2.1.9: each of these is enough; without any of them 400."""
    values: dict[str, Any] = {
        "email_address": {"address": KIM},
        "sms_channel": {"full_sms_address": "+14155552671", "sms_channel_consents": [CONSENT]},
    }
    await front.post("/v3/contacts", {"create_source": "Account", name: values.get(name, "Kim")})
    lists = [await front.new_list("L")]
    rest: tuple[dict[str, Any], ...] = (
        {},
        {"first_name": "", "last_name": " "},
        {"job_title": "Baker", "company_name": "Bread & Sons", "anniversary": "2006-11-15"},
        {"phone_numbers": [{"phone_number": "1", "kind": "home"}], "notes": [{"content": "x"}]},
        {"list_memberships": lists, "birthday_month": 1, "birthday_day": 1},
    )
    for body in rest:
        message = await front.refused("POST", "/v3/contacts", 400, json={"create_source": "Account", **body})
        assert message.startswith("at least one of email_address, first_name, last_name and sms_channel")


async def test_all_that_is_wrong_is_told_at_once(front: Front) -> None:
    """Contract 1.8: `{property} {problem}`, joined with commas in one element."""
    body = {"first_name": "x" * 51, "create_source": "Me", "email_address": {}, "birthday_month": 3}
    answer = await front.request("POST", "/v3/contacts", json=body)
    assert answer.status == 400
    [refusal] = cast("list[dict[str, str]]", answer.body)
    assert refusal == {
        "error_key": "contacts.api.validation.error",
        "error_message": "first_name is too long: at most 50 characters may be given, "
        "email_address.address is missing, "
        "create_source does not have a valid value: it must be 'Account' or 'Contact'",
    }


async def test_what_is_asked_for_is_included_and_nothing_else(front: Front) -> None:
    """Contract 2.1.1, 2.1.8, 2.1.10: seven values of `include`, of one contact and of pages; none is the default."""
    channel = {"full_sms_address": "+14155552671", "sms_channel_consents": [CONSENT]}
    made = await new_contact(front, sms_channel=channel)
    subs = set(SUBS.split(","))
    paths = (f"/v3/contacts/{made['contact_id']}", "/v3/contacts")
    for path in paths:
        for included in ((), *((each,) for each in sorted(subs)), ("notes", "taggings")):
            query = f"?include={','.join(included)}" if included else ""
            answer = await front.get(path + query)
            [shown] = answer.get("contacts", [answer])
            assert subs & set(shown) == set(included)
        for wrong in ("everything", "notes,", "", "Notes", "engagement_level"):
            await front.refused("GET", f"{path}?include={wrong}", 400)
