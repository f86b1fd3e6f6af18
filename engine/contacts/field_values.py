"""Values of custom fields and of those that are another name of a property of the contact: told apart here, once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from engine import fields
from engine.contacts.changes import UNSAID, Changes
from engine.contacts.record import Row
from engine.emails import email_key
from engine.fields import Field, Property, Type
from engine.sets.predicates import (
    Column,
    CustomText,
    ExactlyAmong,
    FoldedAmong,
    OneOf,
    Phone,
    Predicate,
)

#: The kind of phone number that a field can be another name of.
MOBILE = "mobile"
#: The columns that are texts as they stand.
NAMES: Mapping[Property, Column] = MappingProxyType({"first_name": Column.FIRST_NAME, "last_name": Column.LAST_NAME})
#: What a field's value must be for the property that it is another name of, whatever else is said of the field.
TYPES: Mapping[Property, Type] = MappingProxyType({"email": "email", "mobile": "mobile"})


def type_of(field: Field) -> Type:
    """What its values must be."""
    return field.type if field.property is None else TYPES.get(field.property, field.type)


def fitting(field: Field, value: str) -> str:
    """The value as it is stored. Raises Invalid when it is not of the field's type."""
    return fields.fitting(replace(field, type=type_of(field)), value)


def changes(values: Mapping[Field, str | None]) -> Changes:
    """What these values, of which None clears, say of a contact."""
    by_property = {field.property: value for field, value in values.items() if field.property is not None}
    return Changes(
        columns={NAMES[name].value: value for name, value in by_property.items() if name in NAMES},
        email=by_property.get("email", UNSAID),
        phones={MOBILE: by_property["mobile"]} if "mobile" in by_property else {},
        custom_values={field.field_no: value for field, value in values.items() if field.property is None},
    )


def stored(row: Row, known: Field) -> str | None:
    """The contact's value of a field; None when it has none."""
    if known.property is None:
        values: Mapping[str, str] = row.get("custom_values") or {}
        return values.get(str(known.field_no))
    return _STORED[known.property](row)


def of_new_member(set_no: int, known: Iterable[Field], values: Mapping[Field, str | None]) -> Changes:
    """What these values say of a new contact that joins the list with these fields; unsaid ones have their defaults."""
    defaults = {field: field.default_value for field in known if field.default_value}
    return replace(changes({**defaults, **values}), joins=frozenset({set_no}))


def key(field: Field, value: str) -> str:
    """What makes two values of the field one."""
    return email_key(value) if type_of(field) == "email" else value


def equal(field: Field, value: str) -> Predicate:
    """The field has this value, to the letter; an e-mail address whatever its case (contract w50.md 4)."""
    return among(field, (key(field, value),))


def among(field: Field, keys: Sequence[str]) -> Predicate:
    """The field has a value that is known by one of these keys."""
    match field.property:
        case None if field.type == "email":
            return FoldedAmong(CustomText(field.field_no), tuple(keys))
        case None:
            return ExactlyAmong(CustomText(field.field_no), tuple(keys))
        case "email":
            return OneOf(Column.EMAIL_KEY, tuple(keys))
        case "mobile":
            return ExactlyAmong(Phone(MOBILE), tuple(keys))
        case name:
            return ExactlyAmong(NAMES[name], tuple(keys))


def _mobile(row: Row) -> str | None:
    phones = row.get("phone_numbers") or ()
    return next((str(each["phone_number"]) for each in phones if each["kind"] == MOBILE), None)


_STORED: Mapping[Property, Callable[[Row], str | None]] = MappingProxyType(
    {
        "email": lambda row: row.get("email"),
        "first_name": lambda row: row.get("first_name"),
        "last_name": lambda row: row.get("last_name"),
        "mobile": _mobile,
    }
)
