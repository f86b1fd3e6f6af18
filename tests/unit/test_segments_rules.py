"""What checked criteria mention, and the set expressions that they become."""

import json
from typing import Any
from uuid import UUID

import pytest

from engine import segments
from engine.errors import InvalidSegment
from engine.segments import CustomField, Mentions, Names
from engine.segments.rules import LastCampaigns, LastDays, NamedCampaigns, Tracked
from engine.sets.expressions import NOBODY, Difference, Expression, Intersection, Matching, Members, Union, reads
from engine.sets.predicates import (
    AddressPart,
    Column,
    Comparison,
    CustomDay,
    CustomText,
    DayWithin,
    Not,
    Predicate,
    Present,
    Text,
)
from engine.sets.system import EXISTS, FIELDS, TRACKING

FIRST, SECOND, GONE = (UUID(int=number) for number in (1, 2, 3))
NAMES = Names(
    lists={FIRST: 11, SECOND: 12},
    tags={FIRST: 21},
    fields={
        "shirt_size": CustomField(5, "string"),
        "joined": CustomField(6, "date"),
        str(FIRST): CustomField(5, "string"),
    },
    campaigns={
        LastCampaigns(5): Tracked(sent=(31, 34), opened=(32, 35), clicked=(33,)),
        LastDays(30): Tracked(opened=(32,)),
        NamedCampaigns(frozenset({FIRST, GONE})): Tracked(sent=(31,), opened=(32,), clicked=(33,)),
    },
)
LAST = {"const_value": "last-n-campaigns", "param": "5"}
RECENT = {"const_value": "last-n-days", "param": 30}
NAMED = {"value": [str(FIRST), str(GONE), str(FIRST)]}
NONE = {"value": [str(GONE)]}
CITY = {"source": "contact", "field": "city", "op": "eq", "value": "Oslo"}
IN_OSLO = Matching(Text(AddressPart.CITY, Comparison.EQUALS, "Oslo"))


def on_lists(*list_ids: UUID) -> dict[str, Any]:
    return {"source": "list_membership", "field": "list_id", "op": "contains-any", "value": [*map(str, list_ids)]}


def tags(op: str, *tag_ids: UUID) -> dict[str, Any]:
    return {"source": "tags", "field": "tag_id", "op": op, "value": [*map(str, tag_ids)]}


def any_of(*nodes: Any) -> dict[str, Any]:
    return {"type": "or", "group": list(nodes)}


def parsed(*nodes: Any) -> segments.Group:
    criteria = {"version": "1.0.0", "criteria": {"type": "and", "group": list(nodes)}}
    return segments.parse(json.dumps(criteria))


def meaning(node: Any) -> Expression:
    """What the only node of a segment means, without the existing contacts it is intersected with."""
    match segments.compile(parsed(node), NAMES):
        case Intersection((Members((set_no,)), Intersection((found,)))):
            assert set_no == EXISTS
            return found
        case other:
            raise AssertionError(other)


def predicate(field: str, op: str, value: Any = None) -> Predicate:
    found = meaning({"source": "contact", "field": field, "op": op, "value": value})
    assert isinstance(found, Matching)
    return found.predicate


def test_only_existing_contacts_are_in_a_segment() -> None:
    """Contract 4.3: the universe is who is not deleted; 4.1: also without any rule on lists."""
    assert segments.compile(parsed(CITY, CITY), NAMES) == Intersection(
        (Members((EXISTS,)), Intersection((IN_OSLO, IN_OSLO)))
    )


def test_groups_become_unions_and_intersections() -> None:
    """Contract 4.2."""
    rule = any_of(CITY, {"type": "and", "group": [CITY, any_of(on_lists(FIRST))]})
    assert meaning(rule) == Union((IN_OSLO, Intersection((IN_OSLO, Union((Members((11,)),))))))


@pytest.mark.parametrize(
    ("rule", "expression"),
    [
        (on_lists(FIRST, SECOND), Members((11, 12))),
        (on_lists(FIRST, GONE), Members((11,))),
        (on_lists(GONE), NOBODY),
        ({**on_lists(FIRST), "source": "contact", "field": "list_membership"}, Members((11,))),
        ({**on_lists(), "value": str(SECOND).upper()}, Members((12,))),
        (tags("contains-any", FIRST), Members((21,))),
        (tags("contains-none", FIRST, GONE), Difference(Members((EXISTS,)), Members((21,)))),
        (tags("contains-none", GONE), Difference(Members((EXISTS,)), NOBODY)),
    ],
)
def test_lists_and_tags(rule: Any, expression: Expression) -> None:
    """Contract 4.3: ids that do not exist match nobody; one id or several."""
    assert meaning(rule) == expression


@pytest.mark.parametrize(
    ("field", "operand", "expression"),
    [
        ("opened", LAST, Members((TRACKING, 32, 35))),
        ("clicked", RECENT, Members((TRACKING,))),
        ("sent", NAMED, Members((TRACKING, 31))),
        ("not_opened", LAST, Difference(Members((TRACKING, 31, 34)), Members((TRACKING, 32, 35)))),
        ("not_clicked", NAMED, Difference(Members((TRACKING, 31)), Members((TRACKING, 33)))),
        ("not_opened", RECENT, Difference(Members((TRACKING,)), Members((TRACKING, 32)))),
        ("not_opened", NONE, Difference(Members((TRACKING,)), Members((TRACKING,)))),
        ("not_sent", LAST, Difference(Members((TRACKING, EXISTS)), Members((31, 34)))),
        ("not_sent", NONE, Difference(Members((TRACKING,)), NOBODY)),
    ],
)
def test_tracking(field: str, operand: Any, expression: Expression) -> None:
    """Contract 4.3: with no campaigns nobody."""
    assert meaning({"source": "tracking", "field": field, "op": "contains-any", **operand}) == expression


@pytest.mark.parametrize("field", ["cf:Shirt_Size", "cf: SHIRT_SIZE ", f"cf:{FIRST}"])
def test_a_custom_field_is_known_by_id_and_by_name_in_any_case(field: str) -> None:
    """Contract 4.3 and 2.4."""
    assert predicate(field, "eq", "M") == Text(CustomText(5), Comparison.EQUALS, "M")


@pytest.mark.parametrize(("op", "value"), [("eq", "x"), ("not-eq", "x"), ("is-empty", None), ("before", "1/1/2024")])
def test_an_unknown_custom_field_means_nobody(op: str, value: str | None) -> None:
    """Contract 4.3."""
    assert meaning({"source": "contact", "field": "cf:shirt size", "op": op, "value": value}) == NOBODY


def test_a_date_field_compares_days_for_equality_and_texts_for_the_rest() -> None:
    """Contract 4.3: text operators; date operators for date fields."""
    on_17_may = predicate("cf:joined", "eq", "5/17/2024")
    assert isinstance(on_17_may, DayWithin)
    assert on_17_may.field == CustomDay(6)
    assert predicate("cf:joined", "not-eq", "2024-05-17") == Not(on_17_may)
    assert predicate("cf:joined", "contains", "2024") == Text(CustomText(6), Comparison.CONTAINS, "2024")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({**CITY, "field": "cf:shirt_size", "op": "before", "value": "2024-05-17"}, 'group[0].op is "before"; it must'),
        ({**CITY, "field": "cf:joined"}, 'group[0].value is "Oslo"; it must be a date such as'),
    ],
)
def test_a_custom_fields_type_decides_what_it_takes(rule: Any, message: str) -> None:
    """Contract 4.3."""
    criteria = parsed(rule)
    with pytest.raises(InvalidSegment) as refused:
        segments.compile(criteria, NAMES)
    assert f"criteria.{message}" in refused.value.message


@pytest.mark.parametrize("blank", ["", " \t"])
def test_equal_to_nothing_is_empty(blank: str) -> None:
    """Contract 4.3: a missing property is the empty string; trimmed."""
    assert predicate("first_name", "eq", blank) == predicate("first_name", "is-empty")
    assert predicate("first_name", "is-not-empty") == Present(Column.FIRST_NAME)


def test_mentions_name_what_must_be_looked_up() -> None:
    rule = any_of(
        on_lists(FIRST, SECOND),
        {**on_lists(GONE), "source": "contact", "field": "list_membership"},
        tags("contains-none", SECOND),
        {**CITY, "field": "cf:Shirt_Size"},
        CITY,
        {"source": "tracking", "field": "not_sent", "op": "contains-any", **LAST},
        {"source": "tracking", "field": "clicked", "op": "contains-any", **NONE},
    )
    assert segments.mentions(parsed(rule, CITY)) == Mentions(
        lists=frozenset({FIRST, SECOND, GONE}),
        tags=frozenset({SECOND}),
        fields=frozenset({"shirt_size"}),
        campaigns=frozenset({LastCampaigns(5), NamedCampaigns(frozenset({GONE}))}),
    )


def test_a_segment_reads_its_sets_and_the_fields() -> None:
    rule = any_of(on_lists(FIRST), tags("contains-none", FIRST), CITY)
    assert reads(segments.compile(parsed(rule), NAMES)) == {EXISTS, FIELDS, 11, 21}
