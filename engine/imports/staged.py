"""Imports that are put together piece by piece: contacts are staged, some at a time, and then saved by an activity
(engine/operations/staged_import.py).
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

import asyncpg

from engine.activities.model import json_text
from engine.database import Transaction
from engine.errors import Conflict, NotFound

#: Contacts that one import may have.
MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class StagedImport:
    """An import of contacts of a list. activity_id: None until it has begun."""

    import_no: int
    set_no: int
    field_nos: tuple[int, ...]
    activity_id: UUID | None
    parts: int
    contacts: int
    invalid_emails: int
    invalid_mobiles: int

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(**{name: row[name] for name in cls.__slots__} | {"field_nos": tuple(row["field_nos"])})


@dataclass(frozen=True, slots=True)
class StagedContact:
    """What is said of a contact: values by number of the field, of which None clears.

    contact_no: whom it means; None when that is not said, 0 when it is nobody.
    """

    values: Mapping[int, str | None]
    contact_no: int | None = None

    def as_json(self) -> Mapping[str, Any]:
        return {"values": dict(self.values), "contact_no": self.contact_no}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Self:
        return cls({int(field_no): value for field_no, value in stored["values"].items()}, stored["contact_no"])


async def create(tx: Transaction, set_no: int, field_nos: Sequence[int]) -> StagedImport:
    """A new import of contacts of the list, with values of these fields."""
    row = await tx.one("create_staged_import", set_no=set_no, field_nos=list(field_nos))
    assert row is not None
    return StagedImport.of(row)


async def find(tx: Transaction, import_no: int) -> StagedImport:
    """The import. Raises NotFound."""
    row = await tx.one("staged_import", import_no=import_no)
    if row is None:
        raise NotFound(f"there is no import {import_no}")
    return StagedImport.of(row)


async def add(
    tx: Transaction, import_no: int, contacts: Sequence[StagedContact], *, invalid_emails: int, invalid_mobiles: int
) -> None:
    """Stages contacts. Raises Conflict when the import has begun, or would have more than MOST."""
    part = await tx.value(
        "count_staged_part",
        import_no=import_no,
        contacts=len(contacts),
        invalid_emails=invalid_emails,
        invalid_mobiles=invalid_mobiles,
        most=MOST,
    )
    if part is None:
        raise await _why_not_added(tx, import_no)
    staged = await asyncio.to_thread(_text, contacts)
    await tx.run("add_staged_part", import_no=import_no, part=part, staged=staged)


async def _why_not_added(tx: Transaction, import_no: int) -> Conflict:
    if (await find(tx, import_no)).activity_id is not None:
        return Conflict(f"import {import_no} has begun already")
    return Conflict(f"import {import_no} would have more than {MOST:,} contacts")


def _text(contacts: Sequence[StagedContact]) -> str:
    """Contact by contact: whoever writes JSON holds all threads up."""
    return f"[{','.join(json_text(each.as_json()) for each in contacts)}]"


async def part(tx: Transaction, import_no: int, number: int) -> list[StagedContact]:
    """The contacts of one piece, by its number from 1; none when it is pruned."""
    stored = await tx.value("staged_part", import_no=import_no, part=number)
    return [] if stored is None else [StagedContact.from_json(each) for each in json.loads(stored)]


async def prune(tx: Transaction, *, retention_days: int, limit: int) -> int:
    """Deletes some of the imports that are past the retention time; answers how many."""
    rows = await tx.all("old_staged_imports", retention_days=retention_days, limit=limit)
    import_nos = [row["import_no"] for row in rows]
    if import_nos:
        await tx.run("prune_staged_contacts", import_nos=import_nos)
        await tx.run("prune_staged_imports", import_nos=import_nos)
    return len(import_nos)
