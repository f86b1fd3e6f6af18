"""Reading the parts of segment criteria, each known by its path; what is wrong is refused in words that help."""

import json
import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import MAXYEAR, date, timedelta
from typing import Any, Self
from uuid import UUID

from engine.days import parse_day
from engine.errors import InvalidSegment

#: The path of the whole document; those of its parts do not begin with it.
ROOT = "segment_criteria"
#: The longest time from the first day of `between` to the last.
LONGEST_SPAN = timedelta(days=1825)
#: How much of a wrong value is shown.
SHOWN_CHARACTERS = 60

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_DIGITS = re.compile(r"[0-9]{1,9}")
#: What JSON can write but PostgreSQL's text cannot hold.
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Object(tuple[tuple[str, Any], ...]):
    """A JSON object as it was written: its members in order, given twice or not."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Part:
    """A JSON value, None if there is none, and where in the criteria it is. Readers raise InvalidSegment."""

    value: Any
    path: str

    def wrong(self, expected: str) -> InvalidSegment:
        """The refusal that says what would be right."""
        found = "is missing" if self.value is None else f"is {_shown(self.value)}"
        return InvalidSegment(f"{self.path} {found}; it must be {expected}")

    def members(self, *names: str) -> dict[str, Self]:
        """The members of an object that can have only those; null counts as absent."""
        if not isinstance(self.value, Object):
            raise self.wrong(f"an object of {listed(names)}")
        given: dict[str, Any] = {}
        for name, value in self.value:
            if name not in names:
                raise InvalidSegment(f"{self.path} has {_shown(name)}; it takes only {listed(names)}")
            if name in given:
                raise InvalidSegment(f"{self._under(name)} is given twice")
            given[name] = value
        return {name: type(self)(given.get(name), self._under(name)) for name in names}

    def has(self, *names: str) -> bool:
        """Whether it is an object with a member of one of the names."""
        return isinstance(self.value, Object) and any(given in names for given, _ in self.value)

    def items(self, of_what: str) -> list[Self]:
        """The items of an array, of which there must be one."""
        if not isinstance(self.value, list) or not self.value:
            raise self.wrong(f"an array of at least one {of_what}")
        return [type(self)(value, f"{self.path}[{place}]") for place, value in enumerate(self.value)]

    def some(self, of_what: str, most: int) -> list[Self]:
        """The items of an array, of which there must be one and may be `most`."""
        items = self.items(of_what)
        if len(items) > most:
            raise self.wrong(f"an array of at most {most} {of_what}s")
        return items

    def one_or_more(self, of_what: str) -> list[Self]:
        """The items of an array, or the value itself."""
        return self.items(of_what) if isinstance(self.value, list) else [self]

    def absent(self) -> None:
        """Refuses a value."""
        if self.value is not None:
            raise self.wrong("left out")

    def string(self, expected: str = "a string") -> str:
        """A string that PostgreSQL can hold."""
        if not isinstance(self.value, str):
            raise self.wrong(expected)
        if _UNSTORABLE.search(self.value):
            raise self.wrong("without U+0000 and lone surrogates")
        return self.value

    def filled(self) -> str:
        """A string of more than blanks, which every text contains."""
        text = self.string()
        if not text.strip():
            raise self.wrong("a string that is not blank")
        return text

    def word(self, words: Collection[str], *others: str) -> str:
        """One of the words. others: what else would be right, for who gave none of them."""
        if not isinstance(self.value, str) or self.value not in words:
            raise self.wrong(listed([*(f'"{word}"' for word in words), *others], "or"))
        return self.value

    def number(self, most: int) -> int:
        """A whole number from 1, as a number or as digits."""
        digits = isinstance(self.value, str) and _DIGITS.fullmatch(self.value)
        number = int(self.value) if digits else self.value
        if type(number) is not int or not 1 <= number <= most:
            raise self.wrong(f"a whole number from 1 to {most}")
        return number

    def uuid(self) -> UUID:
        """An id in its form of 36 characters."""
        if not isinstance(self.value, str) or not _UUID.fullmatch(self.value):
            raise self.wrong("a UUID")
        return UUID(self.value)

    def day(self) -> date:
        """A day in one of the forms of contract v3.md 1.5; a day must come after it."""
        expected = "a date such as 2024-05-17"
        try:
            day = parse_day(self.string(expected).strip())
        except ValueError:
            raise self.wrong(expected) from None
        if day.year == MAXYEAR:
            raise self.wrong(f"a date before the year {MAXYEAR}")
        return day

    def span(self) -> tuple[date, date]:
        """The first and the last day of a stretch of time."""
        days = [item.day() for item in self.items("date")]
        if len(days) != 2:
            raise self.wrong("an array of two dates")
        if not timedelta(0) <= days[1] - days[0] <= LONGEST_SPAN:
            raise self.wrong(f"two dates, the earlier one first, at most {LONGEST_SPAN.days} days apart")
        return days[0], days[1]

    def _under(self, name: str) -> str:
        return name if self.path == ROOT else f"{self.path}.{name}"


@dataclass(frozen=True, slots=True)
class Operand:
    """What a rule compares with: a value, or else a constant with its parameter."""

    value: Part
    const_value: Part
    param: Part

    def alone(self) -> Part:
        """The value, where there is no other way. Raises InvalidSegment for a constant."""
        self.const_value.absent()
        self.param.absent()
        return self.value


def listed(words: Collection[str], last: str = "and") -> str:
    """The words in a sentence: a, b and c."""
    *others, final = words
    return f"{', '.join(others)} {last} {final}" if others else final


def _shown(value: Any) -> str:
    if isinstance(value, Object):
        return "an object"
    if isinstance(value, list):
        return "an array" if value else "empty"
    text = json.dumps(value)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"
