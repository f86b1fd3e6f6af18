"""The one place that says what an error is on the wire (contract w50.md 9)."""

from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web

from api.w50.documents import Problem, written
from api.w50.media import Media
from engine.errors import Invalid, MusterError

#: Seconds after which to try again what could not be done now (contract 10).
RETRY_SECONDS = 5
#: How to show who asks (contract 1).
CHALLENGE = 'Basic realm="W50", Bearer'

WRONG = HTTPStatus.EXPECTATION_FAILED
NOT_FOUND = HTTPStatus.NOT_FOUND
LATER = HTTPStatus.SERVICE_UNAVAILABLE

#: By the code of the error, or of the next class above it that is here; every other one is 500.
STATUSES: Mapping[str, HTTPStatus] = {
    "invalid": WRONG,
    "bad_xml": WRONG,
    "body_too_long": WRONG,
    "unsupported_media_type": WRONG,
    "conflict": WRONG,
    "unauthorized": HTTPStatus.UNAUTHORIZED,
    "forbidden": HTTPStatus.FORBIDDEN,
    "not_found": NOT_FOUND,
    "no_such_route": NOT_FOUND,
    "method_not_allowed": HTTPStatus.METHOD_NOT_ALLOWED,
    "written_meanwhile": LATER,
    "throttled": LATER,
    "quota_exceeded": LATER,
    "too_many_activities": LATER,
    "busy": LATER,
    "unusable": LATER,
}


class SeveralWrong(Invalid):
    """Several things are wrong with the request: the first is told first."""

    def __init__(self, messages: tuple[str, ...]) -> None:
        super().__init__(messages[0])
        self.messages = messages


def insist_on_none(problems: list[str]) -> None:
    """Raises what is wrong, if anything is."""
    if len(problems) > 1:
        raise SeveralWrong(tuple(problems))
    if problems:
        raise Invalid(problems[0])


def status_of(kind: type[MusterError]) -> HTTPStatus:
    """The status of a kind of error."""
    codes = [each.code for each in kind.__mro__ if issubclass(each, MusterError)]
    return next((STATUSES[code] for code in codes if code in STATUSES), HTTPStatus.INTERNAL_SERVER_ERROR)


def refusal(error: MusterError, media: Media) -> web.Response:
    """The answer that refuses a request for this error."""
    status = status_of(type(error))
    problem = Problem(error.message, error.messages if isinstance(error, SeveralWrong) else ())
    response = web.Response(body=written(problem, media), status=status, content_type=media.value, charset="utf-8")
    if status is HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = CHALLENGE
    if status is LATER:
        response.headers["Retry-After"] = str(RETRY_SECONDS)
    return response
