"""What a request asks for: parameters of its query and of its form, the form's first (contract convio.md 1, 2).

Names are case-sensitive, unknown ones are ignored, and of one that is repeated the last counts.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self
from urllib.parse import parse_qsl

from aiohttp import web

from api import reading, uploads
from engine.errors import Invalid
from engine.texts import can_be_stored

#: Bytes of a URL, of a form and of one with files, and ids in one call (contract convio.md 9).
MOST_URL_BYTES = 8192
MOST_BODY_BYTES = 2**20
MOST_UPLOAD_BYTES = 10 * 2**20
MOST_IDS = 10_000
#: Parameters of a query or a form; the contract has less than forty.
MOST_PARAMETERS = 200
#: Greater numbers are nobody's: no account has as many contacts or lists.
LARGEST_NUMBER = 2**31 - 1
#: What stands for a number that is nobody's.
NOBODY = 0
#: What is no UTF-8 is kept apart, to be refused in the caller's format.
NO_UTF8 = "surrogateescape"

_DIGITS = re.compile("[0-9]+")
_BOOLEANS: Mapping[str, bool] = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class Parameters:
    """The parameters of one request. What is read of them raises Invalid."""

    values: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of_query(cls, request: web.Request) -> Self:
        """Raises Invalid."""
        return cls(pairs(request.rel_url.raw_query_string))

    async def with_form(self, request: web.Request) -> "Parameters":
        """These and those of the body, which win; other bodies than forms hold none. Raises Invalid and BodyTooLong.

        What is in a file is the parameter that its part is named after.
        """
        match request.content_type:
            case "application/x-www-form-urlencoded":
                body = await reading.at_most(request, MOST_BODY_BYTES)
                return Parameters({**self.values, **await of_form(body)})
            case uploads.FORM:
                return Parameters({**self.values, **dict(await uploads.fields(request, MOST_UPLOAD_BYTES))})
            case _:
                return self

    def insist_on_text(self) -> None:
        """Raises Invalid for what is no UTF-8: nobody can tell what was meant. Nor can a NUL be stored."""
        if not all(map(can_be_stored, self.values.values())):
            raise Invalid("Parameters must be UTF-8 without NUL characters.")

    def text(self, name: str) -> str | None:
        """The text, trimmed; None when the parameter is absent."""
        value = self.values.get(name)
        return value if value is None else value.strip()

    def given(self, name: str) -> str:
        """The text, trimmed; empty when the parameter is absent."""
        return self.text(name) or ""

    def required(self, name: str) -> str:
        """The text, trimmed and not empty."""
        if value := self.given(name):
            return value
        raise Invalid(f"{name} is required.")

    def boolean(self, name: str) -> bool | None:
        """None when the parameter is absent or empty."""
        value = self.given(name).lower()
        if value and value not in _BOOLEANS:
            raise Invalid(f"{name} must be true or false.")
        return _BOOLEANS.get(value)

    def number(self, name: str) -> int:
        """A number that must be given."""
        return _number(name, self.required(name))

    def numbers(self, name: str) -> tuple[int, ...]:
        """Numbers in their order, each once: separated by commas, blanks trimmed, empty items skipped."""
        items = [text for item in self.given(name).split(",") if (text := item.strip())]
        if len(items) > MOST_IDS:
            raise Invalid(f"{name} may hold {MOST_IDS:,} ids at most.")
        return tuple(dict.fromkeys(_number(name, item) for item in items))


async def of_form(body: bytes) -> dict[str, str]:
    """The parameters of a form; escapes take their time. Raises Invalid."""
    return await reading.read_apart(lambda form: pairs(form.decode(errors=NO_UTF8)), body)


def pairs(text: str) -> dict[str, str]:
    """The parameters of a query or form as it is sent. Raises Invalid."""
    try:
        return dict(parse_qsl(text, keep_blank_values=True, errors=NO_UTF8, max_num_fields=MOST_PARAMETERS))
    except ValueError:
        raise Invalid(f"at most {MOST_PARAMETERS} parameters may be sent") from None


def _number(name: str, text: str) -> int:
    """A non-negative integer; NOBODY when it is too great to be anybody's."""
    if not _DIGITS.fullmatch(text):
        raise Invalid(f"{name} must hold non-negative integers only.")
    digits = text.lstrip("0")
    number = int(digits or NOBODY) if len(digits) <= len(str(LARGEST_NUMBER)) else NOBODY
    return number if number <= LARGEST_NUMBER else NOBODY
