"""Whom GetContacts asks for, from its attributes to a set expression (contract greenrope.md 4)."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from api.greenrope.answers import Format, Json
from api.greenrope.requests import criteria_of
from api.greenrope.values import Attributes
from engine.contacts.search import Criteria
from engine.errors import Invalid
from engine.marks import WHOLE_ACCOUNT, MarkKind
from engine.sets.expressions import NOBODY, Expression, Intersection, Marked, Matching, Members
from engine.sets.predicates import AnyOf, Column, Comparison, Ordered, Predicate, Sign, Text, TimeWithin
from engine.sets.system import UNSUBSCRIBED

#: Contacts on a page (contract 10).
PAGE: Final = 100
MOST_ON_PAGE: Final = 1000
SECOND: Final = timedelta(seconds=1)

#: What `search` looks at.
SEARCHED = (Column.FIRST_NAME, Column.LAST_NAME, Column.COMPANY_NAME, Column.JOB_TITLE, Column.EMAIL)


@dataclass(frozen=True, slots=True)
class Page:
    """Contacts that are skipped, and how many are told."""

    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days of UTC, both ends included; None is no bound."""

    first: date | None = None
    last: date | None = None

    def span(self) -> tuple[datetime | None, datetime | None]:
        """The times from which and before which they are."""
        since = None if self.first is None else _midnight(self.first)
        return since, None if self.last in (None, date.max) else _midnight(self.last + timedelta(days=1))

    def are_none(self) -> bool:
        return self.first is not None and self.last is not None and self.last < self.first


@dataclass(frozen=True, slots=True)
class Choice:
    """What the attributes of a request ask for.

    unsubscribed, bounced: only those, of these days; of the group when there is one.
    everywhere: in all accounts that can be reached.
    """

    criteria: Criteria = field(default_factory=Criteria)
    group_no: int | None = None
    search: str | None = None
    first_last_name: str | None = None
    last_last_name: str | None = None
    updated_after: datetime | None = None
    unsubscribed: Days | None = None
    bounced: Days | None = None
    everywhere: bool = False
    with_scores: bool = False
    page: Page | None = None

    @classmethod
    def of(cls, attributes: Attributes, written: Format) -> "Choice":
        """Raises Invalid."""
        everywhere, search = attributes.is_true("get_all"), attributes.text("search")
        if everywhere and search is not None:
            raise Invalid("search does not work together with get_all")
        return cls(
            criteria=criteria_of(attributes) or Criteria(),
            group_no=attributes.number("group_id"),
            search=search,
            first_last_name=attributes.text("start_lastname"),
            last_last_name=attributes.text("end_lastname"),
            updated_after=attributes.timestamp("updated_timestamp"),
            unsubscribed=_days(attributes, "unsubscribed"),
            bounced=_days(attributes, "bounced"),
            everywhere=everywhere,
            with_scores=attributes.is_true("do_lead_scoring"),
            page=_page(attributes, by_default=everywhere and isinstance(written, Json)),
        )

    def expression(self) -> Expression:
        """The contacts, not deleted, that are meant in an account."""
        return Intersection((self.criteria.expression(), *self._parts()))

    def _parts(self) -> Iterator[Expression]:
        yield from (Matching(predicate) for predicate in self._predicates())
        if self.unsubscribed is not None:
            yield self._unsubscribed(self.unsubscribed)
        if self.bounced is not None:
            yield _marked(MarkKind.BOUNCED, self.group_no or WHOLE_ACCOUNT, self.bounced)
        if self.group_no is not None and self.unsubscribed is None and self.bounced is None:
            yield Members((self.group_no,))

    def _predicates(self) -> Iterator[Predicate]:
        if self.search is not None:
            yield AnyOf(tuple(Text(column, Comparison.CONTAINS, self.search) for column in SEARCHED))
        if self.first_last_name is not None:
            yield Ordered(Column.LAST_NAME, Sign.FROM, self.first_last_name)
        if self.last_last_name is not None:
            yield Ordered(Column.LAST_NAME, Sign.UP_TO, self.last_last_name)
        if self.updated_after is not None:
            # Answers tell whole seconds: what is told with this time was not changed after it.
            since = min(self.updated_after, datetime.max.replace(tzinfo=UTC) - SECOND) + SECOND
            yield TimeWithin(Column.UPDATED_AT, since, None)

    def _unsubscribed(self, days: Days) -> Expression:
        """From the group, be they still in it or not; else from all mail of the account."""
        if self.group_no is not None:
            return _marked(MarkKind.UNSUBSCRIBED, self.group_no, days)
        if days.are_none():
            return NOBODY
        everybody = Members((UNSUBSCRIBED,))
        if days == Days():
            return everybody
        return Intersection((everybody, Matching(TimeWithin(Column.OPT_OUT_DATE, *days.span()))))


def _marked(kind: MarkKind, set_no: int, days: Days) -> Expression:
    return NOBODY if days.are_none() else Marked(kind, set_no, *days.span())


def _days(attributes: Attributes, name: str) -> Days | None:
    """Those of a flag; None when it is not set, whatever days are there."""
    if not attributes.is_true(name):
        return None
    return Days(attributes.day(f"{name}_startdate"), attributes.day(f"{name}_enddate"))


def _page(attributes: Attributes, *, by_default: bool) -> Page | None:
    number, size = attributes.number("start_chunk_page"), attributes.number("start_chunk_size")
    if size == 0:
        raise Invalid("start_chunk_size must be 1 or more")
    if number is None and size is None and not by_default:
        return None
    size = min(size or PAGE, MOST_ON_PAGE)
    return Page((number or 0) * size, size)


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
