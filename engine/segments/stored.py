"""Segments as an account keeps them, and their criteria resolved to what exists now."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self
from uuid import UUID

import asyncpg

from engine import fields, segments
from engine.database import Transaction
from engine.errors import Invalid, NameTaken, NotFound, UnknownTarget
from engine.segments import CustomField, Names
from engine.sets import catalog
from engine.sets.catalog import SetKind, name_key
from engine.sets.expressions import Expression
from engine.tracking import campaigns

Order = Literal["name", "date"]


@dataclass(frozen=True, slots=True)
class Segment:
    """A stored segment; `criteria` is the text as it was given."""

    segment_id: int
    name: str
    criteria: str
    created_at: datetime
    edited_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(**{name: row[name] for name in cls.__slots__})


async def create(tx: Transaction, name: str, criteria: str, *, most: int | None = None) -> Segment:
    """A new segment. Raises InvalidSegment, NameTaken, and Invalid when the account has `most` of them."""
    await resolve(tx, criteria)
    await tx.all("lock_names")
    row = await tx.one("create_segment", name=name, name_key=name_key(name), criteria=criteria)
    if row is None:
        raise _taken(name)
    # Only now: the account's row is locked, so nobody else makes one.
    if most is not None and await tx.value("count_segments") > most:
        raise Invalid(f"the account has {most} segments already, as many as it may have")
    return Segment.of(row)


async def change(tx: Transaction, segment_id: int, name: str, criteria: str) -> Segment:
    """Gives a living segment another name and other criteria. Raises InvalidSegment, NameTaken, and NotFound."""
    await resolve(tx, criteria)
    return await _change(tx, segment_id, name, criteria)


async def rename(tx: Transaction, segment_id: int, name: str) -> Segment:
    """Gives a living segment another name. Raises NameTaken, and NotFound."""
    return await _change(tx, segment_id, name, None)


async def delete(tx: Transaction, segment_id: int) -> None:
    """Marks a segment as deleted, which frees its name. Raises NotFound when it is no living one."""
    if not await tx.run("delete_segment", segment_id=segment_id):
        raise _not_found(segment_id)


async def find(tx: Transaction, segment_id: int) -> Segment:
    """The segment, also a deleted one. Raises NotFound."""
    row = await tx.one("segment", segment_id=segment_id)
    if row is None:
        raise _not_found(segment_id)
    return Segment.of(row)


@dataclass(frozen=True, slots=True)
class Place:
    """A segment's place in either order."""

    segment_id: int
    name: str
    edited_at: datetime


async def page(tx: Transaction, *, limit: int, order: Order = "date", after: Place | None = None) -> list[Segment]:
    """Living segments: by name ascending, or the most recently edited first."""
    rows = await tx.all(
        "page_of_segments",
        limit=limit,
        by_name=order == "name",
        after_name=name_key(after.name) if after and order == "name" else None,
        after_edited=after.edited_at if after and order == "date" else None,
        after_id=after.segment_id if after else None,
    )
    return [Segment.of(row) for row in rows]


async def criteria_of(tx: Transaction, segment_id: int) -> str:
    """The criteria of a living segment, as its activity freezes them. Raises UnknownTarget."""
    row = await tx.one("segment", segment_id=segment_id)
    if row is None or row["deleted_at"] is not None:
        raise UnknownTarget(f"segment {segment_id} does not exist")
    return str(row["criteria"])


async def resolve(tx: Transaction, criteria: str) -> Expression:
    """Whom the criteria mean now. Lists, tags, fields and campaigns that do not exist match nobody."""
    tree = segments.parse(criteria)
    mentioned = segments.mentions(tree)
    names = Names(
        lists=await _numbers(tx, SetKind.LIST, mentioned.lists),
        tags=await _numbers(tx, SetKind.TAG, mentioned.tags),
        fields=await _fields(tx) if mentioned.fields else {},
        campaigns=await campaigns.tracked(tx, mentioned.campaigns),
    )
    return segments.compile(tree, names)


async def _change(tx: Transaction, segment_id: int, name: str, criteria: str | None) -> Segment:
    """Without criteria they stay."""
    await tx.all("lock_names")
    try:
        row = await tx.one(
            "change_segment", segment_id=segment_id, name=name, name_key=name_key(name), criteria=criteria
        )
    except asyncpg.UniqueViolationError:
        raise _taken(name) from None
    if row is None:
        raise _not_found(segment_id)
    return Segment.of(row)


def _not_found(segment_id: int) -> NotFound:
    return NotFound(f"there is no segment {segment_id}")


def _taken(name: str) -> NameTaken:
    return NameTaken(f"another segment of this account is named {name.strip()!r}")


async def _numbers(tx: Transaction, kind: SetKind, set_ids: frozenset[UUID]) -> dict[UUID, int]:
    found = await catalog.by_ids(tx, kind, set_ids) if set_ids else {}
    return {set_id: named.set_no for set_id, named in found.items()}


async def _fields(tx: Transaction) -> dict[str, CustomField]:
    """The account's custom fields, each by its id and by its name, in lower case."""
    return {
        name: CustomField(field.field_no, "date" if field.type == "date" else "string")
        for field in (await fields.by_id(tx)).values()
        for name in (str(field.field_id), fields.key_of(field.label))
    }
