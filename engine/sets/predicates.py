"""Conditions on the fields of a contact, which set expressions turn into sets.

A predicate is composed in code and becomes a boolean SQL expression over the table alias `contact`. Values
are always bound, never written into the SQL. It must not raise on anything that may be stored.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

#: Binds a value to the statement and answers its place, `$n`.
Bind = Callable[[object], str]


class Predicate(Protocol):
    """A condition that a contact meets or does not; null counts as not."""

    def sql(self, bind: Bind) -> str:
        """A boolean expression over `contact`, safe to put beside `and`, `or` and `not` in parentheses."""
        ...


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every part holds."""

    parts: tuple[Predicate, ...]

    def sql(self, bind: Bind) -> str:
        return " and ".join(f"({part.sql(bind)})" for part in self.parts)


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple[Predicate, ...]

    def sql(self, bind: Bind) -> str:
        return " or ".join(f"({part.sql(bind)})" for part in self.parts)


@dataclass(frozen=True, slots=True)
class Not:
    """The part does not hold; what is unknown because a field is missing does not hold."""

    part: Predicate

    def sql(self, bind: Bind) -> str:
        return f"({self.part.sql(bind)}) is not true"
