"""What only an HTTP front can refuse; the rest of the tree is the engine's. A dialect maps codes to its wire form."""

from engine.errors import MusterError


class NoSuchRoute(MusterError):
    """Nothing is served under this path."""

    code = "no_such_route"


class MethodNotAllowed(MusterError):
    """The path is served, but not with this method."""

    code = "method_not_allowed"


class UnsupportedMediaType(MusterError):
    """The body is not of a kind that this route reads."""

    code = "unsupported_media_type"


class BodyTooLong(MusterError):
    """The body has more bytes than its route reads."""

    code = "body_too_long"


class RangeNotSatisfiable(MusterError):
    """The file of `size` bytes has none of those that were asked for."""

    code = "range_not_satisfiable"

    def __init__(self, message: str, size: int = 0) -> None:
        super().__init__(message)
        self.size = size


class Unexpected(MusterError):
    """A fault of Muster's own; it is in the log, and nothing of it is told."""

    code = "unexpected"


class Throttled(MusterError):
    """The principal asks more often in a second than it may."""

    code = "throttled"


class QuotaExceeded(MusterError):
    """The principal has asked as often on this day as it may."""

    code = "quota_exceeded"
