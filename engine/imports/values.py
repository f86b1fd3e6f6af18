"""What e-mail addresses, birthdays and anniversaries may look like (contract v3.md 1.5, 3.8)."""

import re
from calendar import monthrange
from collections.abc import Iterator, Mapping
from datetime import date
from itertools import product
from types import MappingProxyType

from engine.imports.problems import quoted

#: Longest e-mail in an import, in characters.
EMAIL_CHARACTERS = 50

# Possessive throughout: a character is never looked at twice. What does not print is refused beside it.
_NAME = r'[^@\s<>()\[\],;:"\\]++'
_LABEL = r'[^@\s<>()\[\],;:"\\.]++'
_EMAIL = re.compile(rf"{_NAME}@{_LABEL}(?:\.{_LABEL})*+")

_YEAR_FIRST = re.compile(r"(\d{4})([/-])(\d\d?)\2(\d\d?)", re.ASCII)
_YEAR_LAST = re.compile(r"(\d\d?)([/-])(\d\d?)\2(\d{4})", re.ASCII)

#: The days of each month, in a leap year: a birthday has no year.
_DAYS = {month: monthrange(2000, month)[1] for month in range(1, 13)}


def is_email(text: str) -> bool:
    """Whether mail could be sent to the address: one @, a name and a domain without blanks or empty labels.

    Letters of any script are fine, and so is a domain of one label.
    """
    return len(text) <= EMAIL_CHARACTERS and _EMAIL.fullmatch(text) is not None and text.isprintable()


def parse_anniversary(text: str) -> date:
    """The date of any of the nine forms of contract v3.md 1.5; raises ValueError."""
    if match := _YEAR_FIRST.fullmatch(text):
        year, _, month, day = match.groups()
    elif match := _YEAR_LAST.fullmatch(text):
        month, _, day, year = match.groups()
    else:
        raise ValueError(text)
    return date(int(year), int(month), int(day))


def _birthdays() -> Iterator[tuple[tuple[str, str], tuple[int, int]]]:
    for month, days in _DAYS.items():
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
    return f"birthday_day is {day}; month {month} has {_DAYS[int(month)]} days"
