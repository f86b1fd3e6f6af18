"""Custom fields of an account's contacts: of everybody, or of the members of one list.

Values lie in the contact row, by field number, each as a text. A deleted field's number is never used again: values
that are left of it are nobody's, and nobody sees them.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Literal, Self
from uuid import UUID

import asyncpg

from engine.database import Transaction
from engine.days import parse_day
from engine.emails import is_email
from engine.errors import Invalid, ItemError, NameTaken, NotFound, UnknownTarget, ValueNotAllowed
from engine.sets import catalog

Type = Literal[
    "string", "text", "date", "number", "boolean", "choice", "choices", "email", "mobile", "address", "file", "static"
]
#: What contacts may do with values of their own, where they are shown them.
Editability = Literal["hidden", "visible", "editable"]
#: What of a contact a field can be another name of.
Property = Literal["email", "first_name", "last_name", "mobile"]
#: The types whose values are chosen: of no other can any be possible or not.
CHOOSING: frozenset[Type] = frozenset({"choice", "choices"})
#: Between the chosen values of a field of type `choices`; so no possible value holds it.
COMMA = ","


@dataclass(frozen=True, slots=True)
class Choice:
    """A possible value. One that is not in use any more keeps its number, and contacts that have it keep it."""

    choice_no: int
    value: str
    in_use: bool = True


@dataclass(frozen=True, slots=True)
class Definition:
    """What is said of a field. set_no: the list whose members have it, None for everybody; choices: the possible values
    in their order, none of them when all are; property: of a list's field, what of the contact it is another name of.
    """

    label: str
    type: Type = "string"
    set_no: int | None = None
    choices: tuple[str, ...] = ()
    editability: Editability = "hidden"
    default_value: str | None = None
    position: int | None = None
    required: bool = False
    property: Property | None = None


@dataclass(frozen=True, slots=True)
class Field:
    """A custom field. `name` is what imports call it; it follows from the label."""

    field_no: int
    field_id: UUID
    label: str
    name: str
    type: Type
    created_at: datetime
    updated_at: datetime
    set_no: int | None = None
    choices: tuple[Choice, ...] = ()
    editability: Editability = "hidden"
    default_value: str | None = None
    position: int | None = None
    required: bool = False
    property: Property | None = None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        choices = tuple(Choice(**each) for each in json.loads(row["choices"] or "[]"))
        return cls(**{**{name: row[name] for name in cls.__slots__}, "choices": choices})

    def values(self) -> tuple[str, ...]:
        """The possible values that are in use, in their order."""
        return tuple(choice.value for choice in self.choices if choice.in_use)

    def definition(self) -> Definition:
        """What was said of it, to say some of it anew."""
        said = {name: getattr(self, name) for name in Definition.__slots__}
        return Definition(**{**said, "choices": self.values()})


def name_of(label: str) -> str:
    """The label with underscores for blanks, its case kept (contract v3.md 2.4)."""
    return re.sub(r"\s", "_", label.strip())


def key_of(label: str) -> str:
    """What makes two labels, or a label and a name, those of one field."""
    return name_of(label).lower()


def fitting(field: Field, value: str) -> str:
    """The value, neither empty nor blank, as it is stored in a field of this type: days as 2026-01-15, chosen values as
    the field spells them, booleans as true and false. Raises ValueNotAllowed.
    """
    return _fitting(field.label, field.type, field.values(), value)


def _fitting(label: str, type_: Type, values: Sequence[str], value: str) -> str:
    try:
        return _READ[type_](value, values)
    except ValueError as error:
        raise ValueNotAllowed(f"{label}: {error}") from None


def _anything(value: str, _: Sequence[str]) -> str:
    return value


def _day(value: str, _: Sequence[str]) -> str:
    text = value.strip()
    try:
        return (date.fromisoformat(text) if _EIGHT_DIGITS.fullmatch(text) else parse_day(text)).isoformat()
    except ValueError:
        raise ValueError("it must be a date such as 2026-01-15 or 20260115") from None


def _number(value: str, _: Sequence[str]) -> str:
    if not _NUMBER.fullmatch(value.strip()):
        raise ValueError("it must be a number")
    return value.strip().removeprefix("+")


def _boolean(value: str, _: Sequence[str]) -> str:
    known = {"true": "true", "1": "true", "yes": "true", "false": "false", "0": "false", "no": "false"}
    if value.strip().lower() not in known:
        raise ValueError("it must be true or false")
    return known[value.strip().lower()]


def _choice(value: str, values: Sequence[str]) -> str:
    if not values:
        return value
    spelled = {each.lower(): each for each in values}
    if value.strip().lower() not in spelled:
        raise ValueError(f"it must be one of {', '.join(values)}")
    return spelled[value.strip().lower()]


def _choices(value: str, values: Sequence[str]) -> str:
    chosen = (_choice(each.strip(), values) for each in value.split(COMMA) if each.strip())
    return COMMA.join(dict.fromkeys(chosen))


def _email(value: str, _: Sequence[str]) -> str:
    if not is_email(value.strip()):
        raise ValueError("it must be an e-mail address")
    return value.strip()


def _mobile(value: str, _: Sequence[str]) -> str:
    if not _PHONE_NUMBER.fullmatch(value.strip()):
        raise ValueError("it must be a phone number")
    return value.strip()


def _nothing(_: str, __: Sequence[str]) -> str:
    raise ValueError("it cannot be set")


_EIGHT_DIGITS = re.compile(r"\d{8}", re.ASCII)
_NUMBER = re.compile(r"[+-]?\d{1,30}(\.\d{1,30})?", re.ASCII)
_PHONE_NUMBER = re.compile(r"\+?[\d ()./-]{3,40}(?<=\d)", re.ASCII)

_READ: Mapping[Type, Callable[[str, Sequence[str]], str]] = MappingProxyType(
    {
        "string": _anything,
        "text": _anything,
        "date": _day,
        "number": _number,
        "boolean": _boolean,
        "choice": _choice,
        "choices": _choices,
        "email": _email,
        "mobile": _mobile,
        "address": _anything,
        "file": _anything,
        "static": _nothing,
    }
)


async def numbers(tx: Transaction) -> dict[str, int]:
    """The numbers of everybody's fields by name."""
    return {row["name"]: row["field_no"] for row in await tx.all("custom_fields")}


async def by_name(tx: Transaction) -> dict[str, Field]:
    """Everybody's fields by name."""
    return {row["name"]: Field.of(row) for row in await tx.all("custom_fields")}


async def ids(tx: Transaction) -> dict[int, UUID]:
    """The public ids of everybody's fields by field number."""
    return {row["field_no"]: row["field_id"] for row in await tx.all("custom_fields")}


async def by_id(tx: Transaction) -> dict[UUID, Field]:
    """Everybody's fields by public id."""
    return {row["field_id"]: Field.of(row) for row in await tx.all("custom_fields")}


async def page(tx: Transaction, *, limit: int, after_field_no: int = 0) -> list[Field]:
    """A page of everybody's fields in the order they were made."""
    return [Field.of(row) for row in await tx.all("page_of_fields", limit=limit, after_field_no=after_field_no)]


async def of_list(tx: Transaction, set_no: int) -> list[Field]:
    """The fields of a list's members, by position; those without one come last, in the order they were made."""
    return [Field.of(row) for row in await tx.all("fields_of_list", set_no=set_no)]


async def all_scopes(tx: Transaction) -> list[Field]:
    """Everybody's fields and those of all lists, by number."""
    return [Field.of(row) for row in await tx.all("fields_of_all_scopes")]


async def with_values(tx: Transaction) -> list[Field]:
    """Those of all scopes that have values of their own: that are not another name of a property."""
    return [field for field in await all_scopes(tx) if field.property is None]


async def page_of_all_scopes(
    tx: Transaction, *, limit: int, after_field_no: int = 0, set_no: int | None = None
) -> list[Field]:
    """A page of everybody's fields and those of all lists, or of one list, in the order they were made."""
    rows = await tx.all("page_of_all_scopes", limit=limit, after_field_no=after_field_no, set_no=set_no)
    return [Field.of(row) for row in rows]


async def find(tx: Transaction, field_id: UUID) -> Field:
    """The field of everybody. Raises NotFound."""
    row = await tx.one("custom_field", field_id=field_id)
    if row is None:
        raise _not_found(field_id)
    return Field.of(row)


async def find_number(tx: Transaction, field_no: int) -> Field:
    """The field of any scope. Raises NotFound."""
    rows = [row for row in await tx.all("fields_by_number", field_nos=[field_no]) if row["deleted_at"] is None]
    if not rows:
        raise _not_found(field_no)
    return Field.of(rows[0])


async def numbers_of(tx: Transaction, field_ids: Sequence[UUID]) -> list[int]:
    """The numbers of fields of everybody, ascending. Raises UnknownTarget, naming the first id that is not one."""
    known = await by_id(tx)
    for field_id in field_ids:
        if field_id not in known:
            raise UnknownTarget(f"custom field {field_id} does not exist")
    return sorted({known[field_id].field_no for field_id in field_ids})


async def create(tx: Transaction, said: Definition, *, most: int | None = None) -> Field:
    """A new field.

    Raises NameTaken, UnknownTarget when there is no such list, and Invalid for a definition that makes no sense or when
    there are `most` fields of the same scope.
    """
    _insist_on_sense(said)
    await tx.all("lock_names")
    await catalog.lock(tx, () if said.set_no is None else (said.set_no,))
    row = await tx.one("create_field", **_columns(said, ()))
    if row is None:
        raise _taken(said)
    # Only now: the account's row is locked, so nobody else makes one.
    if most is not None and await tx.value("count_fields", set_no=said.set_no) > most:
        raise Invalid(f"the account has {most} custom fields already, as many as it may have")
    return Field.of(row)


async def change(tx: Transaction, field_no: int, said_anew: Callable[[Field], Definition]) -> Field:
    """Defines a field anew, as follows from what it is; values that it has stay as they are.

    Raises NotFound, NameTaken, UnknownTarget, Invalid, and what `said_anew` raises.
    """
    await tx.all("lock_names")
    found = await find_number(tx, field_no)
    said = said_anew(found)
    _insist_on_sense(said)
    await catalog.lock(tx, () if said.set_no is None else (said.set_no,))
    try:
        row = await tx.one("change_field", field_no=field_no, **_columns(said, found.choices))
    except asyncpg.UniqueViolationError:
        raise _taken(said) from None
    if row is None:
        raise _not_found(field_no)
    return Field.of(row)


async def delete(tx: Transaction, field_nos: Sequence[int]) -> set[int]:
    """Marks fields as deleted; answers the numbers of those that were not yet."""
    return {row["field_no"] for row in await tx.all("delete_fields", field_nos=field_nos)}


async def delete_of_lists(tx: Transaction, set_nos: Sequence[int]) -> tuple[int, ...]:
    """Marks the fields of lists as deleted, whose rows are locked; their numbers."""
    return tuple(sorted(row["field_no"] for row in await tx.all("delete_fields_of_lists", set_nos=set_nos)))


async def gone_errors(tx: Transaction, field_nos: Iterable[int]) -> list[ItemError]:
    """What is reported of fields that were deleted before it was their turn."""
    return [
        ItemError(str(row["field_id"]), "custom_field_deleted", "the custom field was deleted")
        for row in await tx.all("fields_by_number", field_nos=sorted(field_nos))
    ]


def _insist_on_sense(said: Definition) -> None:
    """Raises Invalid when two possible values are one, or one is several, or the default is none of them, or nothing is
    chosen; or when what everybody has already is to have another name for everybody.
    """
    if said.property is not None and said.set_no is None:
        raise Invalid(f"{said.label} can be another name of a property as the field of a list only")
    if said.choices and said.type not in CHOOSING:
        types = " and ".join(sorted(CHOOSING))
        raise Invalid(f"{said.label} is of type {said.type}: only fields of type {types} have choices")
    keys = [value.strip().lower() for value in said.choices]
    if len(set(keys)) < len(keys) or not all(keys) or any(COMMA in key for key in keys):
        raise Invalid(f"choices of {said.label} must differ, be filled and hold no comma")
    if said.default_value:
        _fitting(said.label, said.type, said.choices, said.default_value)


def _columns(said: Definition, before: Sequence[Choice]) -> dict[str, object]:
    """The row's columns. before: the choices so far."""
    chosen = [asdict(choice) for choice in _numbered(said.choices, before)]
    name = name_of(said.label)
    return {
        **asdict(said),
        "name": name,
        "name_key": name.lower(),
        "choices": json.dumps(chosen) if chosen else None,
    }


def _numbered(values: Sequence[str], before: Sequence[Choice]) -> list[Choice]:
    """The possible values under their numbers, then those that are not in use any more."""
    known = {choice.value.lower(): choice.choice_no for choice in before}
    last = max(known.values(), default=0)
    for value in values:
        if value.strip().lower() not in known:
            known[value.strip().lower()] = last = last + 1
    in_use = [Choice(known.pop(value.strip().lower()), value.strip()) for value in values]
    return in_use + [Choice(each.choice_no, each.value, in_use=False) for each in before if each.value.lower() in known]


def _not_found(which: UUID | int) -> NotFound:
    return NotFound(f"there is no custom field {which}")


def _taken(said: Definition) -> NameTaken:
    whose = "this list" if said.set_no else "this account"
    return NameTaken(f"another custom field of {whose} is named {name_of(said.label)!r}")
