"""Signing up, and coming back to lists on one's own, over HTTP (contract v3.md 2.1.13, 2.1.16)."""

from typing import Any
from uuid import uuid4

import pytest

from engine.sets import system
from engine.settings import Settings
from tests.e2e.api.contacts import KIM, SIGN_UP, changed, delete, everything, is_in, new_contact, permitted, sign_up
from tests.e2e.api.front import Front, open_front
from tests.integration.desk import Desk


async def test_signing_up(front: Front) -> None:
    """Contract 2.1.13, 6.20, 6.21: created, then changed in what is said, with explicit permission."""
    lists = [await front.new_list(f"list {number}") for number in range(2)]
    body = {
        "email_address": "kim@example.org",
        "list_memberships": lists[:1],
        "phone_number": "555",
        "first_name": "Kim",
    }
    made = await front.post("/v3/contacts/sign_up_form", body)
    assert made["action"] == "created"
    shown = await everything(front, made["contact_id"])
    assert (shown["create_source"], shown["email_address"]["opt_in_source"]) == ("Contact", "Contact")
    assert shown["email_address"]["permission_to_send"] == "explicit"
    assert [(each["kind"], each["phone_number"]) for each in shown["phone_numbers"]] == [("other", "555")]
    body = {"email_address": "KIM@example.org", "list_memberships": lists[1:], "last_name": "Ode"}
    again = await front.post("/v3/contacts/sign_up_form", body, 200)
    assert again == {"contact_id": made["contact_id"], "action": "updated"}
    shown = await everything(front, made["contact_id"])
    assert (shown["first_name"], shown["last_name"], shown["update_source"]) == ("Kim", "Ode", "Contact")
    assert set(shown["list_memberships"]) == set(lists)
    assert shown["email_address"]["address"] == "kim@example.org"


async def test_signing_up_again_after_all(front: Front) -> None:
    """Contract 2.1.13: who was deleted is restored, who had unsubscribed is back."""
    list_id, tag_id = await front.new_list("a list"), await front.new_tag("a tag")
    made = await new_contact(front, taggings=[tag_id])
    body = {"email_address": "kim@example.org", "list_memberships": [list_id]}
    await delete(front, made["contact_id"])
    assert (await front.post("/v3/contacts/sign_up_form", body, 200))["action"] == "updated"
    shown = await everything(front, made["contact_id"])
    assert "deleted_at" not in shown
    assert (shown["list_memberships"], shown["taggings"]) == ([list_id], [tag_id])
    gone = {"address": "kim@example.org", "permission_to_send": "unsubscribed"}
    await changed(front, made["contact_id"], update_source="Contact", email_address=gone)
    await front.post("/v3/contacts/sign_up_form", body, 200)
    shown = await everything(front, made["contact_id"])
    assert shown["email_address"]["permission_to_send"] == "explicit"
    assert await is_in(front, made["contact_id"], system.ACTIVE)


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"email_address": None}, 400),
        ({"email_address": {"address": "a@b.c"}}, 400),
        ({"email_address": "a@" + "b" * 49}, 400),
        ({"list_memberships": []}, 400),
        ({"list_memberships": [str(uuid4())]}, 404),
        ({"custom_fields": [{"custom_field_id": str(uuid4()), "value": "x"}]}, 400),
        ({"street_address": {"street": "x"}}, 400),
        ({"phone_number": "1" * 26}, 400),
    ],
)
async def test_sign_ups_that_are_refused(front: Front, changes: dict[str, Any], status: int) -> None:
    """Contract 2.1.13."""
    body = {"email_address": "kim@example.org", "list_memberships": [await front.new_list("a list")], **changes}
    await front.refused("POST", "/v3/contacts/sign_up_form", status, json=body)
    assert await front.desk.rows("contact") == []


async def test_fifty_values_in_one_sign_up(front: Front) -> None:
    """Contract 1.9, 2.1.13: 50 values, 1 to 50 lists, no more."""
    list_id = await front.new_list("L")
    field = await front.post("/v3/contact_custom_fields", {"label": "F", "type": "string"})
    value = {"custom_field_id": field["custom_field_id"], "value": "x"}
    await sign_up(front, list_id, status=201, custom_fields=[value] * 50)
    too_many: tuple[dict[str, Any], ...] = ({"custom_fields": [value] * 51}, {"list_memberships": [list_id] * 51})
    for wrong in (*too_many, {"list_memberships": []}):
        body = {"email_address": KIM, "list_memberships": [list_id], **wrong}
        assert "at " in await front.refused("POST", SIGN_UP, 400, json=body)


async def test_signing_up_to_be_confirmed(settings: Settings, desk: Desk, token: str) -> None:
    """Contract 2.1.13: with confirmed opt-in whoever cannot be mailed yet has to confirm first."""
    async with open_front(settings.model_copy(update={"confirmed_opt_in": True}), desk, token) as front:
        list_id = await front.new_list("L")
        made = (await sign_up(front, list_id, status=201))["contact_id"]
        email = (await front.get(f"/v3/contacts/{made}"))["email_address"]
        assert (email["permission_to_send"], email["confirm_status"]) == ("pending_confirmation", "pending")
        assert not await is_in(front, made, system.ACTIVE)
        assert (await permitted(front, made, "explicit", "Contact"))["confirm_status"] == "confirmed"
        for before, after in (("implicit", "implicit"), ("unsubscribed", "pending_confirmation")):
            await permitted(front, made, before, "Contact")
            await sign_up(front, list_id)
            email = (await front.get(f"/v3/contacts/{made}"))["email_address"]
            assert email["permission_to_send"] == after
            assert "opt_out_date" not in email
        await permitted(front, made, "explicit", "Contact")
        await delete(front, made)
        await sign_up(front, list_id)
        shown = await front.get(f"/v3/contacts/{made}")
        assert shown["email_address"]["permission_to_send"] == "pending_confirmation"
        assert "deleted_at" not in shown


async def test_resubscribing_once(front: Front) -> None:
    """Contract 2.1.16."""
    list_id = await front.new_list("a list")
    made = await new_contact(front)
    path, body = f"/v3/contacts/resubscribe/{made['contact_id']}", {"list_ids": [list_id]}
    await front.refused("PUT", path, 409, json=body)
    gone = {"address": "kim@example.org", "permission_to_send": "unsubscribed"}
    await changed(front, made["contact_id"], update_source="Contact", email_address=gone)
    await front.refused("PUT", path, 400, json={})
    await front.refused("PUT", path, 400, json={"list_ids": [str(uuid4())]})
    answer = await front.request("PUT", path, json=body)
    assert answer.status == 200
    assert answer.body["email_address"]["permission_to_send"] == "explicit"
    assert answer.body["list_memberships"] == [list_id]
    await changed(front, made["contact_id"], update_source="Contact", email_address=gone)
    await front.refused("PUT", path, 409, json=body)
    await front.refused("PUT", f"/v3/contacts/resubscribe/{uuid4()}", 404, json=body)
