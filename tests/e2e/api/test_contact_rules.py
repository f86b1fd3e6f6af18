"""Single contacts over HTTP, rule by rule (contract v3.md 2.1, and what section 1 says of all bodies)."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.e2e.api.contacts import (
    KIM,
    LONG_AGO,
    PROPERTIES,
    SIGN_UP,
    SUBS,
    changed,
    delete,
    everything,
    make_old,
    new_contact,
    sign_up,
)
from tests.e2e.api.front import Front


def without_null(value: Any) -> bool:
    """Whether there is no null anywhere."""
    if isinstance(value, dict):
        value = list(value.values())
    return all(map(without_null, value)) if isinstance(value, list) else value is not None


# What is shown


async def test_answers_never_exceed_what_clients_read(front: Front) -> None:
    """Contract 1.10 row 10, 1.9: of more values than 25 the first are shown; lists and tags are all told (issue 2)."""
    fields = [
        (await front.post("/v3/contact_custom_fields", {"label": f"F{n}", "type": "string"}))["custom_field_id"]
        for n in range(27)
    ]
    lists = [await front.new_list(f"list {number}") for number in range(52)]
    tags = [await front.new_tag(f"tag {number}") for number in range(52)]
    made = await new_contact(front, taggings=tags[:50])
    values = [{"custom_field_id": each, "value": "x"} for each in fields]
    await sign_up(front, *lists[:50], custom_fields=values)
    await sign_up(front, *lists[50:])
    await front.finished(
        "contacts_taggings_add", {"source": {"contact_ids": [made["contact_id"]]}, "tag_ids": tags[50:]}
    )
    shown = await everything(front, made["contact_id"])
    assert [each["custom_field_id"] for each in shown["custom_fields"]] == fields[:25]
    assert (shown["list_memberships"], shown["taggings"]) == (lists, tags)
    [in_page] = (await front.get(f"/v3/contacts?include={SUBS}"))["contacts"]
    assert in_page == shown


async def test_nothing_is_null_or_there_without_being_asked_for(front: Front) -> None:
    """Contract 1.6, 2.1.1: absent properties are left out, also inside; sub-resources only when they are included."""
    nulls: dict[str, Any] = dict.fromkeys(
        (*PROPERTIES, "custom_fields", "phone_numbers", "street_addresses", "list_memberships")
    )
    nulls |= dict.fromkeys(("taggings", "notes", "sms_channel"))
    email = {"address": KIM, "permission_to_send": None}
    made = await front.post("/v3/contacts", {"create_source": "Account", "email_address": email, **nulls})
    assert without_null(made)
    assert not {*SUBS.split(","), *PROPERTIES, "update_source"} & set(made)
    shown = await changed(
        front,
        made["contact_id"],
        phone_numbers=[{"phone_number": "1", "kind": None}],
        street_addresses=[{"kind": "home", "street": None, "city": "", "state": " "}],
    )
    assert without_null(shown)
    assert shown["phone_numbers"][0]["kind"] == "other"
    assert not {"street", "city", "state", "postal_code", "country"} & set(shown["street_addresses"][0])
    assert {"phone_numbers", "street_addresses"} == set(SUBS.split(",")) & set(shown)
    kept = await changed(front, made["contact_id"], **nulls)
    assert without_null(kept)
    assert len((await everything(front, made["contact_id"]))["phone_numbers"]) == 1
    by_name = await front.post("/v3/contacts", {"create_source": "Account", "first_name": "Nobody"})
    assert set(by_name) == {"contact_id", "first_name", "create_source", "created_at", "updated_at"}


async def test_empty_texts_are_blanks(front: Front) -> None:
    """Contract 2.1.11: a blank core property is none; an anniversary is never an empty text."""
    texts: dict[str, Any] = {name: "" for name, value in PROPERTIES.items() if isinstance(value, str)}
    made = await new_contact(front, **texts)
    assert not set(texts) & set(made)
    for wrong in ({"email": ""}, {"phone_numbers": [{"phone_number": ""}]}, {"list_memberships": [""]}):
        email = wrong.pop("email", "other@example.org")
        body = {"create_source": "Account", "email_address": {"address": email}, **wrong}
        await front.refused("POST", "/v3/contacts", 400, json=body)
    made = await sign_up(front, await front.new_list("L"), phone_number=" ", **texts)
    assert (await everything(front, made["contact_id"]))["phone_numbers"] == []


async def test_an_address_is_stored_without_blanks_in_its_own_case(front: Front) -> None:
    """Contract 2.1.2, 2.1.13: trimmed before it is measured, case kept, and compared without case."""
    longest = f"Kim.{'x' * 64}@Example.org"
    assert len(longest) == 80
    made = await new_contact(front, email=f"  {longest}\t")
    assert made["email_address"]["address"] == longest
    shown = await changed(front, made["contact_id"], email_address={"address": f" {longest.upper()} "})
    assert shown["email_address"]["address"] == longest.upper()
    await front.refused("POST", SIGN_UP, 400, json={"email_address": longest, "list_memberships": [str(uuid4())]})
    [found] = (await front.get(f"/v3/contacts?email=%20{longest.lower()}"))["contacts"]
    assert found["contact_id"] == made["contact_id"]
    body = {"email_address": " KIM@x.org ", "list_memberships": [await front.new_list("L")]}
    signed_up = await front.post(SIGN_UP, body)
    assert (await front.get(f"/v3/contacts/{signed_up['contact_id']}"))["email_address"]["address"] == "KIM@x.org"


async def test_ids_in_any_case(front: Front) -> None:
    """Contract 1.4: compared without case, shown in lower case."""
    list_id, tag_id = await front.new_list("L"), await front.new_tag("T")
    made = await new_contact(front, list_memberships=[list_id.upper()], taggings=[tag_id.upper(), tag_id])
    assert (made["list_memberships"], made["taggings"]) == ([list_id], [tag_id])
    path = f"/v3/contacts/{made['contact_id'].upper()}"
    assert (await front.get(path))["contact_id"] == made["contact_id"] == made["contact_id"].lower()
    answer = await front.put(path, {"update_source": "Account", "email_address": {"address": KIM}})
    assert answer["contact_id"] == made["contact_id"]
    await front.delete(path, 204)


async def test_notes_come_newest_first(front: Front) -> None:
    """Contract 2.1.1, 2.1.6: also those of one request, whose last is the newest; a known id replaces its note."""
    made = await new_contact(front, notes=[{"content": str(number)} for number in range(12)])
    assert [each["content"] for each in made["notes"]] == [str(number) for number in reversed(range(12))]
    shown = await changed(front, made["contact_id"], notes=made["notes"])
    assert shown["notes"] == made["notes"], "what is shown can be sent back"
    kept = made["notes"][3]
    notes = [{"content": "new"}, {"note_id": kept["note_id"].upper(), "content": "old"}, {**kept, "content": "edited"}]
    shown = await changed(front, made["contact_id"], notes=notes)
    assert [each["content"] for each in shown["notes"]] == ["new", "edited"]
    assert shown["notes"][1] == {**kept, "content": "edited"}


async def test_several_phone_numbers_of_one_kind(front: Front) -> None:
    """Contract 2.1.4, 2.1.11: each is one of its own, and those that stay are the same."""
    phones = [{"phone_number": str(number), "kind": "home"} for number in range(3)]
    made = (await new_contact(front, phone_numbers=phones))["phone_numbers"]
    assert len({each["phone_number_id"] for each in made}) == 3
    contact_id = (await front.get("/v3/contacts"))["contacts"][0]["contact_id"]
    shown = (await changed(front, contact_id, phone_numbers=[*reversed(phones[1:]), phones[1]]))["phone_numbers"]
    assert shown[:2] == [made[2], made[1]]
    assert [each["phone_number"] for each in shown] == ["2", "1", "1"]
    assert len({each["phone_number_id"] for each in shown}) == 3


async def test_what_is_read_only_is_ignored(front: Front) -> None:
    """Contract 2.1.1, 2.1.2, 1.6: also in the e-mail and in entries, and whatever is unknown."""
    made = await new_contact(front, phone_numbers=[{"phone_number": "1", "kind": "home"}])
    before = await everything(front, made["contact_id"])
    email = {
        **before["email_address"],
        **dict.fromkeys(("created_at", "updated_at", "opt_in_date", "opt_out_date"), LONG_AGO),
        "opt_in_source": "Contact",
        "opt_out_source": "Contact",
        "confirm_status": "confirmed",
    }
    phones = [{**before["phone_numbers"][0], "phone_number_id": str(uuid4()), "create_source": "Contact"}]
    await changed(
        front,
        made["contact_id"],
        email_address=email,
        phone_numbers=phones,
        create_source="Contact",
        created_at=LONG_AGO,
        updated_at=5,
        deleted_at="2020-01-01",
        unknown={"a": [None]},
    )
    after = await everything(front, made["contact_id"])
    assert after == {**before, "updated_at": after["updated_at"], "update_source": "Account"}


async def test_which_time_moves(front: Front) -> None:
    """Contract 2.1.1, 6.22: the contact's with each PUT, its e-mail's when that changes."""
    made = await new_contact(front)
    for change, e_mail_moves in (
        ({"first_name": "Kim"}, False),
        ({"list_memberships": [await front.new_list("L")]}, False),
        ({"email_address": {"address": KIM, "permission_to_send": "implicit"}}, False),
        ({"email_address": {"address": KIM.upper()}}, True),
        ({"email_address": {"address": KIM.upper(), "permission_to_send": "explicit"}}, True),
        ({"email_address": {"address": KIM.upper(), "opt_out_reason": "too many"}}, True),
    ):
        await make_old(front, made["contact_id"])
        shown = await changed(front, made["contact_id"], **change)
        email = shown["email_address"]
        assert shown["created_at"] == email["created_at"] == LONG_AGO
        assert shown["updated_at"] > LONG_AGO
        assert (email["updated_at"] > LONG_AGO) is e_mail_moves, change
    await make_old(front, made["contact_id"])
    source = {"contact_ids": [made["contact_id"]]}
    await front.finished("contacts_taggings_add", {"source": source, "tag_ids": [await front.new_tag("T")]})
    assert (await front.get(f"/v3/contacts/{made['contact_id']}"))["updated_at"] == LONG_AGO


# Deleting, counting and finding


async def test_only_what_is_there_can_be_deleted(front: Front) -> None:
    """Contract 2.1.12, 1.3, 1.8: 404 otherwise; a media type without a body is ignored."""
    made = await front.post("/v3/contacts", {"create_source": "Account", "first_name": "Kim"})
    path, json_type = f"/v3/contacts/{made['contact_id']}", {"Content-Type": "application/json"}
    answer = await front.request("DELETE", path, headers={**json_type, "Accept": "text/csv"})
    assert (answer.status, answer.content) == (204, b"")
    await front.refused("DELETE", path, 404)
    await front.refused("DELETE", f"/v3/contacts/{uuid4()}", 404)
    message = await front.refused("DELETE", f"/v3/contacts/{made['contact_id'][:-1]}", 404)
    assert message == "contact_id is in an invalid format."
    assert "email_address" not in await front.get(path)


async def test_deleted_contacts_have_no_cross_reference(front: Front) -> None:
    """Contract 2.1.14: ascending as numbers, not as text."""
    made = [await new_contact(front, email=f"c{number}@example.org") for number in range(12)]
    await delete(front, made[1]["contact_id"])
    found = (await front.get(f"/v3/contacts/contact_id_xrefs?sequence_ids={','.join(map(str, range(100)))}"))["xrefs"]
    assert [each["contact_id"] for each in found] == [each["contact_id"] for each in (made[0], *made[2:])]
    assert [int(each["sequence_id"]) for each in found] == sorted(int(each["sequence_id"]) for each in found)


async def test_counts_are_of_everybody_who_is_not_deleted(front: Front) -> None:
    """Contract 2.1.15: the total is of all contacts, whatever their permission, also without an address."""
    for permission in ("temp_hold", "not_set", "implicit"):
        await new_contact(front, email_address={"address": f"{permission}@x.org", "permission_to_send": permission})
    await front.post("/v3/contacts", {"create_source": "Account", "first_name": "Nobody"})
    expected = {"total": 4, "explicit": 0, "implicit": 1, "pending": 0, "unsubscribed": 0}
    assert await front.get("/v3/contacts/counts") == expected
    [contact] = (await front.get("/v3/contacts?status=active"))["contacts"]
    await make_old(front, contact["contact_id"])
    assert (await front.get("/v3/contacts/counts?include=new_subscriber"))["new_subscriber"] == 0


async def test_a_twin_may_keep_its_address(front: Front) -> None:
    """Design, "One policy": contacts of other dialects may share an address; a PUT that repeats it is no conflict."""
    first, second = await front.desk.make_contacts(2)
    await front.desk.owner.execute(
        "UPDATE contact SET email = $2, email_key = $2, email_ordinal = 1 WHERE contact_id = $1",
        second,
        "c1@example.org",
    )
    twin = {"address": "C1@example.org"}
    assert (await changed(front, str(second), email_address=twin))["email_address"]["address"] == "C1@example.org"
    [shown] = (await front.get("/v3/contacts?email=c1@example.org&limit=1"))["contacts"]
    assert shown["contact_id"] == str(first)
    await changed(front, str(second), email_address={"address": "new@example.org"})
    await changed(front, str(second), 409, email_address=twin)


# Bodies


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"null", b"1", b'"x"', b"{", b'{"a":1}x', b"[" * 1000, b"\xff\xfe", b"NaN"]
)
async def test_what_is_no_object(front: Front, body: bytes) -> None:
    """Contract 1.8: 400 on every route that takes a contact."""
    headers = {"Content-Type": "application/json"}
    contact_id = (await new_contact(front))["contact_id"]
    for method, path in (
        ("POST", "/v3/contacts"),
        ("PUT", f"/v3/contacts/{contact_id}"),
        ("POST", SIGN_UP),
        ("PUT", f"/v3/contacts/resubscribe/{contact_id}"),
    ):
        await front.refused(method, path, 400, data=body, headers=headers)
        for media in ("text/plain", "application/x-www-form-urlencoded", "text/json"):
            await front.refused(method, path, 415, data=body, headers={"Content-Type": media})


@pytest.mark.parametrize("number", ["1e400", "1" + "0" * 5000, "-1", "0", "2.5", "2.0", '"2"', "true", "[2]"])
async def test_numbers_that_are_no_month(front: Front, number: str) -> None:
    """Contract 1.5, 1.8: whole numbers, and no others."""
    body = f'{{"create_source": "Account", "first_name": "Kim", "birthday_day": 3, "birthday_month": {number}}}'
    headers = {"Content-Type": "application/json"}
    await front.refused("POST", "/v3/contacts", 400, data=body.encode(), headers=headers)


async def test_a_body_of_the_largest_size(front: Front) -> None:
    """Contract 1.6, 1.8: what is unknown in it is ignored; one byte more is 400."""
    largest, head = front.desk.settings.json_max_bytes, {"Content-Type": "application/json"}
    start, end = b'{"create_source": "Account", "first_name": "Kim", "unknown": "', b'"}'
    body = start + b"x" * (largest - len(start) - len(end)) + end
    assert (await front.request("POST", "/v3/contacts", data=body, headers=head)).status == 201
    message = await front.refused("POST", "/v3/contacts", 400, data=body + b" ", headers=head)
    assert message.startswith("body is too long")


@pytest.mark.parametrize(
    ("name", "most", "item"),
    [
        ("custom_fields", 25, {"custom_field_id": str(uuid4()), "value": "x"}),
        ("list_memberships", 50, str(UUID(int=1))),
    ],
)
async def test_arrays_have_a_maximum(front: Front, name: str, most: int, item: object) -> None:
    """Contract 1.9, 2.1.9, 2.1.11: one more is 400, before anything in it is looked at."""
    made = await new_contact(front)
    for method, path in (("POST", "/v3/contacts"), ("PUT", f"/v3/contacts/{made['contact_id']}")):
        body = {"create_source": "Account", "update_source": "Account", "first_name": "Kim", name: [item] * (most + 1)}
        assert f"at most {most}" in await front.refused(method, path, 400, json=body)


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59-12:00", "0001-01-01T00:00:00+12:00", "soon", "", "12"])
async def test_consents_at_impossible_times(front: Front, time: str) -> None:
    """Contract 2.1.7, 1.5: 400, and not a contact that nobody can read."""
    consent = {"sms_consent_permission": "explicit", "consent_type": "promotional_sms", "opt_in_date": time}
    channel = {"full_sms_address": "+14155552671", "sms_channel_consents": [consent]}
    body = {"create_source": "Account", "first_name": "Kim", "sms_channel": channel}
    await front.refused("POST", "/v3/contacts", 400, json=body)
    consent["opt_in_date"] = "2026-01-15T10:00:00"
    made = await front.post("/v3/contacts", body)
    assert made["sms_channel"]["sms_channel_consents"][0]["opt_in_date"] == "2026-01-15T10:00:00+00:00"


async def test_head_is_get_without_a_body(front: Front) -> None:
    """Contract 1.1: on single contacts and on pages."""
    made = await new_contact(front)
    for path in (f"/v3/contacts/{made['contact_id']}?include={SUBS}", "/v3/contacts", "/v3/contacts/counts"):
        head, get = await front.request("HEAD", path), await front.request("GET", path)
        assert (head.status, head.content, head.headers["Content-Length"]) == (200, b"", get.headers["Content-Length"])
