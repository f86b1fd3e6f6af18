"""Everything that Muster refuses or reports, as one small tree.

An error's `code` is stable and its class docstring says what it means; a dialect maps codes to its wire form in one
table. The engine never knows HTTP statuses.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple


class ItemError(NamedTuple):
    """An error of a single item of an activity (a contact, a row, a list): it does not stop the rest."""

    item: str
    code: str
    message: str


class MusterError(Exception):
    """Something Muster refuses."""

    code = "error"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class Invalid(MusterError):
    """The request says something that cannot be done as it stands."""

    code = "invalid"


class ValueNotAllowed(Invalid):
    """The value is none that the custom field can have."""

    code = "value_not_allowed"


class UnknownField(Invalid):
    """A custom field does not exist, or is one of a list that the contact is not on."""

    code = "unknown_field"


class InvalidSegment(Invalid):
    """The segment criteria do not follow the grammar."""

    code = "invalid_segment"


class InvalidImport(Invalid):
    """The uploaded file cannot be read as an import."""

    code = "invalid_import"


class NotFound(MusterError):
    """What the request names does not exist in this account."""

    code = "not_found"


class UnknownTarget(NotFound):
    """A list, tag or segment that a bulk request names does not exist; nothing was queued."""

    code = "unknown_target"


class Conflict(MusterError):
    """The request contradicts what is stored."""

    code = "conflict"


class NameTaken(Conflict):
    """Another list, tag, custom field, segment or hook of this account has the name."""

    code = "name_taken"


class EmailTaken(Conflict):
    """Another contact of this account has the e-mail address, be it a deleted one."""

    code = "email_taken"

    def __init__(self, message: str, contact_no: int | None = None) -> None:
        super().__init__(message)
        self.contact_no = contact_no


class WrittenMeanwhile(Conflict):
    """Somebody else is writing the same contact at this moment."""

    code = "written_meanwhile"


class EventClosed(Conflict):
    """The event is cancelled or over: nobody is invited to it or answers any more."""

    code = "event_closed"


class StaleWrite(Conflict):
    """The contact has been changed after the time at which the request says that it was read."""

    code = "stale_write"


class AlreadyFinal(Conflict):
    """The activity has ended; a final state never changes."""

    code = "already_final"


class NotFinal(Conflict):
    """The activity is still running and can only be cancelled."""

    code = "not_final"


class Busy(MusterError):
    """Earlier activities that must come first have not ended in time."""

    code = "busy"


class TooManyActivities(MusterError):
    """The account has as many unfinished activities as it may have."""

    code = "too_many_activities"


class Unauthorized(MusterError):
    """The token is missing, unknown, revoked or expired."""

    code = "unauthorized"


class Forbidden(MusterError):
    """The principal lacks the privilege."""

    code = "forbidden"


class Unusable(MusterError):
    """A server that Muster needs cannot be used as it is."""

    code = "unusable"


@contextmanager
def unusable_alone() -> Iterator[None]:
    """Raises the first Unusable of a task group by itself.

    Not `except*`: in Python 3.11.2, Debian 12's, what that raises comes in a group again.
    """
    try:
        yield
    except ExceptionGroup as problems:
        if unusable := problems.subgroup(Unusable):
            raise unusable.exceptions[0] from None
        raise


class DatabaseUnusable(Unusable):
    """The database cannot be reached, is not migrated, or would not keep accounts apart."""

    code = "database_unusable"


class LeaseLost(MusterError):
    """Another worker has taken the activity over; what this one did is rolled back."""

    code = "lease_lost"
