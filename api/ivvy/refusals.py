"""What is refused, and the one place that says what an error is on the wire (contract ivvy.md 4)."""

from collections.abc import Mapping, Sequence
from enum import IntEnum
from typing import NamedTuple

from engine.errors import MusterError


class ErrorCode(IntEnum):
    """`errorCode` of an error object, which is the HTTP status, too."""

    INVALID = 400
    UNAUTHORIZED = 401
    FORBIDDEN = 403
    NOT_FOUND = 404
    METHOD_NOT_ALLOWED = 405
    NOT_ACCEPTABLE = 406
    TOO_MANY = 429
    INTERNAL = 500
    FAILED = 461
    REVOKED = 463


#: What all parameters have in common: the first that is missing, or that is no such value (contract ivvy.md 4).
MISSING = 23017
NOT_VALID = 23016


class Problem(NamedTuple):
    """A refusal, with the number that the contract gives it."""

    error_code: ErrorCode
    specific_code: int | None
    message: str


STALE = Problem(ErrorCode.UNAUTHORIZED, 23005, "Request is stale")
NO_CONTACT = Problem(ErrorCode.NOT_FOUND, 24096, "Unable to find contact")
NO_EVENT = Problem(ErrorCode.NOT_FOUND, 24097, "Unable to find event")
NOT_SAVED = Problem(ErrorCode.INTERNAL, 24091, "The batch could not be saved")
WRONG_JOB = Problem(ErrorCode.INVALID, 24092, "A job of the batch is not in the correct format")
EMPTY_JOB = Problem(ErrorCode.INVALID, 24093, "A parameter of a job of the batch is empty")
TOO_MANY_JOBS = Problem(ErrorCode.INVALID, 24448, "The batch has more than 200 jobs")
NO_BATCH = Problem(ErrorCode.NOT_FOUND, 24105, "Unable to find batch")
NOT_COMPLETED = Problem(ErrorCode.INVALID, 24114, "The batch has not completed yet")
NOT_DONE = Problem(ErrorCode.FAILED, None, "The job was not done; the batch can be restarted")
NO_RESULTS = Problem(ErrorCode.NOT_FOUND, 24115, "Unable to find the results of the batch")


class Refused(MusterError):
    """What only this dialect refuses."""

    code = "refused"

    def __init__(
        self, error_code: ErrorCode, message: str, specific_code: int | None = None, more: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.error_code = error_code
        self.specific_code = specific_code
        self.more = tuple(more)

    @classmethod
    def of(cls, problem: Problem, *more: str) -> "Refused":
        return cls(problem.error_code, problem.message, problem.specific_code, more)

    @classmethod
    def missing(cls, name: str) -> "Refused":
        return cls(ErrorCode.INVALID, f"'{name}' is required", MISSING)

    @classmethod
    def not_valid(cls, name: str, why: str) -> "Refused":
        return cls(ErrorCode.INVALID, f"'{name}' does not validate", NOT_VALID, (why,))


#: By the code of the engine's error.
ERROR_CODES: Mapping[str, ErrorCode] = {
    "invalid": ErrorCode.INVALID,
    "unknown_field": ErrorCode.INVALID,
    "value_not_allowed": ErrorCode.INVALID,
    "body_too_long": ErrorCode.INVALID,
    "unauthorized": ErrorCode.UNAUTHORIZED,
    "forbidden": ErrorCode.FORBIDDEN,
    "not_found": ErrorCode.NOT_FOUND,
    "unknown_target": ErrorCode.NOT_FOUND,
    "no_such_route": ErrorCode.NOT_FOUND,
    "method_not_allowed": ErrorCode.METHOD_NOT_ALLOWED,
    "unsupported_media_type": ErrorCode.NOT_ACCEPTABLE,
    "throttled": ErrorCode.TOO_MANY,
    "quota_exceeded": ErrorCode.TOO_MANY,
    "too_many_activities": ErrorCode.TOO_MANY,
    "conflict": ErrorCode.FAILED,
    "name_taken": ErrorCode.FAILED,
    "email_taken": ErrorCode.FAILED,
    "event_closed": ErrorCode.FAILED,
    "written_meanwhile": ErrorCode.FAILED,
    "stale_write": ErrorCode.FAILED,
    "busy": ErrorCode.FAILED,
}


def error_object(error: MusterError) -> dict[str, object]:
    """The error as a client reads it: nothing is said that is not there (contract ivvy.md 4)."""
    if not isinstance(error, Refused):
        return {"errorCode": ERROR_CODES.get(error.code, ErrorCode.INTERNAL).value, "message": error.message}
    told: dict[str, object] = {"errorCode": error.error_code.value, "message": error.message}
    if error.specific_code is not None:
        told["specificCode"] = error.specific_code
    if error.more:
        told["additionalMessages"] = list(error.more)
    return told
