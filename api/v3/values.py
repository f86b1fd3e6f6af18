"""Values as they come over the wire: in queries everything is text, and text must be storable."""

import re
from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema


def storable(text: str) -> str:
    """PostgreSQL's text holds neither NUL nor half a surrogate pair."""
    if "\0" in text:
        raise ValueError("it must not hold a NUL character")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            raise ValueError("it must be text in UTF-8") from None
    return text


def _not_blank(text: str) -> str:
    """Characters without width are blank, too: a name of nothing else could not be seen."""
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise ValueError("it must not be blank")
    return text


def _switch(value: object) -> object:
    """True, false, 1 and 0 as text (contract v3.md 1.6)."""
    if isinstance(value, str):
        known = {"true": True, "false": False, "1": True, "0": False}
        if value.lower() not in known:
            raise ValueError("it must be true or false")
        return known[value.lower()]
    return value


def _digits(value: object) -> object:
    if isinstance(value, str) and not (value.isascii() and value.isdigit() and len(value) <= 19):
        raise ValueError("it must be a whole number")
    return value


def _hyphenated(value: object) -> object:
    if isinstance(value, str) and len(value) != 36:
        raise ValueError("it must be a UUID of 36 characters")
    return value


def _listed(value: object) -> object:
    """Comma separated, with optional blanks around items (contract v3.md 1.6); duplicates are one."""
    if isinstance(value, str):
        return tuple(dict.fromkeys(item.strip() for item in value.split(",")))
    return value


def _moment(value: object) -> object:
    """A date, of which midnight is meant, or a date-time; in UTC unless it has an offset (contract v3.md 1.5)."""
    if not isinstance(value, str):
        return value
    # A plus sign that was not escaped has become a blank.
    text = value.strip().replace(" ", "+") if "T" in value else value.strip()
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("it must be a date or date-time such as 2026-01-15 or 2026-01-15T10:00:00+00:00") from None


def _with_offset(value: object) -> object:
    if isinstance(value, str) and not _OFFSET.search(value):
        raise ValueError("it must be a date-time with its offset, such as 2026-01-15T10:00:00+00:00")
    return value


def _spelled_out(value: object) -> object:
    """Guide samples write booleans as text (contract v3.md 1.6)."""
    return {"true": True, "false": False}.get(value, value) if isinstance(value, str) else value


#: At the end of a date-time.
_OFFSET = re.compile(r"T.*(Z|[+-]\d\d:?\d\d)\s*\Z", re.ASCII)

#: Text that can be stored. The contract states no maximum, but pages of a thousand such texts are made in memory.
Text = Annotated[str, Field(max_length=10_000), AfterValidator(storable)]
#: A name: storable, not blank, at most 255 characters (contract v3.md 2.2, 2.3, 2.5).
Name = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(storable), AfterValidator(_not_blank)]
#: The name of a custom field (contract v3.md 2.4).
Label = Annotated[str, Field(min_length=1, max_length=50), AfterValidator(storable), AfterValidator(_not_blank)]
#: A boolean of a query.
Switch = Annotated[bool, BeforeValidator(_switch)]
#: A boolean of a tagging body.
SpelledOut = Annotated[bool, Field(strict=True), BeforeValidator(_spelled_out)]
#: An id of a query (contract v3.md 1.4).
QueryId = Annotated[UUID, BeforeValidator(_hyphenated)]
#: A time, in UTC.
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    WithJsonSchema({"type": "string", "anyOf": [{"format": "date"}, {"format": "date-time"}]}),
]
#: The same, where a guess would be wrong by hours.
OffsetMoment = Annotated[
    Moment, BeforeValidator(_with_offset), WithJsonSchema({"type": "string", "format": "date-time"})
]
#: For numbers of a query.
Digits = BeforeValidator(_digits)
#: For lists of a query.
Listed = BeforeValidator(_listed)
#: Numbers that once were ids, as texts of digits (contract v3.md 1.4, 2.1.14 and 2.2).
SequenceId = Annotated[int, Field(ge=0), Digits, WithJsonSchema({"type": "string", "pattern": "^[0-9]{1,19}$"})]
SequenceIds = Annotated[tuple[SequenceId, ...], Field(max_length=500), Listed]
