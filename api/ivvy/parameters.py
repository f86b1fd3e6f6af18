"""Parameters of a call: a JSON object. The required ones are missed first, then the types looked at, and only the first
failure is told (contract ivvy.md 2.2, 11; 4).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from pydantic_core import from_json

from api.ivvy.refusals import ErrorCode, Refused

Value = TypeVar("Value")

#: Numbers of contacts and sets are less; a longer one is nobody's.
LARGEST = 2**63 - 1

_WHOLE = re.compile(r"-?\d{1,19}", re.ASCII)


class Unfit(ValueError):
    """A value is not of the kind that is wanted."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What a call is given. Other parameters than those that it reads are ignored."""

    given: Mapping[str, Any]

    def has(self, name: str) -> bool:
        """Whether it is said at all, be it as null."""
        return name in self.given

    def require(self, *names: str) -> None:
        """Raises Refused for the first that is missing or null."""
        for name in names:
            if self.given.get(name) is None:
                raise Refused.missing(name)

    def integer(self, name: str) -> int | None:
        """A whole number, or the digits of one."""
        return self.read(name, whole_number)

    def integers(self, name: str, most: int) -> tuple[int, ...] | None:
        """Up to `most` whole numbers, in the given order."""

        def read(value: object) -> tuple[int, ...]:
            return tuple(map(whole_number, array(value, most)))

        return self.read(name, read)

    def text(self, name: str, most: int) -> str | None:
        """Text of up to `most` characters."""
        return self.read(name, lambda value: text(value, most))

    def boolean(self, name: str) -> bool | None:
        return self.read(name, boolean)

    def object(self, name: str) -> Mapping[str, Any] | None:
        """An object; also an array without elements, which is what PHP makes of an object without members."""
        return self.read(name, lambda value: {} if value == [] else json_object(value))

    def read(self, name: str, read: Callable[[Any], Value]) -> Value | None:
        """The value as it is read; None when it is missing or null. Raises Refused when `read` raises Unfit."""
        value = self.given.get(name)
        if value is None:
            return None
        try:
            return read(value)
        except Unfit as error:
            raise Refused.not_valid(name, str(error)) from None


def parameters_of(body: bytes) -> Parameters:
    """What a body gives; one without bytes gives none. Raises Refused."""
    try:
        given = from_json(body, allow_inf_nan=False) if body else {}
    except ValueError as error:
        raise Refused(ErrorCode.INVALID, f"The body is not valid JSON: {error}") from None
    if not isinstance(given, dict):
        raise Refused(ErrorCode.INVALID, "The body must be a JSON object")
    return Parameters(given)


def whole_number(value: object) -> int:
    """Raises Unfit."""
    if isinstance(value, str) and _WHOLE.fullmatch(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) > LARGEST:
        raise Unfit("Value must be a whole number")
    return value


def text(value: object, most: int) -> str:
    """Raises Unfit."""
    if not isinstance(value, str) or "\0" in value:
        raise Unfit("Value must be text")
    if len(value) > most:
        raise Unfit(f"Value must have at most {most:,} characters")
    return value


def boolean(value: object) -> bool:
    """Raises Unfit."""
    if not isinstance(value, bool):
        raise Unfit("Value must be true or false")
    return value


def array(value: object, most: int) -> Sequence[Any]:
    """Raises Unfit."""
    if not isinstance(value, list):
        raise Unfit("Value must be an array")
    if len(value) > most:
        raise Unfit(f"Value must have at most {most:,} elements")
    return value


def json_object(value: object) -> Mapping[str, Any]:
    """Raises Unfit."""
    if not isinstance(value, dict):
        raise Unfit("Value must be an object")
    return value
