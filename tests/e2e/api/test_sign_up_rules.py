"""Signing up, property by property and rule by rule (contract v3.md 2.1.13)."""

from typing import Any
from uuid import uuid4

import pytest

from engine.sets import system
from tests.e2e.api.contacts import (
    KIM,
    LONG_AGO,
    PROPERTIES,
    SIGN_UP,
    changed,
    delete,
    everything,
    is_in,
    make_old,
    new_contact,
    sign_up,
)
from tests.e2e.api.front import Front

PLACES = {"city": 50, "state": 50, "postal_code": 50, "country": 50, "street": 255}


async def new_field(front: Front, label: str, type_: str = "string") -> str:
    return str((await front.post("/v3/contact_custom_fields", {"label": label, "type": type_}))["custom_field_id"])


async def test_all_that_can_be_said(front: Front) -> None:
    """Contract 2.1.13, 6.20, 5.35: every property at its longest, of a new contact and of a known one."""
    lists = [await front.new_list(f"list {number}") for number in range(50)]
    value = {"custom_field_id": await new_field(front, "F"), "value": "ø" * 255}
    address = {"kind": "work", **{name: "ø" * most for name, most in PLACES.items()}}
    said = {
        **PROPERTIES,
        **dict.fromkeys(("first_name", "last_name", "job_title", "company_name"), "ø" * 50),
        "phone_number": "5" * 25,
        "custom_fields": [value],
        "street_address": address,
    }
    email = "k" * 38 + "@example.org"
    for status, action in ((201, "created"), (200, "updated")):
        answer = await front.post(SIGN_UP, {"email_address": email, "list_memberships": lists, **said}, status)
        assert set(answer) == {"contact_id", "action"}
        assert answer["action"] == action
        shown = await everything(front, answer["contact_id"])
        assert {name: shown[name] for name in PROPERTIES} == {name: said[name] for name in PROPERTIES}
        assert shown["email_address"]["address"] == email
        assert (shown["custom_fields"], shown["list_memberships"]) == ([value], lists)
        assert [(each["kind"], each["phone_number"]) for each in shown["phone_numbers"]] == [("other", "5" * 25)]
        assert [{name: each[name] for name in address} for each in shown["street_addresses"]] == [address]


WRONG: tuple[tuple[str, object], ...] = (
    *(("email_address", wrong) for wrong in (None, "", "no", "k" * 39 + "@example.org", {"address": KIM}, 5)),
    *(("list_memberships", wrong) for wrong in (None, [], "x", ["x"], [str(uuid4())] * 51)),
    *((name, "x" * 51) for name in ("first_name", "last_name", "job_title", "company_name")),
    *(("phone_number", wrong) for wrong in ("5" * 26, 5, {"phone_number": "5", "kind": "home"})),
    *(("custom_fields", wrong) for wrong in ("x", [{"value": "x"}], [{"custom_field_id": str(uuid4())}])),
    ("custom_fields", [{"custom_field_id": str(uuid4()), "value": "x" * 256}]),
    ("custom_fields", [{"custom_field_id": str(uuid4()), "value": "x"}] * 51),
    ("custom_fields", [{"custom_field_id": str(uuid4()), "value": "unknown"}]),
    *(("street_address", wrong) for wrong in ([], "x", {}, {"kind": "mobile"}, [{"kind": "home"}])),
    *(("street_address", {"kind": "home", name: "x" * (most + 1)}) for name, most in PLACES.items()),
    ("anniversary", "soon"),
    ("birthday_month", 1),
)


@pytest.mark.parametrize(("name", "wrong"), WRONG)
@pytest.mark.parametrize("is_known", [True, False])
async def test_what_cannot_be_said(front: Front, name: str, wrong: object, is_known: bool) -> None:
    """Contract 2.1.13, 1.9: 400 that names the property; nobody is made or changed."""
    made = await new_contact(front) if is_known else None
    body = {"email_address": KIM, "list_memberships": [await front.new_list("L")], "job_title": "x", name: wrong}
    message = await front.refused("POST", SIGN_UP, 400, json=body)
    assert message.startswith(name.removesuffix("s")) or (name, message[:12]) == ("birthday_month", "birthday_day")
    assert (await front.get("/v3/contacts"))["contacts"] == ([made] if made else [])


@pytest.mark.parametrize("missing", ["email_address", "list_memberships"])
async def test_what_must_be_said(front: Front, missing: str) -> None:
    """Contract 2.1.13, 5.34: the address, and a list at least; a text message channel is no address."""
    body: dict[str, Any] = {"email_address": KIM, "list_memberships": [await front.new_list("L")]}
    consent = {"sms_consent_permission": "explicit", "consent_type": "promotional_sms"}
    body["sms_channel"] = {"full_sms_address": "+14155552671", "sms_channel_consents": [consent]}
    del body[missing]
    assert await front.refused("POST", SIGN_UP, 400, json=body) == f"{missing} is missing"


async def test_an_unknown_list_is_404(front: Front) -> None:
    """Contract 2.1.13, 1.8: among known ones, too, for a new contact and a known one; nothing is done."""
    list_id = await front.new_list("L")
    body = {"email_address": KIM, "list_memberships": [list_id, str(uuid4())], "first_name": "Bo"}
    await front.refused("POST", SIGN_UP, 404, json=body)
    made = await new_contact(front, first_name="Kim")
    await front.refused("POST", SIGN_UP, 404, json=body)
    assert (await front.get("/v3/contacts"))["contacts"] == [made]
    assert (await front.get(f"/v3/contact_lists/{list_id}?include_membership_count=all"))["membership_count"] == 0


async def test_a_known_contact_keeps_what_is_not_said(front: Front) -> None:
    """Contract 2.1.13: only sent properties change; lists and values are added, a known field has the new value."""
    lists = [await front.new_list(f"list {number}") for number in range(2)]
    fields = [await new_field(front, f"F{number}") for number in range(3)]
    made = await new_contact(
        front,
        **PROPERTIES,
        list_memberships=lists[:1],
        taggings=[await front.new_tag("T")],
        custom_fields=[{"custom_field_id": each, "value": "old"} for each in fields[:2]],
        phone_numbers=[{"phone_number": "1", "kind": "home"}],
        street_addresses=[{"kind": "home", "city": "Oslo"}],
        notes=[{"content": "x"}],
    )
    before = await everything(front, made["contact_id"])
    await sign_up(
        front,
        lists[1],
        last_name="Berg",
        custom_fields=[{"custom_field_id": each, "value": "new"} for each in fields[1:]],
        phone_number="2",
        street_address={"kind": "work", "city": "Bergen"},
    )
    after = await everything(front, made["contact_id"])
    changes = {"last_name", "list_memberships", "custom_fields", "phone_numbers", "street_addresses", "email_address"}
    changes |= {"updated_at", "update_source"}
    same = {name: value for name, value in before.items() if name not in changes}
    assert {name: value for name, value in after.items() if name not in changes} == same
    assert after["last_name"] == "Berg"
    assert set(after["list_memberships"]) == set(lists)
    values = {each["custom_field_id"]: each["value"] for each in after["custom_fields"]}
    assert values == dict(zip(fields, ("old", "new", "new"), strict=True))
    assert {each["phone_number"] for each in after["phone_numbers"]} == {"1", "2"}
    assert {each["city"] for each in after["street_addresses"]} == {"Oslo", "Bergen"}


@pytest.mark.parametrize("before", ["implicit", "explicit", "pending_confirmation", "unsubscribed", "temp_hold"])
@pytest.mark.parametrize("is_deleted", [False, True])
async def test_whoever_signs_up_may_be_mailed(front: Front, before: str, is_deleted: bool) -> None:
    """Contract 2.1.13, 1.11: without double opt-in, the default, the permission is explicit, by the contact itself."""
    made = await new_contact(front, email_address={"address": KIM, "permission_to_send": before})
    await make_old(front, made["contact_id"])
    if is_deleted:
        await delete(front, made["contact_id"])
    answer = await sign_up(front, await front.new_list("L"))
    assert answer == {"contact_id": made["contact_id"], "action": "updated"}
    shown = await front.get(f"/v3/contacts/{made['contact_id']}")
    assert "deleted_at" not in shown
    assert (shown["update_source"], shown["create_source"]) == ("Contact", "Account")
    email = shown["email_address"]
    assert email["permission_to_send"] == "explicit"
    assert not {"opt_out_source", "opt_out_date"} & set(email)
    assert before == "explicit" or (email["opt_in_source"], email["opt_in_date"] > LONG_AGO) == ("Contact", True)
    assert await is_in(front, made["contact_id"], system.ACTIVE)


async def test_the_lists_of_a_contact_are_not_limited(front: Front) -> None:
    """Contract 2.1.13, 1.9: 50 of one request; after the merge there may be more, as issue 2 wants."""
    lists = [await front.new_list(f"list {number}") for number in range(51)]
    made = await sign_up(front, *lists[:50], status=201)
    await sign_up(front, lists[50])
    assert set((await everything(front, made["contact_id"]))["list_memberships"]) == set(lists)
    many = {"email_address": KIM, "list_memberships": lists}
    assert "at most 50" in await front.refused("POST", SIGN_UP, 400, json=many)
    shown = await changed(front, made["contact_id"], list_memberships=lists[1:])
    assert set(shown["list_memberships"]) == set(lists[1:])
