"""Whom GetContacts asks for, and which page of them (contract greenrope.md 4, 10)."""

from datetime import UTC, datetime

import pytest

from api.greenrope.answers import Json, Xml
from api.greenrope.choice import Choice, Page
from api.greenrope.values import Attributes
from engine.marks import WHOLE_ACCOUNT, MarkKind
from engine.sets.expressions import Expression, Intersection, Marked, Matching, Members
from engine.sets.predicates import AnyOf, Column, Comparison, Ordered, Sign, Text, TimeWithin
from engine.sets.system import UNSUBSCRIBED


def chosen(**attributes: object) -> Choice:
    return Choice.of(Attributes({name: str(value) for name, value in attributes.items()}), Xml())


def parts(**attributes: object) -> set[Expression]:
    """What is asked for beside the criteria."""
    expression = chosen(**attributes).expression()
    assert isinstance(expression, Intersection)
    return set(expression.parts[1:])


@pytest.mark.parametrize(
    ("attributes", "page"),
    [
        ({}, None),
        ({"start_chunk_page": 2}, Page(200, 100)),
        ({"start_chunk_size": 7}, Page(0, 7)),
        ({"start_chunk_page": 1, "start_chunk_size": 50}, Page(50, 50)),
        ({"start_chunk_page": 1, "start_chunk_size": 1000}, Page(1000, 1000)),
        ({"start_chunk_page": 1, "start_chunk_size": 1001}, Page(1000, 1000)),
    ],
)
def test_pages(attributes: dict[str, int], page: Page | None) -> None:
    """Contract 4 and 10: the first is 0, 100 by default, 1,000 at most."""
    assert chosen(**attributes).page == page


def test_json_of_all_accounts_comes_in_pages() -> None:
    """Contract 4: neither XML of all accounts nor JSON of one does, unless it is asked for."""
    everywhere, here = Attributes({"get_all": "true"}), Attributes({})
    assert Choice.of(everywhere, Json()).page == Page(0, 100)
    assert Choice.of(everywhere, Xml()).page is Choice.of(here, Json()).page is None


def test_what_search_looks_at() -> None:
    """Contract 4 and the seed: "firstname, lastname, company, title and email", any of them."""
    columns = (Column.FIRST_NAME, Column.LAST_NAME, Column.COMPANY_NAME, Column.JOB_TITLE, Column.EMAIL)
    texts = tuple(Text(column, Comparison.CONTAINS, "john") for column in columns)
    assert parts(search="john") == {Matching(AnyOf(texts))}


def test_ranges() -> None:
    """Contract 4: last names include both ends; after a time is from the next second on."""
    assert parts(start_lastname="D", end_lastname="J") == {
        Matching(Ordered(Column.LAST_NAME, Sign.FROM, "D")),
        Matching(Ordered(Column.LAST_NAME, Sign.UP_TO, "J")),
    }
    next_second = datetime(2012, 1, 1, 7, 0, 35, tzinfo=UTC)
    assert parts(updated_timestamp="2012-01-01 07:00:34") == {
        Matching(TimeWithin(Column.UPDATED_AT, next_second, None))
    }


def test_marks() -> None:
    """Contract 4: of the account or of the group, of whole days, both included; flags that say no ask for nothing."""
    since, until = datetime(2018, 1, 1, tzinfo=UTC), datetime(2018, 2, 1, tzinfo=UTC)
    january = {"Bounced_startdate": "20180101", "Bounced_enddate": "20180131"}
    assert parts(Bounced="true", **january) == {Marked(MarkKind.BOUNCED, WHOLE_ACCOUNT, since, until)}
    assert parts(Bounced="yes", group_id=4) == {Marked(MarkKind.BOUNCED, 4)}
    assert parts(Unsubscribed="true") == {Members((UNSUBSCRIBED,))}
    assert parts(Unsubscribed="true", group_id=4) == {Marked(MarkKind.UNSUBSCRIBED, 4)}
    assert parts(Unsubscribed="false", Bounced="0", **january) == set()
    assert parts(Unsubscribed="false", group_id=4) == {Members((4,))}
