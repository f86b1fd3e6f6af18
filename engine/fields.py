"""Custom fields of an account's contacts. Values lie in the contact row, by field number.

A deleted field's number is never used again: values that are left of it are nobody's, and nobody sees them.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

import asyncpg

from engine.database import Transaction
from engine.errors import Invalid, ItemError, NameTaken, NotFound, UnknownTarget

Type = Literal["string", "date"]


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

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(**{name: row[name] for name in cls.__slots__})


def name_of(label: str) -> str:
    """The label with underscores for blanks, its case kept (contract v3.md 2.4)."""
    return re.sub(r"\s", "_", label.strip())


async def numbers(tx: Transaction) -> dict[str, int]:
    """The field numbers by name."""
    return {row["name"]: row["field_no"] for row in await tx.all("custom_fields")}


async def by_name(tx: Transaction) -> dict[str, Field]:
    """The account's fields by name."""
    return {row["name"]: Field.of(row) for row in await tx.all("custom_fields")}


async def ids(tx: Transaction) -> dict[int, UUID]:
    """The public ids by field number."""
    return {row["field_no"]: row["field_id"] for row in await tx.all("custom_fields")}


async def by_id(tx: Transaction) -> dict[UUID, Field]:
    """The account's fields by public id."""
    return {row["field_id"]: Field.of(row) for row in await tx.all("custom_fields")}


async def page(tx: Transaction, *, limit: int, after_field_no: int = 0) -> list[Field]:
    """A page of fields in the order they were made."""
    return [Field.of(row) for row in await tx.all("page_of_fields", limit=limit, after_field_no=after_field_no)]


async def find(tx: Transaction, field_id: UUID) -> Field:
    """The field. Raises NotFound."""
    row = await tx.one("custom_field", field_id=field_id)
    if row is None:
        raise _not_found(field_id)
    return Field.of(row)


async def numbers_of(tx: Transaction, field_ids: Sequence[UUID]) -> list[int]:
    """The numbers of fields, ascending. Raises UnknownTarget, naming the first id that is not one."""
    known = await by_id(tx)
    for field_id in field_ids:
        if field_id not in known:
            raise UnknownTarget(f"custom field {field_id} does not exist")
    return sorted({known[field_id].field_no for field_id in field_ids})


async def create(tx: Transaction, label: str, type: Type, *, most: int) -> Field:  # noqa: A002 (as it is called)
    """A new field. Raises NameTaken, and Invalid when the account has `most` of them."""
    name = name_of(label)
    await tx.all("lock_names")
    row = await tx.one("create_field", label=label, name=name, name_key=name.lower(), type=type)
    if row is None:
        raise _taken(name)
    # Only now: the account's row is locked, so nobody else makes one.
    if await tx.value("count_fields") > most:
        raise Invalid(f"the account has {most} custom fields already, as many as it may have")
    return Field.of(row)


async def change(tx: Transaction, field_id: UUID, label: str, type: Type) -> Field:  # noqa: A002
    """Gives the field another label, and with it another name.

    Raises NotFound, NameTaken, and Invalid for another type.
    """
    name = name_of(label)
    await tx.all("lock_names")
    found = await find(tx, field_id)
    if found.type != type:
        raise Invalid(f"type cannot be changed: this custom field is of type {found.type}")
    try:
        row = await tx.one("change_field", field_id=field_id, label=label, name=name, name_key=name.lower())
    except asyncpg.UniqueViolationError:
        raise _taken(name) from None
    if row is None:
        raise _not_found(field_id)
    return Field.of(row)


async def delete(tx: Transaction, field_nos: Sequence[int]) -> set[int]:
    """Marks fields as deleted; answers the numbers of those that were not yet."""
    return {row["field_no"] for row in await tx.all("delete_fields", field_nos=field_nos)}


async def gone_errors(tx: Transaction, field_nos: Iterable[int]) -> list[ItemError]:
    """What is reported of fields that were deleted before it was their turn."""
    return [
        ItemError(str(row["field_id"]), "custom_field_deleted", "the custom field was deleted")
        for row in await tx.all("fields_by_number", field_nos=sorted(field_nos))
    ]


def _not_found(field_id: UUID) -> NotFound:
    return NotFound(f"there is no custom field {field_id}")


def _taken(name: str) -> NameTaken:
    return NameTaken(f"another custom field of this account is named {name!r}")
