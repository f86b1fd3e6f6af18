"""Days as they are written (contract v3.md 1.5): anniversaries, values of date fields, birthdays."""

import re
from calendar import monthrange
from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

_YEAR_FIRST = re.compile(r"(\d{4})([/-])(\d\d?)\2(\d\d?)", re.ASCII)
_YEAR_LAST = re.compile(r"(\d\d?)([/-])(\d\d?)\2(\d{4})", re.ASCII)

#: The days of each month in a leap year: a birthday has no year.
DAYS_OF_MONTH: Mapping[int, int] = MappingProxyType({month: monthrange(2000, month)[1] for month in range(1, 13)})


def parse_day(text: str) -> date:
    """The date of any of the nine forms, without blanks around it; raises ValueError."""
    if match := _YEAR_FIRST.fullmatch(text):
        year, _, month, day = match.groups()
    elif match := _YEAR_LAST.fullmatch(text):
        month, _, day, year = match.groups()
    else:
        raise ValueError(text)
    return date(int(year), int(month), int(day))


def is_birthday(month: int, day: int) -> bool:
    """Whether the month has the day, the 29th of February included."""
    return 1 <= day <= DAYS_OF_MONTH.get(month, 0)
