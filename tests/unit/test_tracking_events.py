"""Rows of tracking events: which are read, which are refused and in which words."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tracking import events
from engine.tracking.events import Event, Kind, ListEvent

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
CAMPAIGN, CONTACT = "a0000000-0000-4000-8000-00000000000A", "b0000000-0000-4000-8000-00000000000b"
LIST = "c0000000-0000-4000-8000-00000000000c"
OPENED = {"email": "Kim@Example.org", "campaign_id": CAMPAIGN, "event": "opened", "time": "2026-05-17T10:00:00Z"}
BY_ID = {"contact_id": CONTACT} | {name: value for name, value in OPENED.items() if name != "email"}


def read(**changes: Any) -> Event | ListEvent:
    [event], errors = events.read([OPENED | changes], NOW)
    assert errors == []
    return event


def error(row: Any) -> tuple[str, str, str]:
    found, [(number, error)] = events.read([OPENED, row], NOW)
    assert [event.row for event in found] == [1]
    assert number == 2
    return error.item, error.code, error.message


def test_what_an_event_is() -> None:
    expected = Event(1, "kim@example.org", UUID(CAMPAIGN), Kind.OPENED, datetime(2026, 5, 17, 10, tzinfo=UTC))
    assert events.read([OPENED, BY_ID], NOW) == ([expected, expected._replace(row=2, contact=UUID(CONTACT))], [])


@pytest.mark.parametrize(
    ("time", "utc"),
    [
        ("2026-05-17T12:30:00+02:30", "10:00:00"),
        ("2026-05-17T12:30+0230", "10:00:00"),
        ("2026-05-17T10:00:00.123456789Z", "10:00:00.123456"),
        ("2026-05-17T12:05:00Z", "12:05:00"),
    ],
)
def test_times(time: str, utc: str) -> None:
    assert read(time=time).time.time().isoformat() == utc


def test_what_else_is_in_a_row_does_not_matter() -> None:
    assert read(contact_id=None, user_agent="x", ip=[1]) == read()


@pytest.mark.parametrize(
    ("row", "item", "code", "message"),
    [
        (5, "", "not_an_object", "row 2: this is no JSON object"),
        ([OPENED], "", "not_an_object", "row 2: this is no JSON object"),
        (None, "", "not_an_object", "row 2: this is no JSON object"),
        ({}, "", "no_contact", "row 2: give either contact_id or email"),
        (OPENED | BY_ID, CONTACT, "two_contacts", "row 2: give either contact_id or email"),
        (OPENED | {"email": "kim"}, "kim", "malformed_email", "row 2: email is kim; it must be an e-mail address"),
        (OPENED | {"email": 5}, "", "malformed_email", "row 2: email is no text; it must be an e-mail address"),
        (OPENED | {"email": "k\0@x.org"}, r"k\x00@x.org", "malformed_email", r"row 2: email is k\x00@x.org; it must"),
        (OPENED | {"email": "k\ud800@x.org"}, r"k\ud800@x.org", "malformed_email", r"row 2: email is k\ud800@x.org"),
        (OPENED | {"email": "k" * 75 + "@x.org"}, "k" * 50 + "…", "malformed_email", "row 2: email is kkk"),
        (BY_ID | {"contact_id": "5"}, "5", "malformed_contact_id", "row 2: contact_id is 5; it must be a UUID of 36"),
        (BY_ID | {"contact_id": [1]}, "", "malformed_contact_id", "row 2: contact_id is no text; it must be a UUID"),
        (OPENED | {"campaign_id": None}, OPENED["email"], "missing_campaign_id", "row 2: campaign_id is missing; it"),
        (OPENED | {"campaign_id": CAMPAIGN[:-1]}, OPENED["email"], "malformed_campaign_id", "row 2: campaign_id is a0"),
        (
            OPENED | {"event": "Opened"},
            OPENED["email"],
            "malformed_event",
            "row 2: event is Opened; it must be one of s",
        ),
        (
            OPENED | {"event": ["sent"]},
            OPENED["email"],
            "malformed_event",
            "row 2: event is no text; it must be one of",
        ),
        (
            OPENED | {"event": None},
            OPENED["email"],
            "missing_event",
            "row 2: event is missing; it must be one of sent,",
        ),
        (OPENED | {"time": None}, OPENED["email"], "missing_time", "row 2: time is missing; it must be a date-time"),
        (OPENED | {"time": 1779012000}, OPENED["email"], "malformed_time", "row 2: time is no text; it must be a date"),
        (OPENED | {"time": "2026-05-17"}, OPENED["email"], "malformed_time", "row 2: time is 2026-05-17; it must be a"),
        (OPENED | {"time": "2026-05-17T10:00:00"}, OPENED["email"], "malformed_time", "as 2026-01-15T10:00:00Z"),
        (OPENED | {"time": "2026-02-30T10:00:00Z"}, OPENED["email"], "malformed_time", "time is 2026-02-30T10:00:00Z"),
        (OPENED | {"time": "0001-01-01T00:00:00+14:00"}, OPENED["email"], "malformed_time", "time is 0001-01-01T00"),
        (OPENED | {"time": "2026-05-17T10:00:00+99:00"}, OPENED["email"], "malformed_time", "time is 2026-05-17T10"),
        (OPENED | {"time": "2026-05-17T12:05:01Z"}, OPENED["email"], "time_ahead", "which is yet to come"),
    ],
)
def test_wrong_rows(row: Any, item: str, code: str, message: str) -> None:
    assert error(row)[:2] == (item, code)
    assert message in error(row)[2]
    assert error(row)[2].isprintable()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.lists(
        json_values | st.fixed_dictionaries({}, optional=dict.fromkeys((*OPENED, "contact_id", "list_id"), json_values))
    )
)
def test_each_row_is_an_event_or_an_error(rows: list[Any]) -> None:
    found, errors = events.read(json.loads(json.dumps(rows)), NOW)
    assert sorted([event.row for event in found] + [row for row, _ in errors]) == list(range(1, len(rows) + 1))
    events.may_change_contacts(rows)
    events.names_emails(rows)


def test_what_rows_may_do_is_known_beforehand() -> None:
    assert events.may_change_contacts([BY_ID, OPENED | {"event": "bounced"}])
    assert events.may_change_contacts([OPENED | {"event": "unsubscribed"}])
    assert not events.may_change_contacts([BY_ID, 5, OPENED | {"event": ["bounced"]}])
    assert not events.may_change_contacts([OPENED | {"event": "complained", "list_id": LIST}])
    assert events.names_emails([BY_ID, OPENED])
    assert not events.names_emails([BY_ID, 5, BY_ID | {"email": None}])


@pytest.mark.parametrize("kind", events.CHANGING)
@pytest.mark.parametrize("campaign_id", [None, CAMPAIGN])
def test_what_an_event_of_a_list_is(kind: Kind, campaign_id: str | None) -> None:
    """Whichever campaign it came of."""
    expected = ListEvent(1, "kim@example.org", UUID(LIST), kind, datetime(2026, 5, 17, 10, tzinfo=UTC))
    assert read(event=kind, list_id=LIST, campaign_id=campaign_id) == expected


@pytest.mark.parametrize(
    ("changes", "code", "message"),
    [
        (
            {"list_id": LIST},
            "unexpected_list_id",
            "list_id does not go with opened, only with bounced, unsubscribed, c",
        ),
        ({"list_id": LIST, "event": "sent"}, "unexpected_list_id", "list_id does not go with sent"),
        ({"list_id": 7, "event": "bounced"}, "malformed_list_id", "list_id is no text; it must be a UUID of 36"),
        ({"list_id": "7", "event": "bounced"}, "malformed_list_id", "list_id is 7; it must be a UUID of 36"),
        ({"list_id": LIST, "event": "bounced", "campaign_id": "x"}, "malformed_campaign_id", "campaign_id is x; it"),
        ({"list_id": LIST, "event": "left"}, "malformed_event", "event is left; it must be one of sent, opened"),
    ],
)
def test_wrong_events_of_lists(changes: dict[str, Any], code: str, message: str) -> None:
    assert error(OPENED | changes)[1] == code
    assert message in error(OPENED | changes)[2]


def test_the_past_has_no_end() -> None:
    assert read(time="0001-01-01T00:00:00Z").time < NOW - timedelta(days=36500)
