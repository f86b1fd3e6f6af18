"""Which contacts are asked for, as set expressions (contract v3.md 2.1.8)."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal

from engine.emails import email_key
from engine.sets import system
from engine.sets.expressions import EVERYBODY, NOBODY, Difference, Expression, Intersection, Matching, Members, Union
from engine.sets.predicates import AllOf, Column, HasConsent, Not, OneOf, TimeWithin

Status = Literal["all", "active", "deleted", "not_set", "pending_confirmation", "temp_hold", "unsubscribed"]
SmsStatus = Literal["all", "explicit", "unsubscribed", "pending_confirmation", "not_set"]

#: What a contact's consent to text messages is called where it is stored (contract v3.md 2.1.7).
CONSENTS: dict[SmsStatus, str] = {
    "explicit": "explicit",
    "unsubscribed": "opt_out",
    "pending_confirmation": "pending_confirmation",
}
#: What PostgreSQL's clock counts in.
MOMENT = timedelta(microseconds=1)
#: The last moment after which there is another.
LATEST = datetime.max.replace(tzinfo=UTC) - MOMENT
#: Every contact there ever was.
_EVER = Matching(AllOf(()))


@dataclass(frozen=True, slots=True)
class Times:
    """A stretch of time in a column, its ends not part of it; None sets no bound."""

    column: Column
    after: datetime | None = None
    before: datetime | None = None

    def expression(self) -> Expression:
        if self.after is not None and self.before is not None and self.before <= self.after:
            return NOBODY
        since = None if self.after is None else min(self.after, LATEST) + MOMENT
        return Matching(TimeWithin(self.column, since, self.before))


@dataclass(frozen=True, slots=True)
class Filter:
    """Which contacts are asked for: all conditions hold, of several values inside one any.

    lists, tags: set numbers; None asks for nothing in particular, () matches nobody. No statuses: everybody who is not
    deleted.
    """

    email: str | None = None
    lists: tuple[int, ...] | None = None
    tags: tuple[int, ...] | None = None
    segment: Expression | None = None
    statuses: frozenset[Status] = frozenset()
    sms_statuses: frozenset[SmsStatus] = frozenset()
    times: tuple[Times, ...] = ()

    def expression(self) -> Expression:
        """The contacts that meet the filter."""
        parts: list[Expression] = [Members(nos) for nos in (self.lists, self.tags) if nos is not None]
        if self.email is not None:
            parts.append(Matching(OneOf(Column.EMAIL_KEY, (email_key(self.email),))))
        if self.segment is not None:
            parts.append(self.segment)
        parts += [times.expression() for times in self.times]
        if self.sms_statuses and "all" not in self.sms_statuses:
            parts.append(Union(tuple(map(_with_sms_status, sorted(self.sms_statuses)))))
        if "all" not in self.statuses:
            parts.append(Union(tuple(map(_with_status, sorted(self.statuses)))) if self.statuses else EVERYBODY)
        return Intersection(tuple(parts)) if parts else _EVER


def _with_status(status: Status) -> Expression:
    match status:
        case "active":
            return Members((system.ACTIVE,))
        case "unsubscribed":
            return Intersection((Members((system.UNSUBSCRIBED,)), EVERYBODY))
        case "deleted":
            return Difference(_EVER, EVERYBODY)
        case _:
            return Intersection((Matching(OneOf(Column.PERMISSION, (status,))), EVERYBODY))


def _with_sms_status(status: SmsStatus) -> Expression:
    if status == "not_set":
        return Matching(Not(HasConsent(tuple(CONSENTS.values()))))
    return Matching(HasConsent((CONSENTS[status],)))
