"""Which contacts a page shows, and in which order (contract convio.md 6.8)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from api.convio.parameters import Parameters
from api.convio.refusals import InvalidListing
from engine.errors import Invalid
from engine.sets.expressions import EVERYBODY, Expression, Intersection, Matching
from engine.sets.ordering import By, Order, SortKey
from engine.sets.predicates import Column, Comparison, Digits, Field, Text

#: Contacts of a page.
USUAL_SIZE = 25
MOST_SIZE = 500
#: A greater offset is beyond all contacts.
MOST_OFFSET = 2**31 - 1

#: What can be sorted and filtered by.
COLUMNS: Mapping[str, tuple[SortKey, Field]] = MappingProxyType(
    {
        "id": (SortKey.CONTACT_NO, Digits()),
        "first_name": (SortKey.FIRST_NAME, Column.FIRST_NAME),
        "last_name": (SortKey.LAST_NAME, Column.LAST_NAME),
        "email": (SortKey.EMAIL, Column.EMAIL),
    }
)
USUAL_ORDER = (SortKey.LAST_NAME, SortKey.FIRST_NAME, SortKey.CONTACT_NO)

_DIGITS = re.compile("[0-9]{1,18}")


@dataclass(frozen=True, slots=True)
class Listing:
    """A page: whom it may show, in which order, and `limit` of them after the first `offset`."""

    expression: Expression
    order: Order
    limit: int
    offset: int


def asked_for(asked: Parameters) -> Listing:
    """The page that a request asks for. Raises InvalidListing."""
    limit = min(_number(asked, "list_page_size", USUAL_SIZE), MOST_SIZE)
    return Listing(_expression(asked), _order(asked), limit, _offset(asked, limit))


def _offset(asked: Parameters, limit: int) -> int:
    if asked.given("list_page_offset") and asked.given("list_record_offset"):
        raise InvalidListing("list_page_offset and list_record_offset exclude each other.")
    offset = _number(asked, "list_page_offset", 0) * limit + _number(asked, "list_record_offset", 0)
    return min(offset, MOST_OFFSET)


def _order(asked: Parameters) -> Order:
    try:
        descending = asked.boolean("list_ascending") is False
    except Invalid as error:
        raise InvalidListing(error.message) from None
    name = asked.given("list_sort_column")
    keys = (_column("list_sort_column", name)[0],) if name else USUAL_ORDER
    return [By(key, descending) for key in keys]


def _expression(asked: Parameters) -> Expression:
    name, text = asked.given("list_filter_column"), asked.given("list_filter_text")
    if not name and text:
        raise InvalidListing("list_filter_text needs list_filter_column.")
    if not name:
        return EVERYBODY
    _, field = _column("list_filter_column", name)
    return Intersection((Matching(Text(field, Comparison.CONTAINS, text)), EVERYBODY)) if text else EVERYBODY


def _column(parameter: str, name: str) -> tuple[SortKey, Field]:
    if name not in COLUMNS:
        raise InvalidListing(f"{parameter} must be one of {', '.join(COLUMNS)}.")
    return COLUMNS[name]


def _number(asked: Parameters, name: str, usual: int) -> int:
    text = asked.given(name)
    if not text:
        return usual
    if not _DIGITS.fullmatch(text):
        raise InvalidListing(f"{name} must be a non-negative integer.")
    return int(text)
