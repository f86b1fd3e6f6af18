"""Values of fields as they come over the wire: of any JSON type, or of one of XML Schema's (contract w50.md 2.2, 2.3).

What is stored and compared is their text.
"""

import math
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from engine.errors import Invalid
from engine.texts import can_be_stored

#: A value of a field, and one that may be None, which clears it.
Filled: TypeAlias = str | int | float | bool
Scalar: TypeAlias = Filled | None

#: Characters of a value (contract 10).
VALUE_LENGTH: Final = 4000


def checked(name: str, value: Any) -> Scalar:
    """A value as JSON has it. Raises Invalid for arrays and objects; an empty object is null (contract 2.2)."""
    if value == {}:
        return None
    if isinstance(value, Mapping | list):
        raise Invalid(f"The value of '{name}' must be a text, a number, true, false or null.")
    insist_on_storable(name, text_of(value) or "")
    return value  # type: ignore[no-any-return]


def insist_on_storable(name: str, text: str) -> None:
    """Raises Invalid for a text that is too long, or that no database holds."""
    if len(text) > VALUE_LENGTH:
        raise Invalid(f"The value of '{name[:100]}' is longer than {VALUE_LENGTH} characters.")
    if not can_be_stored(text):
        raise Invalid(f"The value of '{name[:100]}' holds a character that cannot be stored.")


def text_of(value: Scalar) -> str | None:
    """The text form of a value; None when it clears the field."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        # Without an exponent: fields of numbers do not know that form.
        return f"{Decimal(repr(value)):f}".removesuffix(".0")
    return None if value is None or value == "" else str(value)


def day_of(text: str) -> str:
    """The day of a text that is a day and a time, as .NET writes every date; any other text as it is."""
    moment = _MOMENT.fullmatch(text.strip())
    return moment[1] if moment else text


def of_type(kind: str | None, text: str) -> Scalar:
    """A text as a value of a type of XML Schema; those that JSON does not know are texts. Raises ValueError."""
    read = _READ.get(kind or "string")
    return text if read is None else read(text.strip())


def finite(text: str) -> float:
    """A number with a point or an exponent. Raises ValueError for what is none, or too large."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError("the number is too large")
    return number


def _whole(text: str) -> int:
    if not _DIGITS.fullmatch(text):
        raise ValueError("it is no whole number")
    return int(text)


def _decimal(text: str) -> int | float:
    return int(text) if _DIGITS.fullmatch(text) else finite(text)


def _boolean(text: str) -> bool:
    if text not in _BOOLEANS:
        raise ValueError("it is neither true nor false")
    return _BOOLEANS[text]


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)?", re.ASCII)
_DIGITS = re.compile(r"[+-]?\d{1,100}", re.ASCII)
_BOOLEANS: Final = MappingProxyType({"true": True, "1": True, "false": False, "0": False})
_READ: Final[Mapping[str, Callable[[str], Scalar]]] = MappingProxyType(
    {
        **dict.fromkeys(("int", "long", "short", "byte", "unsignedInt", "unsignedShort", "unsignedByte"), _whole),
        **dict.fromkeys(("unsignedLong", "integer"), _whole),
        **dict.fromkeys(("double", "float"), finite),
        "decimal": _decimal,
        "boolean": _boolean,
    }
)
