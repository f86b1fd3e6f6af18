"""The rules of SearchContacts, each as a set expression (contract greenrope.md 6.1.1)."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from api.greenrope import values
from api.greenrope.choice import Days
from api.greenrope.properties import PHONES
from api.greenrope.values import child_text, shown
from api.xml import Element
from engine import fields as custom_fields
from engine.errors import Invalid
from engine.fields import Field
from engine.sets.catalog import NamedSet, name_key
from engine.sets.expressions import EVERYBODY, NOBODY, Difference, Expression, Matching, Members
from engine.sets.predicates import (
    AddressPart,
    AnyOf,
    Column,
    Comparison,
    CustomText,
    Digits,
    Number,
    Ordered,
    Phone,
    Predicate,
    Present,
    Sign,
    Text,
    TimeWithin,
)
from engine.sets.predicates import Field as Place

#: What the fields of rules are; user-defined ones come beside them.
PLACES: Mapping[str, Place] = MappingProxyType(
    {
        "ID": Digits(),
        "Firstname": Column.FIRST_NAME,
        "Lastname": Column.LAST_NAME,
        "Email": Column.EMAIL,
        "Company": Column.COMPANY_NAME,
        "Title": Column.JOB_TITLE,
        "City": AddressPart.CITY,
        "State": AddressPart.STATE,
        "Zip": AddressPart.POSTAL_CODE,
        "Country": AddressPart.COUNTRY,
        **{name: Phone(kind) for name, kind in PHONES.items()},
    }
)
TIMES: Mapping[str, Column] = MappingProxyType({"LastModified": Column.UPDATED_AT, "ContactCreated": Column.CREATED_AT})
TAG = "Tag"

COMPARISONS: Mapping[str, Comparison] = MappingProxyType(
    {
        "contains": Comparison.CONTAINS,
        "is": Comparison.EQUALS,
        "starts with": Comparison.STARTS_WITH,
        "ends with": Comparison.ENDS_WITH,
    }
)
#: Those that hold where another does not.
NEGATIONS: Mapping[str, str] = MappingProxyType(
    {"does not contain": "contains", "is not": "is", "is empty": "is not empty"}
)
SIGNS: Mapping[str, Sign] = MappingProxyType({"greater than": Sign.ABOVE, "less than": Sign.BELOW})
FILLED = "is not empty"

#: How names of tags are compared.
_OF_TAGS: Mapping[str, Callable[[str, str], bool]] = MappingProxyType(
    {
        "contains": lambda name, value: value in name,
        "is": lambda name, value: name == value,
        "starts with": str.startswith,
        "ends with": str.endswith,
        "greater than": lambda name, value: name > value,
        "less than": lambda name, value: name < value,
        FILLED: lambda _name, _value: True,
    }
)


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What rules can speak of in an account beside what all contacts have. tags: none unless a rule `is_of_tags`."""

    fields: Sequence[Field]
    tags: Sequence[NamedSet]


def is_of_tags(rule: Element) -> bool:
    """Whether the account's tags must be known: there may be very many."""
    return child_text(rule, "Field") == TAG


def expression(rule: Element, vocabulary: Vocabulary) -> Expression:
    """The contacts for whom a rule holds, deleted ones included. Raises Invalid."""
    name = child_text(rule, "Field") or ""
    if name in TIMES:
        return _within(TIMES[name], rule)
    operator, value = (child_text(rule, "Operator") or "").lower(), child_text(rule, "Value") or ""
    positive = NEGATIONS.get(operator, operator)
    if positive not in _OF_TAGS:
        raise Invalid(f"there is no operator {shown(operator)}")
    if not value and positive != FILLED:
        raise Invalid(f"the operator {operator} needs a Value")
    found = _found(name, positive, value, vocabulary)
    return Difference(EVERYBODY, found) if operator in NEGATIONS else found


def _found(name: str, operator: str, value: str, vocabulary: Vocabulary) -> Expression:
    if name == TAG:
        compare, wanted = _OF_TAGS[operator], name_key(value)
        return Members(tuple(tag.set_no for tag in vocabulary.tags if compare(name_key(tag.name), wanted)))
    if name == "ID" and operator in SIGNS:
        return Matching(Number(SIGNS[operator], values.number("Value", value)))
    if name in PLACES:
        return Matching(_predicate(PLACES[name], operator, value))
    key = custom_fields.key_of(name)
    meant = [field for field in vocabulary.fields if custom_fields.key_of(field.label) == key]
    if not meant:
        raise Invalid(f"there is no field {shown(name)}")
    return Matching(AnyOf(tuple(_of_field(field, operator, value) for field in meant)))


def _of_field(field: Field, operator: str, value: str) -> Predicate:
    """A day is stored otherwise than it is written here."""
    if field.type == "date" and len(value) == len("20260115") and value.isdigit():
        value = f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return _predicate(CustomText(field.field_no), operator, value)


def _predicate(place: Place, operator: str, value: str) -> Predicate:
    if operator == FILLED:
        return Present(place)
    if operator in SIGNS:
        return Ordered(place, SIGNS[operator], value)
    return Text(place, COMPARISONS[operator], value)


def _within(column: Column, rule: Element) -> Expression:
    span = (child_text(rule, "Range") or "").lower()
    if span not in ("after", "before", "on", "between"):
        raise Invalid(f"there is no range {shown(span)}")
    first = values.searched_day("Date", child_text(rule, "Date") or "")
    last = values.searched_day("Date2", child_text(rule, "Date2") or "") if span == "between" else first
    since, until = Days(first, last).span()
    match span:
        case "after":
            return NOBODY if until is None else Matching(TimeWithin(column, until, None))
        case "before":
            return Matching(TimeWithin(column, None, since))
        case _:
            return NOBODY if last < first else Matching(TimeWithin(column, since, until))
