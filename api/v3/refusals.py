"""The one place that says what an error of the engine is on the wire (contract v3.md 1.8)."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import groupby
from operator import itemgetter
from typing import Annotated, Any, NamedTuple, Union

from aiohttp import web
from pydantic import Field
from typing_extensions import TypedDict

from api.answers import json_answer
from api.dialects import AnyRoute
from engine.errors import MusterError


class Refusal(NamedTuple):
    """A status and its `error_key`."""

    status: HTTPStatus
    key: str


INVALID = Refusal(HTTPStatus.BAD_REQUEST, "contacts.api.validation.error")
NOT_FOUND = Refusal(HTTPStatus.NOT_FOUND, "contacts.api.not_found")
CONFLICT = Refusal(HTTPStatus.CONFLICT, "contacts.api.conflict")
UNAVAILABLE = Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "contacts.api.unavailable")
INTERNAL = Refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "contacts.api.internal_error")

#: By the code of the error.
REFUSALS: Mapping[str, Refusal] = {
    "invalid": INVALID,
    "invalid_segment": INVALID,
    "invalid_import": INVALID,
    "unknown_field": INVALID,
    "value_not_allowed": INVALID,
    "body_too_long": INVALID,
    "unauthorized": Refusal(HTTPStatus.UNAUTHORIZED, "unauthorized"),
    "forbidden": Refusal(HTTPStatus.FORBIDDEN, "forbidden"),
    "not_found": NOT_FOUND,
    "unknown_target": NOT_FOUND,
    "no_such_route": NOT_FOUND,
    "method_not_allowed": Refusal(HTTPStatus.METHOD_NOT_ALLOWED, "contacts.api.method_not_allowed"),
    "conflict": CONFLICT,
    "name_taken": CONFLICT,
    "email_taken": CONFLICT,
    "written_meanwhile": CONFLICT,
    "event_closed": CONFLICT,
    "stale_write": CONFLICT,
    "already_final": CONFLICT,
    "not_final": CONFLICT,
    "unsupported_media_type": Refusal(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "contacts.api.unsupported_media_type"),
    "range_not_satisfiable": Refusal(HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE, "contacts.api.range_not_satisfiable"),
    "throttled": Refusal(HTTPStatus.TOO_MANY_REQUESTS, "throttled"),
    "quota_exceeded": Refusal(HTTPStatus.TOO_MANY_REQUESTS, "quota_exceeded"),
    "too_many_activities": Refusal(HTTPStatus.TOO_MANY_REQUESTS, "contacts.api.activities.limit"),
    "busy": UNAVAILABLE,
    "unusable": UNAVAILABLE,
    "database_unusable": UNAVAILABLE,
}

#: An unknown list, tag, field or segment in a bulk body, and a name that is taken.
BY_ROUTE = frozenset({"unknown_target", "name_taken"})


class Problem(TypedDict):
    """What is wrong, for programs and for people."""

    error_key: str
    error_message: str


Problems = Annotated[list[Problem], Field(min_length=1, max_length=1)]

#: Keys of refusals whose body is one object; all others are an array of one.
AS_OBJECT = frozenset({"unauthorized", "forbidden", "throttled", "quota_exceeded"})


def _shapes() -> Mapping[HTTPStatus, Any]:
    """What is sent with each status: an array, one object, or either; and with which keys."""
    refusals = groupby(sorted({*REFUSALS.values(), INTERNAL}), key=itemgetter(0))
    return {status: _shape([key for _, key in of_status]) for status, of_status in refusals}


def _shape(keys: Sequence[str]) -> Any:
    forms = tuple(Problem if key in AS_OBJECT else Problems for key in keys)
    return Annotated[Union[forms], Field(description=f"`error_key`: {' or '.join(keys)}")]  # noqa: UP007


SHAPES = _shapes()


def refuse(error: MusterError, route: AnyRoute | None) -> web.Response:
    """The answer that refuses a request for this error."""
    status, key = _refusal(error, route)
    body = {"error_key": key, "error_message": error.message}
    headers = {"WWW-Authenticate": "Bearer"} if status is HTTPStatus.UNAUTHORIZED else None
    return json_answer(body if key in AS_OBJECT else [body], status, headers)


def _refusal(error: MusterError, route: AnyRoute | None) -> Refusal:
    """Some refusals are 400 on routes that do not document what they would be otherwise (2.2, 2.4, 3.3)."""
    refusal = REFUSALS.get(error.code, INTERNAL)
    documented = route is not None and refusal.status in route.documented
    return INVALID if error.code in BY_ROUTE and not documented else refusal
