"""What set expressions mean, told with Python sets, and random expressions to try it on."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import TypeVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from engine.sets.chunks import LARGEST_NUMBER
from engine.sets.expressions import Contacts, Difference, Expression, Intersection, Matching, Members, Numbers, Union
from engine.sets.predicates import AllOf, AnyOf, Column, Not, OneOf, Predicate

MONTHS = range(1, 5)
#: Numbers that a caller may name: of contacts, of none, and what cannot be one.
CONTACT_NOS = (-1, 0, 1, 2, 3, 30, 40_000, LARGEST_NUMBER + 1, 2**64)

Part = TypeVar("Part")


@dataclass(frozen=True)
class World:
    """An account: its contacts' ids and birthday months (None for no birthday) by number, and its sets."""

    ids: Mapping[int, UUID]
    months: Mapping[int, int | None]
    sets: Mapping[int, frozenset[int]]

    def members(self, expression: Expression) -> frozenset[int]:
        """The contact numbers that the expression means."""
        match expression:
            case Members(set_nos):
                return frozenset().union(*(self.sets.get(set_no, ()) for set_no in set_nos))
            case Contacts(contact_ids):
                return frozenset(number for number, contact_id in self.ids.items() if contact_id in contact_ids)
            case Numbers(contact_nos):
                return frozenset(number for number in contact_nos if 0 < number <= LARGEST_NUMBER)
            case Matching(predicate):
                return frozenset(number for number in self.ids if self.meets(number, predicate))
            case Union(parts):
                return frozenset().union(*map(self.members, parts))
            case Intersection(parts):
                return reduce(frozenset.intersection, map(self.members, parts))
            case Difference(minuend, subtrahend):
                return self.members(minuend) - self.members(subtrahend)

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
    )
    return st.recursive(
        leaf,
        lambda inner: (
            st.builds(Union, st.lists(inner, max_size=4).map(tuple))
            | st.builds(Intersection, parts(inner))
            | st.builds(Difference, inner, inner)
        ),
        max_leaves=12,
    )


def parts(inner: SearchStrategy[Part]) -> SearchStrategy[tuple[Part, ...]]:
    """One to three of them."""
    return st.lists(inner, min_size=1, max_size=3).map(tuple)
