"""Single contacts over HTTP (contract v3.md 2.1)."""

import asyncio
from typing import Any
from uuid import uuid4

import pytest
import pytest_asyncio

from engine.sets import system
from tests.e2e.api.front import Front

SUBS = "custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes,sms_channel"
PROPERTIES = {
    "first_name": "Kim",
    "last_name": "Ode",
    "job_title": "Baker",
    "company_name": "Bread & Sons",
    "birthday_month": 2,
    "birthday_day": 29,
    "anniversary": "2006-11-15",
}


NO_FIELD = {"custom_field_id": str(uuid4()), "value": "x"}


async def new_contact(front: Front, **properties: Any) -> Any:
    email = properties.pop("email", "kim@example.org")
    body = {"create_source": "Account", "email_address": {"address": email}, **properties}
    return await front.post("/v3/contacts", body)


async def changed(front: Front, contact_id: str, status: int = 200, **properties: Any) -> Any:
    body = {"update_source": "Account", **properties}
    answer = await front.request("PUT", f"/v3/contacts/{contact_id}", json=body)
    assert answer.status == status, answer.content
    return answer.body


async def everything(front: Front, contact_id: str) -> Any:
    return await front.get(f"/v3/contacts/{contact_id}?include={SUBS}")


async def delete(front: Front, contact_id: str) -> None:
    answer = await front.request("DELETE", f"/v3/contacts/{contact_id}")
    assert (answer.status, answer.content) == (204, b"")


async def number_of(front: Front, contact_id: str) -> int:
    return int(await front.desk.owner.fetchval("SELECT contact_no FROM contact WHERE contact_id = $1", contact_id))


async def is_in(front: Front, contact_id: str, set_no: int) -> bool:
    return await number_of(front, contact_id) in await front.desk.members(set_no)


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
        ({"create_source": "Account"}, "at least one of email_address"),
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


async def test_two_at_once(front: Front) -> None:
    """Contract 2.1.13, 1.8: one is done, the other is done after it or refused; never two contacts."""
    list_id = await front.new_list("a list")
    body = {"email_address": "kim@example.org", "list_memberships": [list_id]}
    asked = [front.request("POST", "/v3/contacts/sign_up_form", json=body) for _ in range(8)]
    answers = await asyncio.gather(*asked)
    statuses = sorted(answer.status for answer in answers)
    assert statuses[0] == 201
    assert set(statuses[1:]) <= {200, 409}
    assert len(await front.desk.rows("contact")) == 1


async def test_many_at_once(front: Front) -> None:
    """They share transactions; each leaves a record of its own, and the counts are exact."""
    list_id = await front.new_list("a list")
    sign_ups = [{"email_address": f"c{number}@example.org", "list_memberships": [list_id]} for number in range(60)]
    made = await asyncio.gather(*(front.post("/v3/contacts/sign_up_form", body) for body in sign_ups))
    assert len({each["contact_id"] for each in made}) == 60
    found = await front.get(f"/v3/contact_lists/{list_id}?include_membership_count=active")
    assert found["membership_count"] == 60
    activities = await front.desk.rows("activity")
    assert len(activities) == 60
    assert {(each["state"], each["listed"], each["changed_count"]) for each in activities} == {("completed", False, 3)}
    assert (await front.get("/v3/activities"))["activities"] == []
    numbers = [each["contact_no"] for each in await front.desk.rows("contact")]
    assert sorted(numbers) == list(range(min(numbers), min(numbers) + 60))


async def test_waiting_for_what_was_asked_before(front: Front) -> None:
    """A removal that was queued before a sign-up is done before it."""
    list_id = await front.new_list("a list")
    await front.submit("remove_list_memberships", {"source": {"all_active_contacts": True}, "list_ids": [list_id]})
    body = {"email_address": "kim@example.org", "list_memberships": [list_id]}
    signing_up = asyncio.create_task(front.post("/v3/contacts/sign_up_form", body))
    await asyncio.sleep(0.1)
    assert not signing_up.done()
    await front.work()
    made = await signing_up
    assert (await everything(front, made["contact_id"]))["list_memberships"] == [list_id]


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


async def ids(front: Front, query: str) -> set[str]:
    """The ids on all pages, after a check that they are counted and nobody is there twice."""
    path = f"/v3/contacts?limit=3&{query}"
    found = [each["contact_id"] for each in await front.pages(path, "contacts")]
    assert len(found) == len(set(found))
    if "segment_id" not in query:
        assert (await front.get(f"{path}&include_count=1"))["contacts_count"] == len(found)
    return set(found)


class People:
    """Two dozen contacts of every kind, and who of them meets a condition."""

    def __init__(self, lists: list[str], tags: list[str], people: list[dict[str, Any]]) -> None:
        self.lists, self.tags, self.all = lists, tags, people

    def those(self, condition: Any) -> set[str]:
        return {person["contact_id"] for person in self.all if condition(person)}

    def living(self, condition: Any) -> set[str]:
        return self.those(lambda person: not person["deleted"] and condition(person))


PERMISSIONS = ("implicit", "explicit", "pending_confirmation", "temp_hold", "not_set", "unsubscribed")


@pytest_asyncio.fixture
async def people(front: Front) -> People:
    """The n-th has been made, changed and, if it was, opted out on the n-th day of 2026."""
    lists = [await front.new_list(f"list {number}") for number in range(2)]
    tags = [await front.new_tag(f"tag {number}") for number in range(2)]
    made = [await _person(front, number, lists, tags) for number in range(24)]
    for number, person in enumerate(made, 1):
        person["time"] = f"2026-01-{number:02}T00:00:00+00:00"
        await front.desk.owner.execute(
            "UPDATE contact SET created_at = $2::text::timestamptz, updated_at = $2::text::timestamptz,"
            " opt_out_date = CASE WHEN opt_out_date IS NOT NULL THEN $2::text::timestamptz END WHERE contact_id = $1",
            *(person["contact_id"], person["time"]),
        )
    return People(lists, tags, made)


async def _person(front: Front, number: int, lists: list[str], tags: list[str]) -> dict[str, Any]:
    permission = PERMISSIONS[number % 6]
    made = await new_contact(
        front,
        email_address={"address": f"c{number}@example.org", "permission_to_send": permission},
        list_memberships=[lists[number % 2]] if number % 3 == 0 and permission != "unsubscribed" else [],
        taggings=[tags[number % 2]] if number % 4 == 0 else [],
    )
    if number % 5 == 0:
        await delete(front, made["contact_id"])
    return {**made, "permission": permission, "deleted": number % 5 == 0}


async def test_by_status_and_address(front: Front, people: People) -> None:
    """Contract 2.1.8: of several values in one filter any counts; without a status everybody who is not deleted."""
    living = people.living
    assert await ids(front, "") == living(lambda _: True)
    assert await ids(front, "status=all") == people.those(lambda _: True)
    assert await ids(front, "status=deleted") == people.those(lambda person: person["deleted"])
    assert await ids(front, "status=active") == living(lambda p: p["permission"] in ("implicit", "explicit"))
    for status in PERMISSIONS[2:]:
        assert await ids(front, f"status={status}") == living(lambda p, status=status: p["permission"] == status)
    several = living(lambda p: p["permission"] in ("temp_hold", "unsubscribed")) | people.those(lambda p: p["deleted"])
    assert await ids(front, "status=temp_hold,%20unsubscribed,deleted") == several
    assert await ids(front, "email=C7@Example.ORG") == living(lambda p: p is people.all[7])


async def test_by_list_and_tag(front: Front, people: People) -> None:
    """Contract 2.1.8: several filters are all met."""
    on = [people.living(lambda p, each=each: each in p["list_memberships"]) for each in people.lists]
    tagged = [people.living(lambda p, each=each: each in p["taggings"]) for each in people.tags]
    first, second = people.lists
    assert await ids(front, f"lists={first}") == on[0]
    assert await ids(front, f"lists={first},{second.upper()}") == on[0] | on[1]
    assert await ids(front, f"lists={first}&tags={','.join(people.tags)}") == on[0] & (tagged[0] | tagged[1])
    assert await ids(front, f"lists={uuid4()}") == set()
    together = f"status=active&lists={first}&tags={people.tags[0]}&updated_after=2026-01-02"
    assert await ids(front, together) == on[0] & tagged[0] & people.living(
        lambda p: p["permission"] in ("implicit", "explicit") and p["time"] > "2026-01-02T00:00:00+00:00"
    )


async def test_by_time(front: Front, people: People) -> None:
    """Contract 2.1.8, 1.5: strictly after and before; contradicting each other they are nobody's."""
    day, tenth = "2026-01-10", "2026-01-10T00:00:00+00:00"
    assert await ids(front, f"updated_after={day}") == people.living(lambda p: p["time"] > tenth)
    assert await ids(front, f"updated_before={day}") == people.living(lambda p: p["time"] < tenth)
    between = people.living(lambda p: "2026-01-04T00:00:00+00:00" < p["time"] < tenth)
    assert await ids(front, f"created_after=2026-01-04T00:00:00Z&created_before={day}") == between
    opted_out = people.those(lambda p: p["deleted"] or p["permission"] == "unsubscribed")
    later = people.those(lambda p: p["time"] > tenth)
    assert await ids(front, f"status=all&optout_after={day}") == opted_out & later
    earlier = people.those(lambda p: p["time"] < tenth)
    assert await ids(front, f"status=all&optout_before={day}") == opted_out & earlier
    assert await ids(front, f"created_after={day}&created_before=2026-01-02") == set()
    assert await ids(front, f"created_after={day}&created_before={day}") == set()


@pytest.mark.parametrize(
    "query",
    [
        "status=living",
        "include=everything",
        "include=notes,",
        "lists=Array",
        "lists=" + ",".join(str(uuid4()) for _ in range(26)),
        "tags=" + ",".join(str(uuid4()) for _ in range(51)),
        "limit=0",
        "limit=501",
        "limit=a",
        "segment_id=a",
        "segment_id=1&status=all",
        "segment_id=1&updated_after=2026-01-01",
        "segment_id=1&sms_status=all",
        "include_count=2",
        "updated_after=yesterday",
        "sms_status=deaf",
        "cursor=abc",
        "email=%00",
    ],
)
async def test_queries_that_are_refused(front: Front, query: str) -> None:
    """Contract 2.1.8, 1.5, 1.6, 1.7: 400, never another set of contacts."""
    await front.refused("GET", f"/v3/contacts?{query}", 400)


async def test_pages_stay_whole_while_contacts_come_and_go(front: Front) -> None:
    """Contract 1.7, 6.15, 6.16: a stable order, and cursors that hold all filters."""
    list_id = await front.new_list("a list")
    made = [await new_contact(front, email=f"c{n}@example.org", list_memberships=[list_id]) for n in range(6)]
    page = await front.get(f"/v3/contacts?limit=2&lists={list_id}&include=list_memberships&include_count=true")
    assert [each["contact_id"] for each in page["contacts"]] == [each["contact_id"] for each in made[:2]]
    await delete(front, made[1]["contact_id"])
    await delete(front, made[2]["contact_id"])
    late = await new_contact(front, email="late@example.org", list_memberships=[list_id])
    await new_contact(front, email="elsewhere@example.org")
    rest = []
    while "_links" in page:
        page = await front.get(page["_links"]["next"]["href"])
        rest += page["contacts"]
        assert page["contacts_count"] == 5
    assert [each["contact_id"] for each in rest] == [each["contact_id"] for each in (*made[3:], late)]
    assert all(each["list_memberships"] == [list_id] for each in rest)


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


@pytest.mark.parametrize("name", NAMES)
async def test_names_of_every_script(front: Front, name: str) -> None:
    """Contract 2.1.1: kept as they are given."""
    made = await new_contact(front, first_name=name, notes=[{"content": name}])
    shown = await everything(front, made["contact_id"])
    assert shown["first_name"] == shown["notes"][0]["content"] == name


@pytest.mark.parametrize(
    "spelling",
    ["2006-11-15", "2006-11-5", "11/15/2006", "1/5/2006", "2006/11/15", "2006/1/5", "11-15-2006", "1-15-2006"],
)
async def test_anniversaries_in_every_form(front: Front, spelling: str) -> None:
    """Contract 1.5: nine forms in, one out."""
    made = await new_contact(front, anniversary=spelling)
    digits = sorted(int(part) for part in spelling.replace("/", "-").split("-"))
    assert sorted(int(part) for part in made["anniversary"].split("-")) == digits
    assert len(made["anniversary"]) == 10


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
