"""What set expressions mean, told with Python sets, and random expressions to try it on."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import reduce
from typing import TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from engine.sets.chunks import LARGEST_NUMBER
from engine.sets.expressions import (
    Answered,
    Contacts,
    Difference,
    Expression,
    Intersection,
    Marked,
    Matching,
    Members,
    Numbers,
    Repeats,
    Union,
)
from engine.sets.predicates import AllOf, AnyOf, Column, Not, OneOf, Predicate

MONTHS = range(1, 5)
#: Numbers that a caller may name: of contacts, of none, and what cannot be one.
CONTACT_NOS = (-1, 0, 1, 2, 3, 30, 40_000, LARGEST_NUMBER + 1, 2**64)
#: Kinds and sets that there are marks of, or not, and when.
MARK_KINDS, MARKED_SETS = ("bounced", "complained"), (0, 1)
TIMES = tuple(datetime(2026, 1, day, tzinfo=UTC) for day in range(1, 5))

Part = TypeVar("Part")


@dataclass(frozen=True)
class World:
    """An account: its contacts' ids, birthday months (None for no birthday) and addresses by number; sets; marks.

    emails: of those who have one; marks: when, by number, kind and set.
    """

    ids: Mapping[int, UUID]
    months: Mapping[int, int | None]
    sets: Mapping[int, frozenset[int]]
    emails: Mapping[int, str] = field(default_factory=dict)
    marks: Mapping[tuple[int, str, int], datetime] = field(default_factory=dict)

    def members(self, expression: Expression) -> frozenset[int]:
        """The contact numbers that the expression means."""
        match expression:
            case Union(parts):
                return frozenset().union(*map(self.members, parts))
            case Intersection(parts):
                return reduce(frozenset.intersection, map(self.members, parts))
            case Difference(minuend, subtrahend):
                return self.members(minuend) - self.members(subtrahend)
            case Repeats(among):
                return self.repeats(self.members(among))
            case Members(set_nos):
                return frozenset().union(*(self.sets.get(set_no, ()) for set_no in set_nos))
            case Numbers(contact_nos):
                return frozenset(number for number in contact_nos if 0 < number <= LARGEST_NUMBER)
            case _:
                return self.scanned(expression)

    def scanned(self, expression: Contacts | Matching | Marked | Answered) -> frozenset[int]:
        """Those of whom something is stored."""
        match expression:
            case Contacts(contact_ids):
                return frozenset(number for number, contact_id in self.ids.items() if contact_id in contact_ids)
            case Matching(predicate):
                return frozenset(number for number in self.ids if self.meets(number, predicate))
            case Marked(kind, set_no, since, until):
                return frozenset(
                    number
                    for (number, *what), time in self.marks.items()
                    if what == [kind, set_no] and (since or time) <= time and (until is None or time < until)
                )
            case Answered():
                raise AssertionError("nobody is invited to anything here")

    def repeats(self, among: frozenset[int]) -> frozenset[int]:
        """Those of the contacts who are not the first with their address."""
        first = {self.emails.get(number): number for number in sorted(among, reverse=True)}
        return frozenset(no for no in among if no in self.emails and first[self.emails[no]] != no)

    def meets(self, number: int, predicate: Predicate) -> bool:
        """Whether the contact meets the predicate, which may ask for the birthday's month only."""
        match predicate:
            case OneOf(Column.BIRTHDAY_MONTH, months):
                return self.months[number] in months
            case AllOf(parts):
                return all(self.meets(number, part) for part in parts)
            case AnyOf(parts):
                return any(self.meets(number, part) for part in parts)
            case Not(part):
                return not self.meets(number, part)
        raise AssertionError(predicate)


def random_predicates() -> SearchStrategy[Predicate]:
    """Predicates on the birthday's month."""
    months: SearchStrategy[Predicate] = st.builds(OneOf, st.just(Column.BIRTHDAY_MONTH), parts(st.sampled_from(MONTHS)))
    return st.recursive(
        months,
        lambda inner: st.builds(AllOf, parts(inner)) | st.builds(AnyOf, parts(inner)) | st.builds(Not, inner),
        max_leaves=4,
    )


def random_expressions(set_nos: list[int], contact_ids: list[UUID]) -> SearchStrategy[Expression]:
    """Expressions on these sets and contacts, which need not exist."""
    leaf: SearchStrategy[Expression] = (
        st.builds(Members, st.lists(st.sampled_from(set_nos), max_size=3).map(tuple))
        | st.builds(Contacts, st.lists(st.sampled_from(contact_ids), max_size=4).map(tuple))
        | st.builds(Numbers, st.lists(st.sampled_from(CONTACT_NOS), max_size=4).map(tuple))
        | st.builds(Matching, random_predicates())
        | st.builds(
            Marked, st.sampled_from(MARK_KINDS), st.sampled_from(MARKED_SETS), *2 * [st.sampled_from((None, *TIMES))]
        )
    )
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds(Union, st.lists(inner, max_size=4).map(tuple))
            | st.builds(Intersection, parts(inner))
            | st.builds(Difference, inner, inner)
            | st.builds(Repeats, inner)
        ),
        max_leaves=12,
    )


def parts(inner: SearchStrategy[Part]) -> SearchStrategy[tuple[Part, ...]]:
    """One to three of them."""
    return st.lists(inner, min_size=1, max_size=3).map(tuple)
