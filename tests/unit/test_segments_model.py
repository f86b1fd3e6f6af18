"""The model of segments, which everything is compared with, checked by hand against contract v3.md 4.3."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.segment_model import DAY_TEXTS, NO_DAYS, day_of, meets

KIM = {
    "first_name": " Kim ",
    "last_name": None,
    "email_address": "kim@example.org",
    "street_addresses": [{"city": "Oslo", "street": "1 Elm St"}, {"city": "Rome"}],
    "birthday_month": 5,
    "birthday_day": None,
    "anniversary": date(2006, 11, 15),
    "created_at": datetime(2024, 5, 17, 23, 59, 59, tzinfo=UTC),
    "opt_out_date": None,
    "create_source": "Account",
    "permission_to_send": "implicit",
    "custom": {"shirt_size": "M", "joined": "5/17/2024", "left": "soon"},
    "lists": {"l1"},
    "tags": {"t1"},
}
TYPES = {"shirt_size": "string", "joined": "date", "left": "date"}


@pytest.mark.parametrize(
    ("field", "op", "value", "expected"),
    [
        ("first_name", "eq", "KIM", True),
        ("first_name", "contains", "i", True),
        ("first_name", "ends-with", "m", True),
        ("first_name", "starts-with", "m", False),
        ("last_name", "not-eq", "Ode", True),
        ("last_name", "eq", "", True),
        ("last_name", "is-empty", None, True),
        ("city", "eq", "rome", True),
        ("city", "not-eq", "rome", False),
        ("city", "not-eq", "Bergen", True),
        ("street", "is-empty", None, False),
        ("state", "is-empty", None, True),
        ("birthday_month", "contains-any", [4, "5"], True),
        ("birthday_day", "not-eq", 1, True),
        ("anniversary", "eq", "11/15/2006", True),
        ("created_at", "eq", "2024-05-17", True),
        ("created_at", "after", "2024-05-17", False),
        ("created_at", "between", ["2024-05-16", "2024-05-17"], True),
        ("opt_out_date", "before", "2024-05-17", False),
        ("permission_to_send", "contains-any", ["explicit", "implicit"], True),
        ("cf:Shirt_Size", "eq", "m", True),
        ("cf:joined", "eq", "2024-05-17", True),
        ("cf:joined", "contains", "/17/", True),
        ("cf:left", "before", "2024-05-17", False),
        ("cf:left", "not-eq", "2024-05-17", True),
        ("cf:unknown", "not-eq", "x", False),
        ("list_membership", "contains-any", ["l1", "l2"], True),
    ],
)
def test_rules(field: str, op: str, value: Any, expected: bool) -> None:
    assert meets(KIM, {"source": "contact", "field": field, "op": op, "value": value}, TYPES) is expected


def test_groups() -> None:
    tagged = {"source": "tags", "field": "tag_id", "op": "contains-any", "value": "t1"}
    untagged = {**tagged, "op": "contains-none"}
    assert meets(KIM, {"type": "or", "group": [untagged, tagged]}, TYPES)
    assert not meets(KIM, {"type": "and", "group": [untagged, tagged]}, TYPES)


def test_days() -> None:
    assert all(map(day_of, DAY_TEXTS))
    assert not any(map(day_of, NO_DAYS))
