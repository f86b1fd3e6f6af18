"""The model of segments, which everything is compared with, checked by hand against contract v3.md 4.3."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from tests.segment_model import DAY_TEXTS, NO_DAYS, World, day_of, meets

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
    "sent": {"new", "late"},
    "opened": {"late", "old"},
    "clicked": set(),
}
#: The newest campaign was sent half a day ago, the oldest 40 days ago.
WORLD = World(
    field_types={"shirt_size": "string", "joined": "date", "left": "date"},
    campaigns={"new": 0.5, "late": 3.5, "old": 40.0},
)


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
    """Contract v3.md 4.3: without case, trimmed; of several addresses any for a positive rule, none for a negative."""
    assert meets(KIM, {"source": "contact", "field": field, "op": op, "value": value}, WORLD) is expected


@pytest.mark.parametrize(
    ("field", "operand", "expected"),
    [
        ("sent", {"value": ["new", "unknown"]}, True),
        ("sent", {"value": ["old"]}, False),
        ("not_sent", {"value": ["old"]}, True),
        ("not_sent", {"value": ["old", "new"]}, False),
        ("not_sent", {"value": ["unknown"]}, False),
        ("opened", {"const_value": "last-n-campaigns", "param": "1"}, False),
        ("not_opened", {"const_value": "last-n-campaigns", "param": 1}, True),
        ("not_opened", {"const_value": "last-n-campaigns", "param": 5}, False),
        ("not_opened", {"value": ["old"]}, False),
        ("opened", {"const_value": "last-n-days", "param": 3}, False),
        ("opened", {"const_value": "last-n-days", "param": "4"}, True),
        ("not_clicked", {"const_value": "last-n-days", "param": 1825}, True),
        ("not_clicked", {"value": ["old"]}, False),
    ],
)
def test_tracking(field: str, operand: Any, expected: bool) -> None:
    """Contract v3.md 4.3: a `not_` rule wants that at least one of the campaigns was sent."""
    assert meets(KIM, {"source": "tracking", "field": field, "op": "contains-any", **operand}, WORLD) is expected


def test_groups() -> None:
    """Contract v3.md 4.2."""
    tagged = {"source": "tags", "field": "tag_id", "op": "contains-any", "value": "t1"}
    untagged = {**tagged, "op": "contains-none"}
    assert meets(KIM, {"type": "or", "group": [untagged, tagged]}, WORLD)
    assert not meets(KIM, {"type": "and", "group": [untagged, tagged]}, WORLD)


def test_days() -> None:
    """Contract v3.md 1.5."""
    assert all(map(day_of, DAY_TEXTS))
    assert not any(map(day_of, NO_DAYS))
