"""The one place that says what an error is on the wire (contract convio.md 7)."""

from collections.abc import Mapping
from http import HTTPStatus

from engine.errors import Invalid, MusterError


class WrongApiKey(MusterError):
    """The site has no such key, or there is no such site."""

    code = "wrong_api_key"


class NotLoggedIn(MusterError):
    """The name or password is wrong, or the session has no user (any more)."""

    code = "not_logged_in"


class WrongNetwork(MusterError):
    """The site takes no requests from this address."""

    code = "wrong_network"


class TokenNeeded(MusterError):
    """The method needs a token, and there is none."""

    code = "token_needed"


class NoSuchMethod(MusterError):
    """The servlet has no such method."""

    code = "no_such_method"


class WrongVersion(MusterError):
    """There is no such version of the API."""

    code = "wrong_version"


class WrongToken(MusterError):
    """The single sign-on token is unknown or expired."""

    code = "wrong_token"


class ParameterMissing(MusterError):
    """A parameter is missing, on other servlets than that of address books."""

    code = "parameter_missing"


class InvalidListing(Invalid):
    """The request for a page cannot be done as it stands."""

    code = "invalid_listing"


class ConstituentNeeded(MusterError):
    """The request does not say for which constituent."""

    code = "constituent_needed"


#: What is answered when there is no code of its own.
GENERAL = 1
WRONG_VERB = 405

#: By the code of the error.
CODES: Mapping[str, int] = {
    "wrong_api_key": 2,
    "not_logged_in": 3,
    "unauthorized": 3,
    "wrong_network": 4,
    "token_needed": 5,
    "no_such_method": 6,
    "wrong_token": 7,
    "parameter_missing": 9,
    "invalid_listing": 50,
    "method_not_allowed": WRONG_VERB,
    "email_taken": 901,
    "invalid": 902,
    "body_too_long": 902,
    "constituent_needed": 903,
    "forbidden": 904,
    "name_taken": 905,
    "not_found": 906,
    "unknown_target": 906,
}


#: What is told instead of the engine's words, by the code of the error: those speak of lists and show their public ids.
WORDS: Mapping[str, str] = {
    "email_taken": "The e-mail address is already in use.",
    "name_taken": "There is a group with this name already.",
    "unknown_target": "The group was not found.",
}


def words_of(error: MusterError) -> str:
    """What people are told."""
    return WORDS.get(error.code, error.message)


def code_of(error: MusterError) -> int:
    """The number that says what is wrong."""
    return CODES.get(error.code, GENERAL)


def status_of(code: int) -> HTTPStatus:
    """The HTTP status that goes with it."""
    return HTTPStatus.METHOD_NOT_ALLOWED if code == WRONG_VERB else HTTPStatus.FORBIDDEN
