"""Set expressions without a database: what they read, what they simplify to, and the shape of their SQL."""

import re
from uuid import UUID

import pytest
from hypothesis import assume, given

from engine.sets import expressions as sets
from engine.sets.expressions import (
    NOBODY,
    Chunks,
    Contacts,
    Difference,
    Expression,
    Intersection,
    Marked,
    Matching,
    Members,
    Numbers,
    Query,
    Repeats,
    Union,
    reads,
    simplify,
)
from engine.sets.predicates import AllOf, AnyOf, Column, OneOf, Predicate
from engine.sets.system import EXISTS, FIELDS, TRACKING
from tests.expression_model import MONTHS, World, random_expressions

NUMBERS = range(1, 41)
IDS = {number: UUID(int=number) for number in NUMBERS}
WORLD = World(
    ids=IDS,
    months={number: (*MONTHS, None)[number % 5] for number in NUMBERS},
    sets={set_no: frozenset(n for n in NUMBERS if n % (set_no + 1) == 0) for set_no in range(1, 5)},
)
MAY: Predicate = OneOf(Column.BIRTHDAY_MONTH, (5,))
JUNE: Predicate = OneOf(Column.BIRTHDAY_MONTH, (6,))
SOMEBODY = Contacts((UUID(int=1),))

any_expression = random_expressions([1, 2, 3, 4, 99], [*IDS.values(), UUID(int=99)])


@given(any_expression)
def test_simplifying_keeps_the_meaning(expression: Expression) -> None:
    assert WORLD.members(simplify(expression)) == WORLD.members(expression)


@given(any_expression)
def test_simplifying_twice_changes_nothing_more(expression: Expression) -> None:
    assert simplify(simplify(expression)) == simplify(expression)


@given(any_expression)
def test_every_table_is_filtered_by_the_account(expression: Expression) -> None:
    """The design's rule for Citus: a table without its account would make the statement visit every shard."""
    query = sets.compile(expression, 7)
    found = re.findall(r"\b(?:from|join) (?!\()(\w+)( where account_id = \$1 )?", query.sql)
    tables = [(table, filtered) for table, filtered in found if not table.startswith("part")]
    assert all(filtered for _, filtered in tables)
    assert {table for table, _ in tables} <= {"set_chunk", "contact", "mark"}


@given(any_expression)
def test_every_table_is_filtered_by_the_chunks(expression: Expression) -> None:
    query = sets.compile(expression, 7, Chunks(3, 5))
    assume("holder" not in query.sql)  # who has an address twice may be in any chunk
    tables = re.findall(r"\b(?:from|join) (?!\()(\w+)", query.sql)
    read = tables.count("set_chunk") + query.sql.count("as numbers")
    assert len(re.findall(r"chunk >= \$2::int and chunk < \$3::int", query.sql)) == read
    assert query.sql.count("contact_no >= $2::bigint") == tables.count("contact") + tables.count("mark")
    assert query.args[1:3] == (3, 5)


@given(any_expression)
def test_every_value_is_bound(expression: Expression) -> None:
    query = sets.compile(expression, 7)
    assert query.args[0] == 7
    assert {int(place) for place in re.findall(r"\$(\d+)", query.sql)} == set(range(1, len(query.args) + 1))


def test_an_expression_compiles_to_one_statement() -> None:
    assert sets.compile(Members((3,)), 7) == Query(
        "select chunk, bits from (select chunk, bits from set_chunk where account_id = $1 and set_no = $2::int)"
        " as selected where bit_count(bits) > 0",
        (7, 3),
    )


def test_a_part_is_worked_out_once() -> None:
    """However often it occurs, and however the planner joins it."""
    twice = Difference(Union((Members((1,)), Matching(MAY))), Intersection((Members((2,)), Matching(MAY))))
    query = sets.compile(twice, 7)
    assert query.sql.count(" from contact ") == 1
    assert re.findall(r"(\w+) as materialized", query.sql) == ["part0", "part1", "part2"]


@pytest.mark.parametrize(
    ("expression", "simple"),
    [
        (Union(()), NOBODY),
        (Contacts(()), NOBODY),
        (Numbers(()), NOBODY),
        (Members((2, 1, 2)), Members((1, 2))),
        (Union((Members((2,)), Members((1,)))), Members((1, 2))),
        (Union((Union((Members((2,)),)), SOMEBODY, NOBODY, Members((1,)))), Union((Members((1, 2)), SOMEBODY))),
        (Union((Matching(MAY), Matching(JUNE))), Matching(AnyOf((MAY, JUNE)))),
        (
            Intersection((Matching(MAY), Members((1,)), Intersection((Matching(JUNE), Members((1,)))))),
            Intersection((Members((1,)), Matching(AllOf((MAY, JUNE))))),
        ),
        (Intersection((Members((1,)), NOBODY)), NOBODY),
        (Intersection((Members((1,)),)), Members((1,))),
        (Difference(Members((1,)), Contacts(())), Members((1,))),
        (Difference(NOBODY, Members((1,))), NOBODY),
        (Repeats(Union(())), NOBODY),
        (Repeats(Members((2, 1, 2))), Repeats(Members((1, 2)))),
    ],
)
def test_simple_forms(expression: Expression, simple: Expression) -> None:
    assert simplify(expression) == simple


def test_reads_names_every_set_once() -> None:
    expression = Difference(
        Intersection((Members((EXISTS,)), Union((Members((1, 2)), Matching(MAY))))),
        Union((Contacts((UUID(int=1),)), Members((2, 3)))),
    )
    assert reads(expression) == {EXISTS, FIELDS, 1, 2, 3}


def test_marks_are_read_as_tracking() -> None:
    assert reads(Repeats(Marked("bounced", 1))) == {FIELDS, TRACKING}


def test_naming_contacts_reads_no_set() -> None:
    assert reads(SOMEBODY) == frozenset()


def test_an_intersection_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="everybody"):
        Intersection(())
