"""The five media types, and which of them a request is written in and its answer is to be (contract w50.md 1)."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Final

from aiohttp import web

from engine.errors import Invalid


class Media(StrEnum):
    """What bodies and answers are written in."""

    JSON = "application/json"
    TEXT_JSON = "text/json"
    REPORT = "application/csp-report"
    XML = "application/xml"
    TEXT_XML = "text/xml"

    @property
    def is_xml(self) -> bool:
        return self in (Media.XML, Media.TEXT_XML)


#: What is meant by a range of media types.
RANGES: Final = {"application/*": Media.JSON, "text/*": Media.TEXT_JSON}
ANYTHING: Final = "*/*"


def of_body(request: web.Request) -> Media:
    """What the body is written in. Raises Invalid for any other type."""
    try:
        return Media(request.content_type)
    except ValueError:
        raise Invalid(f"Content-Type must be one of {', '.join(Media)}.") from None


def of_answer(request: web.Request) -> Media:
    """What the caller wants most of what there is; without a wish what the body is written in, else JSON.

    Of what is wanted as much the types that are named come before ranges, as .NET has it.
    """
    wished = sorted(_wishes(request), key=lambda wish: (-wish[0], wish[1].count("*")))
    for _, name in wished:
        if name == ANYTHING:
            return _as_asked(request)
        if name in RANGES:
            return RANGES[name]
        if name in set(Media):
            return Media(name)
    return Media.JSON if wished else _as_asked(request)


def _as_asked(request: web.Request) -> Media:
    try:
        return of_body(request)
    except Invalid:
        return Media.JSON


def _wishes(request: web.Request) -> Iterator[tuple[float, str]]:
    """The media types of `Accept` with how much each is wanted, but those that are not."""
    for part in ",".join(request.headers.getall("Accept", ())).split(","):
        name, *parameters = (each.strip().lower() for each in part.split(";"))
        wanted = _weight(parameters)
        if name and wanted > 0:
            yield wanted, name


def _weight(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return float(parameter[2:])
            except ValueError:
                return 0.0
    return 1.0
