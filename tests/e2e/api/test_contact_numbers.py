"""Counts of contacts, their old numbers, and what is optional, over HTTP (contract v3.md 2.1.14 to 2.1.16)."""

from typing import Any
from uuid import uuid4

import pytest

from tests.e2e.api.contacts import KIM, changed, delete, new_contact, number_of
from tests.e2e.api.front import Front

XREFS = "/v3/contacts/contact_id_xrefs?sequence_ids="
COUNTS = "/v3/contacts/counts"


@pytest.mark.parametrize(
    ("permission", "days", "is_new"),
    [
        ("implicit", 29, True),
        ("explicit", 29, True),
        ("implicit", 31, False),
        ("explicit", 31, False),
        ("unsubscribed", 1, False),
        ("pending_confirmation", 1, False),
    ],
)
async def test_who_is_a_new_subscriber(front: Front, permission: str, days: int, is_new: bool) -> None:
    """Contract 2.1.15: who may be mailed and subscribed in the last 30 days."""
    made = await new_contact(front, email_address={"address": KIM, "permission_to_send": permission})
    await front.desk.owner.execute(
        "UPDATE contact SET opt_in_date = now() - make_interval(days => $2) WHERE contact_id = $1",
        *(made["contact_id"], days),
    )
    found = await front.get(f"{COUNTS}?include=new_subscriber")
    assert found["new_subscriber"] == is_new
    assert {type(each) for each in found.values()} == {int}
    assert "new_subscriber" not in await front.get(COUNTS)


async def test_counts_of_nobody(front: Front) -> None:
    """Contract 2.1.15, 5.37: five counts, and a sixth under either of its names; nothing else can be included."""
    nobody = dict.fromkeys(("total", "explicit", "implicit", "pending", "unsubscribed"), 0)
    assert await front.get(COUNTS) == nobody
    for name in ("new_subscriber", "new_subscribers"):
        assert await front.get(f"{COUNTS}?include={name}") == nobody | {"new_subscriber": 0}
    for wrong in ("", "all", "new_subscriber,new_subscribers"):
        await front.refused("GET", f"{COUNTS}?include={wrong}", 400)


async def test_a_contact_has_the_number_that_it_was_made_with(front: Front) -> None:
    """Contract 2.1.14, 1.4, 6.29: digits as text, which stay; up to 500 are asked for at once."""
    made = await new_contact(front)
    number = await number_of(front, made["contact_id"])
    await changed(front, made["contact_id"], email_address={"address": "new@example.org"})
    expected = {"xrefs": [{"sequence_id": str(number), "contact_id": made["contact_id"]}]}
    others = [str(each) for each in range(1000, 1499)]
    assert await front.get(XREFS + ",".join([*others, str(number)])) == expected
    assert await front.get(f"{XREFS}{number},%20{number},0{number}") == expected
    await front.refused("GET", XREFS + ",".join([*others, str(number), "7"]), 400)
    for wrong in ("", ",", "x", "-1", "1.5", "1,,2", "%D9%A1"):
        assert (await front.refused("GET", XREFS + wrong, 400)).startswith("sequence_ids")
    assert await front.refused("GET", XREFS.partition("?")[0], 400) == "sequence_ids is missing"
    await delete(front, made["contact_id"])
    assert await front.get(f"{XREFS}{number}") == {"xrefs": []}


@pytest.mark.parametrize("body", [{}, {"list_ids": []}, {"list_ids": None}, {"list_ids": ["x"]}, {"list_ids": "x"}, []])
async def test_resubscribing_needs_lists(front: Front, body: Any) -> None:
    """Contract 2.1.16: `list_ids` is an array of lists that exist; else 400, and the one time is not used up."""
    gone = {"address": KIM, "permission_to_send": "unsubscribed"}
    made = await new_contact(front, email_address=gone)
    path = f"/v3/contacts/resubscribe/{made['contact_id']}"
    await front.refused("PUT", path, 400, json=body)
    await front.refused("PUT", path, 400, json={"list_ids": [str(uuid4())]})
    answer = await front.put(path, {"list_ids": [await front.new_list("L")]})
    assert answer["email_address"]["permission_to_send"] == "explicit"


async def test_the_history_of_text_messages(front: Front) -> None:
    """Contract 2.1.16, 1.11: a bare array, empty with a channel and without, also of a deleted contact."""
    consent = {"sms_consent_permission": "explicit", "consent_type": "promotional_sms"}
    channel = {"full_sms_address": "+14155552671", "sms_channel_consents": [consent]}
    first, second = await new_contact(front, sms_channel=channel), await new_contact(front, email="other@example.org")
    await delete(front, second["contact_id"])
    for made in (first, second):
        assert await front.get(f"/v3/contacts/sms_engagement_history/{made['contact_id']}") == []
