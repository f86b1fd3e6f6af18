"""Filters of collections: keys that name a property and a comparison, all of which hold (contract ivvy.md 3).

What a property is, and how its values compare, is said once, in the table of the collection.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import MAXYEAR, datetime, timedelta
from enum import StrEnum

from api.ivvy.parameters import Parameters, Unfit, whole_number
from api.ivvy.refusals import Refused
from api.ivvy.times import read_timestamp
from engine.contacts.record import PLAIN_PHONE
from engine.emails import email_key
from engine.sets.expressions import EVERYBODY, NOBODY, Difference, Expression, Intersection, Matching, Union
from engine.sets.predicates import (
    AllOf,
    Column,
    Comparison,
    Field,
    Not,
    Number,
    OneOf,
    Ordered,
    Phone,
    Predicate,
    Present,
    Sign,
    Text,
    TimeWithin,
)

#: Characters of a text that is looked for.
LONGEST = 1000
#: What asks for properties without a value.
NULLS = ("__ISNULL__", "ISNULL")
SECOND = timedelta(seconds=1)


class Suffix(StrEnum):
    """How a property is compared, as its key ends."""

    EQUALS = ""
    CONTAINS = "__CONTAINS"
    NOT_CONTAINS = "__NOTCONTAINS"
    BEGINS = "__BEGINS"
    ENDS = "__ENDS"
    UP_TO = "__LESSTHAN"
    FROM = "__GREATERTHAN"
    NOT = "__NOT"
    EMPTY = "__EMPTY"


#: Whom a comparison with a value selects. Raises Unfit.
Compare = Callable[[Suffix, object], Expression]
#: By name.
Properties = Mapping[str, Compare]


def filtered(params: Parameters, properties: Properties) -> Expression:
    """Whom the parameter `filter` selects of everybody. Raises Refused."""
    given = params.object("filter") or {}
    parts = [_part(key, value, properties) for key, value in given.items()]
    return Intersection((EVERYBODY, *parts))


def numbers_of(params: Parameters, name: str) -> list[int]:
    """The numbers that a property is compared with, to be looked up before. Raises Refused."""
    given = params.object("filter") or {}
    values = (value for key, value in given.items() if key.partition("__")[0] == name)
    return [number for value in values for number in _whole(value)]


def _whole(value: object) -> Iterator[int]:
    """The number that a value is; none when it is no number, which is said where it is compared."""
    with suppress(Unfit):
        yield whole_number(value)


def _part(key: str, value: object, properties: Properties) -> Expression:
    name, mark, suffix = key.partition("__")
    try:
        return properties[name](Suffix(mark + suffix), value)
    except Unfit as error:
        raise Refused.not_valid("filter", f"{key}: {error}") from None
    except (KeyError, ValueError):
        raise Refused.not_valid("filter", f"{key[:100]} is no property, or no way to compare one") from None


def no(expression: Expression) -> Expression:
    """Everybody else."""
    return Difference(EVERYBODY, expression)


@dataclass(frozen=True, slots=True)
class Texts:
    """Compares a text, without case."""

    field: Field

    def __call__(self, suffix: Suffix, value: object) -> Expression:
        return Matching(self._predicate(suffix, value))

    def _predicate(self, suffix: Suffix, value: object) -> Predicate:
        if suffix in (Suffix.NOT, Suffix.NOT_CONTAINS):
            positive = Suffix.EQUALS if suffix is Suffix.NOT else Suffix.CONTAINS
            return Not(self._predicate(positive, value))
        if suffix is Suffix.EMPTY:
            return Present(self.field) if value is False else Not(Present(self.field))
        if suffix is Suffix.EQUALS and value in NULLS:
            return Not(Present(self.field))
        return self._compared(suffix, _text(value))

    def _compared(self, suffix: Suffix, text: str) -> Predicate:
        if suffix in (Suffix.UP_TO, Suffix.FROM):
            return Ordered(self.field, Sign.UP_TO if suffix is Suffix.UP_TO else Sign.FROM, text)
        if not text.strip():
            # Every text contains an empty one; only an empty text is one.
            return Not(Present(self.field)) if suffix is Suffix.EQUALS else AllOf(())
        return Text(self.field, _COMPARISONS[suffix], text)


@dataclass(frozen=True, slots=True)
class Emails(Texts):
    """Compares an address: a whole one by what makes it one with another, by which it is found at once."""

    def _compared(self, suffix: Suffix, text: str) -> Predicate:
        if suffix is Suffix.EQUALS and text.strip():
            return OneOf(Column.EMAIL_KEY, (email_key(text),))
        return super(Emails, self)._compared(suffix, text)


@dataclass(frozen=True, slots=True)
class Choices:
    """Compares a code with those that there are. of: whom each means; who has none of them has no value."""

    of: Mapping[object, Expression]

    def __call__(self, suffix: Suffix, value: object) -> Expression:
        if suffix is Suffix.NOT:
            return no(self(Suffix.EQUALS, value))
        if suffix is Suffix.EMPTY or (suffix is Suffix.EQUALS and value in NULLS):
            return self._any() if value is False else no(self._any())
        if suffix is not Suffix.EQUALS:
            raise Unfit("This property is compared as a whole")
        return self.of.get(_code(value), NOBODY)

    def _any(self) -> Expression:
        return Union(tuple(self.of.values()))


def numbers(suffix: Suffix, value: object) -> Expression:
    """Compares the contact's number."""
    return _ordered(suffix, value, lambda sign: Number(sign, whole_number(value)))


@dataclass(frozen=True, slots=True)
class Times:
    """Compares a time by its seconds, which is how it is told."""

    column: Column

    def __call__(self, suffix: Suffix, value: object) -> Expression:
        return _ordered(suffix, value, lambda sign: self._compared(sign, _moment(value)))

    def _compared(self, sign: Sign, moment: datetime) -> Predicate:
        since = None if sign is Sign.UP_TO else moment
        return TimeWithin(self.column, since, None if sign is Sign.FROM else moment + SECOND)

    def bound(self, suffix: Suffix) -> Compare:
        """The comparison of a key that says in its name how it compares."""

        def compare(given: Suffix, value: object) -> Expression:
            if given is not Suffix.EQUALS:
                raise Unfit("This key says itself how it compares")
            return self(suffix, value)

        return compare


def _ordered(suffix: Suffix, value: object, compared: Callable[[Sign], Predicate]) -> Expression:
    """Compares what every contact has by its order."""
    if suffix is Suffix.NOT:
        return no(_ordered(Suffix.EQUALS, value, compared))
    if suffix is Suffix.EMPTY or value in NULLS:
        return EVERYBODY if value is False else NOBODY
    if suffix not in _SIGNS:
        raise Unfit("This property is not compared in this way")
    return Matching(compared(_SIGNS[suffix]))


def _text(value: object) -> str:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or "\0" in value or len(value) > LONGEST:
        raise Unfit(f"Value must be text of at most {LONGEST:,} characters")
    return value


def _code(value: object) -> object:
    """A code as it is listed: digits are a number, what is true or false is named so."""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, str) and not value.isdigit():
        return value.upper()
    return whole_number(value)


def _moment(value: object) -> datetime:
    moment = read_timestamp(value) if isinstance(value, str) else None
    if moment is None or moment.year == MAXYEAR:
        raise Unfit("Value must be a time as 2026-01-15 10:00:00")
    return moment


_COMPARISONS = {
    Suffix.EQUALS: Comparison.EQUALS,
    Suffix.CONTAINS: Comparison.CONTAINS,
    Suffix.BEGINS: Comparison.STARTS_WITH,
    Suffix.ENDS: Comparison.ENDS_WITH,
}
#: Who a contact is, of whichever collection.
NAMES: Properties = {
    "firstName": Texts(Column.FIRST_NAME),
    "lastName": Texts(Column.LAST_NAME),
    "email": Emails(Column.EMAIL),
    "phone": Texts(Phone(PLAIN_PHONE)),
}
_SIGNS = {Suffix.EQUALS: Sign.EQUAL, Suffix.UP_TO: Sign.UP_TO, Suffix.FROM: Sign.FROM}
