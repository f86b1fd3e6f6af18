"""What a PUT to a contact keeps and what it clears, property by property (contract v3.md 2.1.11)."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.api.contacts import KIM, LONG_AGO, PROPERTIES, SUBS, changed, delete, everything, make_old, new_contact
from tests.e2e.api.front import Front

ARRAYS = ("custom_fields", "phone_numbers", "street_addresses", "list_memberships", "taggings", "notes")


async def changed_to(front: Front, contact_id: str, name: str, value: object, **properties: Any) -> Any:
    """The answer to a PUT with this property."""
    said: dict[str, Any] = {name: value, **properties}
    return await changed(front, contact_id, **said)


async def full_contact(front: Front) -> Any:
    """A contact that has everything, as it is shown with everything."""
    field = await front.post("/v3/contact_custom_fields", {"label": "F", "type": "string"})
    consent = {"sms_consent_permission": "explicit", "consent_type": "promotional_sms"}
    made = await new_contact(
        front,
        **PROPERTIES,
        custom_fields=[{"custom_field_id": field["custom_field_id"], "value": "x"}],
        phone_numbers=[{"phone_number": "1", "kind": "home"}],
        street_addresses=[{"kind": "work", "city": "Oslo"}],
        list_memberships=[await front.new_list("L")],
        taggings=[await front.new_tag("T")],
        notes=[{"content": "x"}],
        sms_channel={"full_sms_address": "+14155552671", "sms_channel_consents": [consent]},
    )
    shown = await everything(front, made["contact_id"])
    assert not {*PROPERTIES, *SUBS.split(",")} - set(shown)
    return shown


async def test_what_is_left_out(front: Front) -> None:
    """Contract 2.1.11, 6.7: core properties are emptied, every sub-resource stays as it is."""
    before = await full_contact(front)
    answer = await changed(front, before["contact_id"], company_name="Bread")
    assert {"company_name"} == set(PROPERTIES) & set(answer)
    assert not set(SUBS.split(",")) & set(answer), "what the request does not have is not echoed (6.9)"
    after = await everything(front, before["contact_id"])
    moved = {"updated_at": after["updated_at"], "update_source": "Account", "company_name": "Bread"}
    assert after == {name: value for name, value in before.items() if name not in PROPERTIES} | moved


@pytest.mark.parametrize("name", PROPERTIES)
@pytest.mark.parametrize("blank", [None, "", "  "])
async def test_a_blank_core_property_becomes_null(front: Front, name: str, blank: str | None) -> None:
    """Contract 2.1.11: blank is as good as left out; numbers cannot be written as text."""
    made = await new_contact(front, **PROPERTIES)
    birthday = name.startswith("birthday")
    given: dict[str, Any] = (
        PROPERTIES | (dict.fromkeys(("birthday_month", "birthday_day")) if birthday else {}) | {name: blank}
    )
    if birthday and blank is not None:
        await changed(front, made["contact_id"], 400, **given)
        return
    shown = await changed(front, made["contact_id"], **given)
    kept = {each: value for each, value in given.items() if each != name and value is not None}
    assert {each: shown.get(each) for each in PROPERTIES if each in shown} == kept


@pytest.mark.parametrize("name", ARRAYS)
async def test_an_array_takes_the_place_of_the_stored_one(front: Front, name: str) -> None:
    """Contract 2.1.11, 6.8, 6.9: `[]` empties it and it alone; the request's sub-resources are echoed, no others."""
    before = await full_contact(front)
    contact_id = before["contact_id"]
    answer = await changed_to(front, contact_id, name, [], **PROPERTIES)
    assert answer[name] == []
    assert set(SUBS.split(",")) & set(answer) == {name}
    after = await everything(front, contact_id)
    assert {each: after[each] for each in SUBS.split(",")} == {each: before[each] for each in SUBS.split(",")} | {
        name: []
    }
    other = await _other(front, name)
    await changed_to(front, contact_id, name, before[name])
    answer = await changed_to(front, contact_id, name, [other])
    [shown] = answer[name]
    assert shown == other if isinstance(other, str) else {each: shown[each] for each in other} == other
    await changed_to(front, contact_id, name, None)
    assert (await everything(front, contact_id))[name] == [shown], "null is as good as left out (1.6)"


async def _other(front: Front, name: str) -> Any:
    match name:
        case "list_memberships":
            return await front.new_list("another")
        case "taggings":
            return await front.new_tag("another")
        case "custom_fields":
            field = await front.post("/v3/contact_custom_fields", {"label": "another", "type": "string"})
            return {"custom_field_id": field["custom_field_id"], "value": "y"}
        case "notes":
            return {"content": "another"}
        case "phone_numbers":
            return {"phone_number": "2", "kind": "mobile"}
        case _:
            return {"kind": "home", "street": "1 Elm St"}


async def test_an_email_stays_as_it_is_or_is_changed(front: Front) -> None:
    """Contract 2.1.11, 6.7: left out it stays; with an address alone, permission and reason stay."""
    made = await new_contact(front, email_address={"address": KIM, "permission_to_send": "explicit"})
    shown = await changed(front, made["contact_id"], first_name="Kim")
    assert shown["email_address"] == made["email_address"]
    shown = await changed(front, made["contact_id"], email_address={"address": "new@example.org"})
    email = shown["email_address"]
    assert email == made["email_address"] | {"address": "new@example.org", "updated_at": email["updated_at"]}
    assert (await front.get(f"/v3/contacts?email={KIM}"))["contacts"] == []
    await new_contact(front)


async def test_who_changes_it_is_said(front: Front) -> None:
    """Contract 2.1.11, 2.1.1, 1.11: `update_source` is required, and shown from the first change on."""
    made = await new_contact(front)
    path = f"/v3/contacts/{made['contact_id']}"
    assert "update_source" not in made
    for wrong in ({}, {"update_source": None}, {"update_source": "Landing Page"}, {"create_source": "Account"}):
        message = await front.refused("PUT", path, 400, json={"first_name": "Kim", **wrong})
        assert message.startswith("update_source ")
    for source in ("Contact", "Account"):
        await make_old(front, made["contact_id"])
        shown = await changed(front, made["contact_id"], update_source=source)
        assert (shown["update_source"], shown["create_source"]) == (source, "Account")
        assert shown["updated_at"] > LONG_AGO


async def test_a_deleted_contact_comes_back_by_its_account_only(front: Front) -> None:
    """Contract 2.1.1, 2.1.11, 2.1.12, 6.10: `Contact` is refused and changes nothing."""
    made = await new_contact(front, first_name="Kim")
    contact_id = made["contact_id"]
    await delete(front, contact_id)
    before = await everything(front, contact_id)
    assert before["deleted_at"] == datetime.now(UTC).date().isoformat()
    message = (await changed(front, contact_id, 400, update_source="Contact", first_name="Bo"))[0]["error_message"]
    assert message.startswith("update_source does not have a valid value")
    assert await everything(front, contact_id) == before
    shown = await changed(front, contact_id, first_name="Bo")
    assert "deleted_at" not in shown
    assert shown["first_name"] == "Bo"


async def test_the_address_of_another(front: Front) -> None:
    """Contract 2.1.11, 1.8, 2.1.2: 409 with its holder's id at the very end, also of a deleted one; nothing changes."""
    made, other = await new_contact(front, first_name="Kim"), await new_contact(front, email="other@example.org")
    for is_deleted in (False, True):
        if is_deleted:
            await delete(front, other["contact_id"])
        for spelling in ("other@example.org", "OTHER@Example.org"):
            body = {"update_source": "Account", "first_name": "Bo", "email_address": {"address": spelling}}
            message = await front.refused("PUT", f"/v3/contacts/{made['contact_id']}", 409, json=body)
            assert message == f"Validation failed: Email already exists for contact {other['contact_id']}"
    assert await front.get(f"/v3/contacts/{made['contact_id']}") == made


@pytest.mark.parametrize("source", ["Account", "Contact"])
async def test_unsubscribing(front: Front, source: str) -> None:
    """Contract 2.1.11, 2.1.2, 1.11: opted out by `update_source`, now; the design's policy: it stays on its lists."""
    list_id = await front.new_list("L")
    made = await new_contact(front, list_memberships=[list_id])
    await make_old(front, made["contact_id"])
    gone = {"address": KIM, "permission_to_send": "unsubscribed"}
    shown = await changed(front, made["contact_id"], update_source=source, email_address=gone)
    email = shown["email_address"]
    assert (email["permission_to_send"], email["opt_out_source"]) == ("unsubscribed", source)
    assert email["opt_out_date"] == shown["updated_at"] > LONG_AGO
    assert (email["opt_in_source"], email["opt_in_date"]) == ("Account", LONG_AGO)
    assert (await everything(front, made["contact_id"]))["list_memberships"] == [list_id]
    back = await front.request(
        "PUT",
        f"/v3/contacts/{made['contact_id']}",
        json={"update_source": "Account", "email_address": {"address": KIM, "permission_to_send": "implicit"}},
    )
    assert back.status == (200 if source == "Account" else 400)


@pytest.mark.parametrize("name", ["list_memberships", "taggings", "custom_fields"])
async def test_what_does_not_exist(front: Front, name: str) -> None:
    """Contract 2.1.9, 2.1.11, 2.1.3, 1.8: an unknown list, tag or field in a body is 400, and nothing changes."""
    before = await full_contact(front)
    wrong: Any = {"custom_field_id": str(uuid4()), "value": "x"} if name == "custom_fields" else str(uuid4())
    answer = await changed(front, before["contact_id"], 400, first_name="Bo", **{name: [*before[name], wrong]})
    assert answer[0]["error_key"] == "contacts.api.validation.error"
    body = {"create_source": "Account", "first_name": "Bo", name: [wrong]}
    await front.refused("POST", "/v3/contacts", 400, json=body)
    assert await everything(front, before["contact_id"]) == before
    await front.refused("PUT", f"/v3/contacts/{uuid4()}", 404, json={"update_source": "Account"})
