"""What e-mail addresses and birthdays may look like in an import (contract v3.md 1.5, 3.8)."""

from collections.abc import Iterator, Mapping
from itertools import product
from types import MappingProxyType

from engine import emails
from engine.days import DAYS_OF_MONTH
from engine.imports.problems import quoted

#: Longest e-mail in an import, in characters.
EMAIL_CHARACTERS = 50


def is_email(text: str) -> bool:
    """Whether it is an e-mail address, and not too long for an import."""
    return len(text) <= EMAIL_CHARACTERS and emails.is_email(text)


def _birthdays() -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    for month, days in DAYS_OF_MONTH.items():
        for day in range(1, days + 1):
            for spelling in product((f"{month}", f"{month:02}"), (f"{day}", f"{day:02}")):
                yield spelling, (month, day)


#: Month and day as numbers, by every way to write the two.
BIRTHDAYS: Mapping[tuple[str, str], tuple[int, int]] = MappingProxyType(dict(_birthdays()))
_MONTHS = frozenset(month for month, _ in BIRTHDAYS)
_MONTH_DAYS = frozenset(day for _, day in BIRTHDAYS)


def birthday_fault(month: str, day: str) -> str:
    """Why the two, which are not both blank, are not in BIRTHDAYS."""
    if not day:
        return "birthday_month is given without birthday_day; give both or neither"
    if not month:
        return "birthday_day is given without birthday_month; give both or neither"
    if month not in _MONTHS:
        return f"birthday_month is {quoted(month)}; use 1 to 12"
    if day not in _MONTH_DAYS:
        return f"birthday_day is {quoted(day)}; use 1 to 31"
    return f"birthday_day is {day}; month {month} has {DAYS_OF_MONTH[int(month)]} days"
