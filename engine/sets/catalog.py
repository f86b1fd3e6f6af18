"""The named sets of an account: its lists and tags. What is in them is membership's business."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal, Self
from uuid import UUID

import asyncpg

from engine.database import Transaction
from engine.errors import Invalid, NameTaken, UnknownTarget
from engine.sets import system

Status = Literal["all", "active", "deleted"]


class SetKind(StrEnum):
    """What a named set is to its users."""

    LIST = "list"
    TAG = "tag"


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A list or a tag. `member_count` counts every member, mailable or not."""

    set_no: int
    set_id: UUID
    kind: SetKind
    name: str
    description: str | None
    favorite: bool
    source: str | None
    member_count: int
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(**{**{name: row[name] for name in cls.__slots__}, "kind": SetKind(row["kind"])})


def name_key(name: str) -> str:
    """What makes two names one: names are compared trimmed and without case (contract v3.md 2.3, 6.23)."""
    return name.strip().lower()


async def create_system_sets(tx: Transaction) -> None:
    """Makes the sets that every account has."""
    await tx.run("create_system_sets", set_nos=list(system.STORED), names=list(system.STORED.values()))


async def create(
    tx: Transaction,
    kind: SetKind,
    name: str,
    *,
    description: str | None = None,
    favorite: bool = False,
    source: str | None = None,
    most: int | None = None,
) -> NamedSet:
    """A new, empty list or tag. Raises NameTaken, and Invalid when the account has `most` of its kind."""
    if most is not None and await count(tx, kind) >= most:
        raise Invalid(f"the account has {most} {kind}s already, as many as it may have")
    row = await tx.one(
        "create_set",
        kind=kind,
        name=name,
        name_key=name_key(name),
        description=description,
        favorite=favorite,
        source=source,
    )
    if row is None:
        raise NameTaken(f"another {kind} of this account is named {name.strip()!r}")
    return NamedSet.of(row)


async def by_ids(tx: Transaction, kind: SetKind, set_ids: Iterable[UUID]) -> dict[UUID, NamedSet]:
    """The living sets with these ids; ids that are unknown, deleted or of another account are left out."""
    rows = await tx.all("sets_by_id", kind=kind, set_ids=list(set_ids))
    return {row["set_id"]: NamedSet.of(row) for row in rows}


async def numbers(tx: Transaction, kind: SetKind, set_ids: Sequence[UUID]) -> tuple[int, ...]:
    """The numbers of living sets, ascending. Raises UnknownTarget, naming the first id that is not one."""
    rows = await tx.all("set_numbers", kind=kind, set_ids=set_ids)
    if len(rows) != len(set(set_ids)):
        known = {row["set_id"] for row in rows}
        raise UnknownTarget(f"{kind} {next(i for i in set_ids if i not in known)} does not exist")
    return tuple(row["set_no"] for row in rows)


async def page(
    tx: Transaction,
    kind: SetKind,
    *,
    limit: int,
    after_set_no: int = 0,
    name: str | None = None,
    status: Status = "active",
) -> list[NamedSet]:
    """A page of lists or tags in the order they were made."""
    rows = await tx.all(
        "page_of_sets",
        kind=kind,
        limit=limit,
        after_set_no=after_set_no,
        name_key=None if name is None else name_key(name),
        status=status,
    )
    return [NamedSet.of(row) for row in rows]


async def count(tx: Transaction, kind: SetKind, *, name: str | None = None, status: Status = "active") -> int:
    """How many lists or tags there are."""
    key = None if name is None else name_key(name)
    return int(await tx.value("count_sets", kind=kind, name_key=key, status=status))


async def active_counts(tx: Transaction, set_nos: Sequence[int]) -> Mapping[int, int]:
    """How many members of each set are mailable."""
    rows = await tx.all("active_member_counts", set_nos=set_nos)
    return dict.fromkeys(set_nos, 0) | {row["set_no"]: row["member_count"] for row in rows}
