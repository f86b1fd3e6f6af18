"""Answers of the v3 dialect: the seed's shape, and what the contract says of each property."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from pydantic_core import to_json

from api.v3 import contact_formats, formats
from api.v3.contact_formats import Include
from engine.activities.model import Activity, Queue, State
from engine.contacts.reading import Contact
from engine.errors import ItemError
from engine.segments.stored import Segment
from engine.sets.catalog import NamedSet, SetKind
from engine.sets.reading import MemberOf

NOW = datetime(2026, 1, 15, 10, 0, 0, 987654, tzinfo=UTC)
LATER = NOW + timedelta(seconds=2)
ID = UUID("5D3CB4F0-9D3A-4C39-8D1C-0E5F3F0C1A2B")
LINK = {"self": {"href": f"/v3/activities/{ID}"}}

QUEUED = Activity(
    account_id=1,
    sequence=9,
    activity_id=ID,
    kind="add_list_memberships",
    queue=Queue.ACTIVITIES,
    state=State.INITIALIZED,
    principal_id=UUID(int=2),
    request_text="{}",
    reads=frozenset(),
    writes=frozenset({1, 2, 3}),
    listed=True,
    retry_of=None,
    source_file_name=None,
    created_at=NOW,
    updated_at=NOW,
)
DONE = replace(
    QUEUED,
    state=State.COMPLETED,
    started_at=NOW,
    completed_at=LATER,
    updated_at=LATER,
    items_total=10,
    items_completed=10,
    changed_count=27,
    error_count=1,
)


def sent(content: object) -> Any:
    """As it arrives."""
    return json.loads(to_json(content))


def test_a_new_activity_is_the_seeds_example() -> None:
    """The seed's example response; contract v3.md 3.2."""
    answer = sent(formats.activity(QUEUED))
    assert answer == {
        "activity_id": "5d3cb4f0-9d3a-4c39-8d1c-0e5f3f0c1a2b",
        "state": "initialized",
        "created_at": "2026-01-15T10:00:00+00:00",
        "updated_at": "2026-01-15T10:00:00+00:00",
        "percent_done": 1,
        "activity_errors": [],
        "status": {},
        "_links": LINK,
    }
    assert list(answer) == [
        "activity_id",
        "state",
        "created_at",
        "updated_at",
        "percent_done",
        "activity_errors",
        "status",
        "_links",
    ]


def test_a_finished_one_tells_what_it_did() -> None:
    """Contract v3.md 3.2, the captured one; `changed_count` and `error_count` are an extension."""
    assert sent(formats.activity(DONE, [ItemError("kim", "contact_deleted", "the contact was deleted")])) == {
        "activity_id": str(ID),
        "state": "completed",
        "started_at": "2026-01-15T10:00:00+00:00",
        "completed_at": "2026-01-15T10:00:02+00:00",
        "created_at": "2026-01-15T10:00:00+00:00",
        "updated_at": "2026-01-15T10:00:02+00:00",
        "percent_done": 100,
        "activity_errors": ["kim: the contact was deleted"],
        "status": {"items_total_count": 10, "items_completed_count": 10, "list_count": 3},
        "_links": LINK,
        "changed_count": 27,
        "error_count": 1,
    }


@pytest.mark.parametrize("state", State)
def test_what_it_did_is_told_once_it_is_final(state: State) -> None:
    activity = formats.activity(replace(DONE, state=state))
    assert ("changed_count" in activity) is ("error_count" in activity) is state.is_final


@pytest.mark.parametrize("kind", ["contacts_taggings_add", "contacts_taggings_remove", "contacts_engagement_set"])
def test_kinds_without_lists_count_items(kind: str) -> None:
    """Contract v3.md 3.2.4, tag add / remove."""
    activity = formats.activity(replace(DONE, kind=kind, state=State.PROCESSING))
    assert activity["status"] == {"items_total_count": 10, "items_completed_count": 10}


@pytest.mark.parametrize("kind", ["contacts_file_import", "contacts_json_import"])
def test_imports_have_five_counters(kind: str) -> None:
    """Contract v3.md 3.2.4 and 3.13: five fields, no items_completed_count."""
    counts = {"person_count": 7, "correctable_count": 2}
    activity = formats.activity(replace(DONE, kind=kind, counts=counts, source_file_name="people.csv"))
    assert activity["source_file_name"] == "people.csv"
    assert activity["status"] == {
        "items_total_count": 10,
        "person_count": 7,
        "error_count": 0,
        "correctable_count": 2,
        "cannot_add_to_list_count": 0,
    }


def test_errors_are_strings() -> None:
    """Contract v3.md 3.2.3: at most 1,000 entries, text only."""
    errors = [ItemError("", "ignored", "unknown heading `x`"), *[ItemError("c", "x", "y")] * 2000]
    texts = formats.activity(DONE, errors)["activity_errors"]
    assert texts[:2] == ["unknown heading `x`", "c: y"]
    assert len(texts) == 1000


NAMED = NamedSet(4, ID, SetKind.LIST, "News", None, favorite=False, source=None, member_count=5, created_at=NOW,
                 updated_at=NOW, deleted_at=None)  # fmt: skip


def test_lists() -> None:
    """Contract v3.md 2.2."""
    assert sent(formats.contact_list(NAMED)) == {
        "list_id": str(ID),
        "name": "News",
        "favorite": False,
        "created_at": "2026-01-15T10:00:00+00:00",
        "updated_at": "2026-01-15T10:00:00+00:00",
    }
    full = formats.contact_list(replace(NAMED, description="", deleted_at=LATER), 0)
    assert (full["description"], full["deleted_at"], full["membership_count"]) == ("", "2026-01-15T10:00:02+00:00", 0)


def test_tags() -> None:
    """Contract v3.md 2.3."""
    tag = replace(NAMED, kind=SetKind.TAG)
    assert sent(formats.tag(tag)) == {
        "tag_id": str(ID),
        "name": "News",
        "created_at": "2026-01-15T10:00:00+00:00",
        "updated_at": "2026-01-15T10:00:00+00:00",
    }
    assert formats.counted_tag(replace(tag, source="Account"))["tag_source"] == "Account"
    assert formats.counted_tag(tag)["contacts_count"] == 5


def test_segments() -> None:
    """Contract v3.md 2.5: without their criteria in collections."""
    segment = Segment(3, "S", '{ "version" : "1.0.0" }', NOW, LATER, None)
    named = {
        "segment_id": 3,
        "name": "S",
        "created_at": "2026-01-15T10:00:00+00:00",
        "edited_at": "2026-01-15T10:00:02+00:00",
    }
    assert formats.named_segment(segment) == named
    assert formats.segment(segment) == named | {"segment_criteria": '{ "version" : "1.0.0" }'}


ROW: dict[str, Any] = {
    "contact_id": ID,
    "contact_no": 1,
    "email": "Kim@example.org",
    "permission": "implicit",
    "first_name": "Kim",
    "last_name": None,
    "job_title": None,
    "company_name": None,
    "birthday_month": 5,
    "birthday_day": 17,
    "anniversary": date(2006, 11, 15),
    "create_source": "Account",
    "update_source": None,
    "created_at": NOW,
    "updated_at": LATER,
    "deleted_at": None,
    "email_created_at": NOW,
    "email_updated_at": LATER,
    "opt_in_source": "Account",
    "opt_in_date": NOW,
    "opt_out_source": None,
    "opt_out_date": None,
    "opt_out_reason": None,
    "confirm_status": "off",
    "custom_values": None,
    "phone_numbers": None,
    "street_addresses": None,
    "notes": None,
    "sms_channel": None,
}
EVERYTHING = tuple(contact_formats.SUB_RESOURCES)


def contact(include: tuple[Include, ...] = (), **row: object) -> Any:
    found = Contact(ROW | row, [MemberOf("list", 1, ID, "News", None)])  # type: ignore[arg-type]  # records are read like mappings
    return sent(contact_formats.contact(found, include, {1: ID}))


def test_contacts() -> None:
    """Contract v3.md 2.1.1 and 2.1.2: what was not asked for is absent, and so is what has no value."""
    assert contact() == {
        "contact_id": str(ID),
        "email_address": {
            "address": "Kim@example.org",
            "permission_to_send": "implicit",
            "created_at": "2026-01-15T10:00:00+00:00",
            "updated_at": "2026-01-15T10:00:02+00:00",
            "opt_in_source": "Account",
            "opt_in_date": "2026-01-15T10:00:00+00:00",
            "confirm_status": "off",
        },
        "first_name": "Kim",
        "birthday_month": 5,
        "birthday_day": 17,
        "anniversary": "2006-11-15",
        "create_source": "Account",
        "created_at": "2026-01-15T10:00:00+00:00",
        "updated_at": "2026-01-15T10:00:02+00:00",
    }
    assert "email_address" not in contact(email=None)
    assert contact(deleted_at=LATER)["deleted_at"] == "2026-01-15"
    gone = contact(opt_out_source="Contact", opt_out_date=LATER, opt_out_reason="too much")["email_address"]
    assert gone["opt_out_date"] == "2026-01-15T10:00:02+00:00"
    assert (gone["opt_out_source"], gone["opt_out_reason"]) == ("Contact", "too much")


def test_what_is_asked_for_but_empty_is_an_empty_array() -> None:
    """Contract v3.md 2.1.1: `[]`, except for the SMS channel."""
    answer = contact(EVERYTHING)
    assert {name: answer[name] for name in EVERYTHING if name in answer} == {
        "custom_fields": [],
        "phone_numbers": [],
        "street_addresses": [],
        "list_memberships": [str(ID)],
        "taggings": [],
        "notes": [],
    }


def test_sub_resources() -> None:
    """Contract v3.md 2.1.3 to 2.1.7: custom values by field id, times in our style, notes newest first."""
    stamp = "2026-01-15T11:00:00.5+01:00"
    phone = {"phone_number_id": str(ID), "phone_number": "1", "kind": "home", "created_at": stamp, "updated_at": stamp}
    old, new = ({"note_id": text, "created_at": text, "content": "x"} for text in ("2026-01-01T00:00:00Z", stamp))
    answer = contact(
        EVERYTHING,
        custom_values=json.dumps({"1": "blue", "2": "of a field that is gone"}),
        phone_numbers=json.dumps([phone | {"create_source": None}]),
        street_addresses=json.dumps([{"kind": "home", "city": "Oslo"}]),
        notes=json.dumps([old, new]),
        sms_channel=json.dumps({"sms_channel_id": "x"}),
    )
    assert answer["custom_fields"] == [{"custom_field_id": str(ID), "value": "blue"}]
    moment = "2026-01-15T10:00:00+00:00"
    assert answer["phone_numbers"] == [phone | {"created_at": moment, "updated_at": moment}]
    assert answer["street_addresses"] == [{"kind": "home", "city": "Oslo"}]
    assert [note["created_at"] for note in answer["notes"]] == [moment, "2026-01-01T00:00:00+00:00"]
    assert answer["sms_channel"] == {"sms_channel_id": "x", "sms_channel_consents": []}


def test_maxima_of_arrays() -> None:
    """Contract v3.md 1.10, 10: no more custom values than clients take; lists and tags are all told (issue 2)."""
    ids = {number: UUID(int=number) for number in range(1, 61)}
    values = json.dumps({str(number): "x" for number in ids})
    sets = [
        MemberOf(kind, number, set_id, f"{kind} {number}", None) for kind in SetKind for number, set_id in ids.items()
    ]
    found = Contact(ROW | {"custom_values": values}, sets)  # type: ignore[arg-type]  # read like mappings
    answer = contact_formats.contact(found, EVERYTHING, ids)
    assert len(answer["custom_fields"]) == 25
    assert answer["list_memberships"] == answer["taggings"] == list(ids.values())
