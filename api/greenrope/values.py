"""How values are written in requests and answers (contract greenrope.md 2). Times are UTC, the account's zone."""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Final, TypeVar

from api.xml import Element
from engine.errors import Invalid

Word = TypeVar("Word")

#: Characters of a text, and of a long one (contract 10).
TEXT: Final = 255
LONG_TEXT: Final = 65_535
#: What says yes.
TRUE = frozenset({"true", "1", "yes"})
#: Digits of a number: more are of nothing that there is, and no bigint holds them.
MOST_DIGITS = 18

_TIMESTAMP = "%Y-%m-%d %H:%M:%S"
_TIMESTAMP_FORM = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)
_DAY_FORM = re.compile(r"\d{8}", re.ASCII)
_SEARCHED_DAY_FORM = re.compile(r"\d{4}/\d\d/\d\d", re.ASCII)


def is_true(text: str | None) -> bool:
    """Whether a flag is set (contract 2)."""
    return text is not None and text.strip().lower() in TRUE


def number(name: str, text: str) -> int:
    """A number, 0 or more. Raises Invalid."""
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise Invalid(f"{name} must be a number: {shown(text)}")
    return int(text)


def not_longer(name: str, text: str, most: int = TEXT) -> str:
    """The text. Raises Invalid when it has more characters."""
    if len(text) > most:
        raise Invalid(f"{name} has more than {most:,} characters")
    return text


def one_of(name: str, text: str, words: Mapping[str, Word]) -> Word:
    """What a word stands for. Raises Invalid when it is none of them."""
    if text not in words:
        raise Invalid(f"{name} must be one of {', '.join(words)}: {shown(text)}")
    return words[text]


def timestamp(name: str, text: str) -> datetime:
    """A time in whole seconds. Raises Invalid."""
    try:
        if _TIMESTAMP_FORM.fullmatch(text):
            return datetime.strptime(text, _TIMESTAMP).replace(tzinfo=UTC)
    except ValueError:
        pass
    raise Invalid(f"{name} must be a time as 2026-01-15 10:00:00: {shown(text)}")


def day(name: str, text: str) -> date:
    """A day as YYYYMMDD. Raises Invalid."""
    return _date(name, text, _DAY_FORM, "%Y%m%d")


def searched_day(name: str, text: str) -> date:
    """A day as YYYY/MM/DD. Raises Invalid."""
    return _date(name, text, _SEARCHED_DAY_FORM, "%Y/%m/%d")


def written_time(moment: datetime) -> str:
    """The time as answers have it."""
    return moment.astimezone(UTC).strftime(_TIMESTAMP)


def shown(text: str) -> str:
    """A text that somebody sent, as an error repeats it."""
    return repr(text if len(text) <= 50 else text[:50] + "…")


def _date(name: str, text: str, form: re.Pattern[str], pattern: str) -> date:
    try:
        if form.fullmatch(text):
            return datetime.strptime(text, pattern).replace(tzinfo=UTC).date()
    except ValueError:
        pass
    example = date(2026, 1, 15).strftime(pattern)
    raise Invalid(f"{name} must be a day as {example}: {shown(text)}")


class Attributes:
    """The attributes of an element; their names are read in any case (contract 2)."""

    def __init__(self, attributes: Mapping[str, str]) -> None:
        self._values = {name.lower(): value for name, value in attributes.items()}

    @classmethod
    def of(cls, element: Element) -> "Attributes":
        return cls({str(name): str(value) for name, value in element.attrib.items()})

    def text(self, name: str) -> str | None:
        """The attribute, trimmed; None when it was not sent or is empty."""
        return self._values.get(name, "").strip() or None

    def sent(self, name: str) -> str | None:
        """The attribute to the letter, be it empty; None when it was not sent."""
        return self._values.get(name)

    def is_true(self, name: str) -> bool:
        return is_true(self._values.get(name))

    def number(self, name: str) -> int | None:
        """Raises Invalid when it is none."""
        text = self.text(name)
        return None if text is None else number(name, text)

    def timestamp(self, name: str) -> datetime | None:
        """Raises Invalid when it is none."""
        text = self.text(name)
        return None if text is None else timestamp(name, text)

    def day(self, name: str) -> date | None:
        """Raises Invalid when it is none."""
        text = self.text(name)
        return None if text is None else day(name, text)


def text_of(element: Element) -> str:
    """The trimmed text of an element; what is in elements inside of it is not."""
    return (element.text or "").strip()


def child_text(element: Element, name: str) -> str | None:
    """The trimmed text of the last child of this name; None when there is none."""
    found = element.findall(name)
    return text_of(found[-1]) if found else None
