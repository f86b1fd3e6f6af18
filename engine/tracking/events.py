"""Tracking events as they are told: rows that say who did what with which campaign, and when.

A wrong row is reported and does not stop the rest. Properties that are not known are ignored: who passes on what a mail
system tells may leave more in a row.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, NamedTuple
from uuid import UUID

from engine.emails import email_key, is_email
from engine.errors import ItemError
from engine.imports.problems import quoted

#: How far a time may lie ahead: clocks differ.
AHEAD = timedelta(minutes=5)
#: Longest e-mail of a contact (contract v3.md 1.10).
EMAIL_CHARACTERS = 80

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)", re.ASCII)


class Kind(StrEnum):
    """What happened. Each has a column of `campaign`, which says which set tells to whom."""

    SENT = "sent"
    OPENED = "opened"
    CLICKED = "clicked"
    BOUNCED = "bounced"
    UNSUBSCRIBED = "unsubscribed"
    COMPLAINED = "complained"


#: What changes the contact itself; or, told of one list, is a mark in it and leaves the contact as it is.
CHANGING = (Kind.BOUNCED, Kind.UNSUBSCRIBED, Kind.COMPLAINED)


class Event(NamedTuple):
    """One event of a campaign. `contact` is an id, or the key of an e-mail; `row` counts from 1; `time` is in UTC."""

    row: int
    contact: UUID | str
    campaign_id: UUID
    kind: Kind
    time: datetime


class ListEvent(NamedTuple):
    """One event of a list, whichever campaign it came of."""

    row: int
    contact: UUID | str
    list_id: UUID
    kind: Kind
    time: datetime


#: An error with its row.
RowError = tuple[int, ItemError]


class _Wrong(Exception):
    """What is wrong with a row, with its code."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


def read(rows: Sequence[Any], now: datetime) -> tuple[list[Event | ListEvent], list[RowError]]:
    """The events of the rows, which may be anything that JSON knows, and one error for each row that tells none."""
    events, errors = [], []
    for number, row in enumerate(rows, start=1):
        try:
            events.append(_event(number, row, now))
        except _Wrong as wrong:
            errors.append(row_error(number, _item(row), wrong.code, str(wrong)))
    return events, errors


def row_error(row: int, item: str, code: str, text: str) -> RowError:
    return row, ItemError(item, code, f"row {row}: {text}")


def may_change_contacts(rows: Sequence[Any]) -> bool:
    """Whether any of the rows may tell of a bounce, an unsubscription or a complaint that is not of one list."""
    return any(isinstance(row, Mapping) and row.get("event") in CHANGING and row.get("list_id") is None for row in rows)


def names_emails(rows: Sequence[Any]) -> bool:
    """Whether any of the rows may name its contact by e-mail."""
    return any(isinstance(row, Mapping) and row.get("email") is not None for row in rows)


def _event(number: int, row: Any, now: datetime) -> Event | ListEvent:
    if not isinstance(row, Mapping):
        raise _Wrong("not_an_object", "this is no JSON object")
    if row.get("list_id") is not None:
        return _list_event(number, row, now)
    return Event(number, _contact(row), _id(row, "campaign_id"), _kind(row), _time(row, now))


def _list_event(number: int, row: Mapping[str, Any], now: datetime) -> ListEvent:
    """A campaign need not be named: of a list's events none is of a campaign."""
    if row.get("campaign_id") is not None:
        _id(row, "campaign_id")
    told = ListEvent(number, _contact(row), _id(row, "list_id"), _kind(row), _time(row, now))
    if told.kind not in CHANGING:
        raise _Wrong("unexpected_list_id", f"list_id does not go with {told.kind}, only with {', '.join(CHANGING)}")
    return told


def _contact(row: Mapping[str, Any]) -> UUID | str:
    named = [name for name in ("contact_id", "email") if row.get(name) is not None]
    if len(named) != 1:
        raise _Wrong("no_contact" if not named else "two_contacts", "give either contact_id or email")
    if named == ["contact_id"]:
        return _id(row, "contact_id")
    return email_key(_text(row, "email", _is_email, "an e-mail address"))


def _is_email(text: str) -> bool:
    return len(text) <= EMAIL_CHARACTERS and is_email(text.strip())


def _id(row: Mapping[str, Any], name: str) -> UUID:
    return UUID(_text(row, name, lambda text: _UUID.fullmatch(text) is not None, "a UUID of 36 characters"))


def _kind(row: Mapping[str, Any]) -> Kind:
    return Kind(_text(row, "event", lambda text: text in tuple(Kind), f"one of {', '.join(Kind)}"))


def _time(row: Mapping[str, Any], now: datetime) -> datetime:
    expected = "a date-time with its offset, as 2026-01-15T10:00:00Z"
    text = _text(row, "time", lambda text: _TIME.fullmatch(text) is not None, expected)
    try:
        time = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise _Wrong("malformed_time", f"time is {quoted(text)}; it must be {expected}") from None
    if time > now + AHEAD:
        raise _Wrong("time_ahead", f"time is {quoted(text)}, which is yet to come")
    return time


def _text(row: Mapping[str, Any], name: str, is_right: Callable[[str], bool], expected: str) -> str:
    text = row.get(name)
    if text is None:
        raise _Wrong(f"missing_{name}", f"{name} is missing; it must be {expected}")
    if not isinstance(text, str) or not is_right(text):
        shown = quoted(text) if isinstance(text, str) else "no text"
        raise _Wrong(f"malformed_{name}", f"{name} is {shown}; it must be {expected}")
    return text


def _item(row: Any) -> str:
    """The contact as the row names it, as far as it does."""
    if not isinstance(row, Mapping):
        return ""
    return next((quoted(row[name]) for name in ("contact_id", "email") if isinstance(row.get(name), str)), "")
