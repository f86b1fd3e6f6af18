"""Consent, and what deleting leaves of it, over HTTP (contract v3.md 1.11, 2.1.2)."""

import pytest

from engine.sets import system
from tests.e2e.api.contacts import (
    KIM,
    LONG_AGO,
    changed,
    delete,
    everything,
    is_in,
    make_old,
    new_contact,
    permitted,
    sign_up,
)
from tests.e2e.api.front import Front


@pytest.mark.parametrize(
    ("first", "second", "by", "source", "opts_in", "confirmed"),
    [
        ("implicit", "explicit", "Account", "Account", False, "off"),
        ("implicit", "explicit", "Contact", "Contact", True, "off"),
        ("pending_confirmation", "explicit", "Contact", "Contact", True, "confirmed"),
        ("pending_confirmation", "implicit", "Account", "Account", True, "off"),
        ("pending_confirmation", "unsubscribed", "Contact", "Account", False, "off"),
        ("implicit", "pending_confirmation", "Account", "Account", False, "pending"),
        ("temp_hold", "implicit", "Account", "Account", False, "off"),
        ("not_set", "explicit", "Account", "Account", True, "off"),
    ],
)
async def test_what_follows_from_a_permission(
    front: Front, first: str, second: str, by: str, source: str, opts_in: bool, confirmed: str
) -> None:
    """Contract 1.11, 2.1.2, 6.13: who opted in and when, and how far it is confirmed."""
    made = await new_contact(front, email_address={"address": KIM, "permission_to_send": first})
    assert ("opt_in_date" in made["email_address"]) is (first in ("implicit", "explicit"))
    assert made["email_address"]["confirm_status"] == ("pending" if first == "pending_confirmation" else "off")
    await make_old(front, made["contact_id"])
    email = await permitted(front, made["contact_id"], second, by)
    assert (email["opt_in_source"], email["confirm_status"]) == (source, confirmed)
    assert (email["opt_in_date"] > LONG_AGO) is opts_in
    assert await is_in(front, made["contact_id"], system.ACTIVE) is (second in ("implicit", "explicit"))


async def test_a_confirmed_address_stays_so_while_it_is_on_hold(front: Front) -> None:
    """Contract 2.1.2: what a contact confirmed is forgotten only when it opts out."""
    made = await new_contact(front, email_address={"address": KIM, "permission_to_send": "pending_confirmation"})
    for permission, confirmed in (
        ("explicit", "confirmed"),
        ("temp_hold", "confirmed"),
        ("explicit", "confirmed"),
        ("unsubscribed", "confirmed"),
        ("explicit", "off"),
    ):
        assert (await permitted(front, made["contact_id"], permission))["confirm_status"] == confirmed


async def test_an_account_cannot_undo_what_a_contact_wants(front: Front) -> None:
    """Contract 2.1.2, 6.11: neither at once nor step by step; the contact may take over what the account did."""
    made = await new_contact(front)
    contact_id = made["contact_id"]
    assert (await permitted(front, contact_id, "unsubscribed"))["opt_out_source"] == "Account"
    assert (await permitted(front, contact_id, "unsubscribed", "Contact"))["opt_out_source"] == "Contact"
    for permission in ("implicit", "explicit", "pending_confirmation", "not_set", "temp_hold"):
        assert "opted out" in (await permitted(front, contact_id, permission, status=400))["error_message"]
    assert (await permitted(front, contact_id, "unsubscribed"))["opt_out_source"] == "Contact"
    await delete(front, contact_id)
    await permitted(front, contact_id, "explicit", status=400)
    email = (await changed(front, contact_id, first_name="Kim"))["email_address"]
    assert (email["permission_to_send"], email["opt_out_source"]) == ("unsubscribed", "Contact")
    assert (await permitted(front, contact_id, "not_set", "Contact"))["permission_to_send"] == "not_set"


async def test_who_has_unsubscribed_joins_no_list(front: Front) -> None:
    """The design's policy on 2.1.9 and 2.1.11: 400; tags are no lists."""
    list_id, tag_id = await front.new_list("L"), await front.new_tag("T")
    email = {"address": KIM, "permission_to_send": "unsubscribed"}
    body = {"create_source": "Account", "email_address": email, "list_memberships": [list_id]}
    assert "has unsubscribed" in await front.refused("POST", "/v3/contacts", 400, json=body)
    made = await new_contact(front, email_address=email, taggings=[tag_id], list_memberships=[])
    shown = await changed(front, made["contact_id"], 400, list_memberships=[list_id])
    assert "has unsubscribed" in shown[0]["error_message"]
    assert made["email_address"]["opt_out_source"] == "Account"
    assert made["email_address"]["opt_out_date"] == made["created_at"]


@pytest.mark.parametrize("deleted_by", ["itself", "contact_delete", "its list"])
@pytest.mark.parametrize("revived_by", ["PUT", "sign-up", "import"])
async def test_coming_back(front: Front, deleted_by: str, revived_by: str) -> None:
    """Contract 2.1.11, 2.1.12, 2.1.13, 3.7, 3.9, 6.10, and the design's policy: with its tags, without its lists."""
    lists, tag_id = [await front.new_list(f"list {number}") for number in range(2)], await front.new_tag("T")
    made = await new_contact(front, list_memberships=lists[:1], taggings=[tag_id], first_name="Kim")
    contact_id = made["contact_id"]
    match deleted_by:
        case "itself":
            await delete(front, contact_id)
        case "contact_delete":
            await front.finished("contact_delete", {"contact_ids": [contact_id]})
        case _:
            await front.finished("contact_delete", {"list_ids": lists[:1]})
    gone = await everything(front, contact_id)
    assert (gone["deleted_at"], gone["email_address"]["opt_out_source"]) == (made["created_at"][:10], "Account")
    assert (gone["list_memberships"], gone["taggings"]) == ([], [])
    await front.refused("DELETE", f"/v3/contacts/{contact_id}", 404)
    match revived_by:
        case "PUT":
            await changed(front, contact_id, list_memberships=lists[1:], first_name="Kim")
        case "sign-up":
            await sign_up(front, *lists[1:])
        case _:
            await front.finished("contacts_json_import", {"import_data": [{"email": KIM}], "list_ids": lists[1:]})
    shown = await everything(front, contact_id)
    assert not {"deleted_at"} & set(shown)
    assert not {"opt_out_source", "opt_out_date", "opt_out_reason"} & set(shown["email_address"])
    assert (shown["list_memberships"], shown["taggings"], shown["first_name"]) == (lists[1:], [tag_id], "Kim")
    assert shown["email_address"]["confirm_status"] == "off"
    for set_no in (system.EXISTS, system.ACTIVE):
        assert await is_in(front, contact_id, set_no)


async def test_a_revived_contact_is_confirmed_no_longer_to_be(front: Front) -> None:
    """Contract 3.9, 2.1.2: an import revives with implicit permission, which waits for no confirmation."""
    made = await new_contact(front, email_address={"address": KIM, "permission_to_send": "pending_confirmation"})
    await make_old(front, made["contact_id"])
    await delete(front, made["contact_id"])
    await front.finished(
        "contacts_json_import", {"import_data": [{"email": KIM}], "list_ids": [await front.new_list("L")]}
    )
    email = (await front.get(f"/v3/contacts/{made['contact_id']}"))["email_address"]
    assert (email["permission_to_send"], email["confirm_status"]) == ("implicit", "off")
    assert email["updated_at"] > LONG_AGO


async def test_where_consent_is_told(front: Front) -> None:
    """Contract 1.11, 2.1.1: in the e-mail, in who made and changed it, in counts; a level of engagement is nowhere."""
    consent = {"sms_consent_permission": "explicit", "consent_type": "promotional_sms"}
    channel = {"full_sms_address": "+14155552671", "sms_channel_consents": [consent]}
    made = await new_contact(front, email_address={"address": KIM, "permission_to_send": "explicit"})
    await changed(front, made["contact_id"], sms_channel=channel)
    body = {"source": {"contact_ids": [made["contact_id"]]}, "engagement_level": "high"}
    await front.finished("contacts_engagement_set", body)
    shown = await everything(front, made["contact_id"])
    assert {"permission_to_send", "opt_in_source", "opt_in_date", "confirm_status"} < set(shown["email_address"])
    assert (shown["create_source"], shown["update_source"]) == ("Account", "Account")
    assert shown["sms_channel"]["sms_channel_consents"][0]["sms_consent_permission"] == "explicit"
    assert not [name for name in shown if "engagement" in name or "open" in name or "click" in name]
    assert (await front.get("/v3/contacts/counts"))["explicit"] == 1
    selected = {"source": {"engagement_level": "high"}, "list_ids": [await front.new_list("L")]}
    assert (await front.finished("add_list_memberships", selected))["changed_count"] == 1


@pytest.mark.parametrize("kind", ["import", "sign-up"])
async def test_what_imports_and_sign_ups_permit(front: Front, kind: str) -> None:
    """Contract 1.11, 6.21: an import is the account's, with implicit permission; a sign-up the contact's, explicit."""
    list_id = await front.new_list("L")
    if kind == "import":
        await front.finished("contacts_json_import", {"import_data": [{"email": KIM}], "list_ids": [list_id]})
    else:
        await sign_up(front, list_id, status=201)
    [made] = (await front.get("/v3/contacts"))["contacts"]
    email = made["email_address"]
    permission, source = ("implicit", "Account") if kind == "import" else ("explicit", "Contact")
    assert (email["permission_to_send"], email["opt_in_source"], made["create_source"]) == (permission, source, source)
    assert email["opt_in_date"] == email["created_at"] == email["updated_at"]
    assert email["confirm_status"] == "off"
    assert "update_source" not in made
