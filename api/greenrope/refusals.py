"""The one place that says what an error is on the wire (contract greenrope.md 8), and refusals of this format's own."""

from collections.abc import Mapping
from http import HTTPStatus

from engine.errors import Invalid, MusterError


class UnknownGroup(MusterError):
    """There is no such group in the account."""

    code = "unknown_group"


class UnknownCompany(MusterError):
    """There is no such company in the account."""

    code = "unknown_company"


class UnknownContact(MusterError):
    """The criteria select no contact."""

    code = "unknown_contact"


class UnknownWorkflow(MusterError):
    """There is no such workflow in the account."""

    code = "unknown_workflow"


class UnknownFunction(MusterError):
    """The root element names no function."""

    code = "unknown_function"


class SeveralContacts(MusterError):
    """The criteria select more than one contact."""

    code = "several_contacts"


class AlreadyThere(MusterError):
    """Something of the name or address exists already; the text tells its number."""

    code = "already_there"


class BadEmail(Invalid):
    """What was sent is no e-mail address."""

    code = "bad_email"


#: What every request may be refused with that is nobody's fault but ours.
INTERNAL = 1099

#: By the code of the error (contract 8). What is not here is INTERNAL.
CODES: Mapping[str, int] = {
    "unauthorized": 1001,
    "already_there": 1002,
    "name_taken": 1002,
    "email_taken": 1002,
    "invalid": 1003,
    "unknown_group": 1004,
    "unknown_target": 1004,
    "unknown_company": 1005,
    "unknown_contact": 1006,
    "not_found": 1006,
    "forbidden": 1007,
    "unknown_field": 1008,
    "value_not_allowed": 1009,
    "unknown_workflow": 1010,
    "bad_xml": 1011,
    "body_too_long": 1011,
    "several_contacts": 1012,
    "bad_email": 1013,
    "stale_write": 1014,
    "unknown_function": 1015,
}

#: Answers have 200, also those that refuse (contract 1), but for who asks too often (contract 10).
STATUSES: Mapping[str, HTTPStatus] = {
    "throttled": HTTPStatus.TOO_MANY_REQUESTS,
    "quota_exceeded": HTTPStatus.TOO_MANY_REQUESTS,
}


def refusal(error: MusterError) -> tuple[tuple[str, str], ...]:
    """What an answer says of an error, of the whole request or of one contact (contract 2.1)."""
    code = CODES.get(error.code, INTERNAL)
    return ("Result", "Error"), ("ErrorCode", str(code)), ("ErrorText", error.message)
