"""The days of rules (contract greenrope.md 6.1.1); tests/e2e/greenrope/test_searching.py has all other rules."""

from datetime import UTC, datetime

import pytest

from api import xml
from api.greenrope import rules
from api.greenrope.rules import Vocabulary
from engine.sets.expressions import NOBODY, Expression, Matching
from engine.sets.predicates import Column, TimeWithin

FIRST, SECOND = "<Date>2017/08/20</Date>", "<Date2>2017/08/25</Date2>"
BEGUN, NEXT = datetime(2017, 8, 20, tzinfo=UTC), datetime(2017, 8, 21, tzinfo=UTC)


def within(span: str, days: str, field: str = "LastModified") -> Expression:
    rule = f"<Rule><Field>{field}</Field><Range>{span}</Range>{days}</Rule>"
    return rules.expression(xml.parse(rule.encode()), Vocabulary((), ()))


@pytest.mark.parametrize(
    ("span", "since", "until"),
    [
        ("after", NEXT, None),
        ("before", None, BEGUN),
        ("on", BEGUN, NEXT),
        ("between", BEGUN, datetime(2017, 8, 26, tzinfo=UTC)),
        ("Between", BEGUN, datetime(2017, 8, 26, tzinfo=UTC)),
    ],
)
def test_days(span: str, since: datetime | None, until: datetime | None) -> None:
    """Contract 6.1.1: after the end of the day, before its start, both days included; case does not matter."""
    assert within(span, FIRST + SECOND) == Matching(TimeWithin(Column.UPDATED_AT, since, until))
    assert within(span, FIRST + SECOND, "ContactCreated") == Matching(TimeWithin(Column.CREATED_AT, since, until))


def test_days_at_the_end_of_time() -> None:
    """Contract 6.1.1: nobody is after the last day, nor between two in the wrong order."""
    assert within("after", "<Date>9999/12/31</Date>") == NOBODY
    assert within("between", "<Date>2017/08/26</Date>" + SECOND) == NOBODY
