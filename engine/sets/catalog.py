"""The named sets of an account: its lists, tags, companies and events. What is in them is membership's business."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Literal, Self
from uuid import UUID

import asyncpg

from engine.database import Transaction
from engine.errors import Invalid, NameTaken, NotFound, UnknownTarget
from engine.sets import system

Status = Literal["all", "active", "deleted"]

#: Set numbers are int32.
LARGEST_SET_NO = 2**31 - 1


class SetKind(StrEnum):
    """What a named set is to its users."""

    LIST = "list"
    TAG = "tag"
    COMPANY = "company"
    EVENT = "event"

    @property
    def plural(self) -> str:
        return "companies" if self is SetKind.COMPANY else f"{self}s"


@dataclass(frozen=True, slots=True)
class NamedSet:
    """A list, a tag, a company or an event. `member_count` counts every member, mailable or not.

    abbreviation: of a tag; details: further properties by name, as the dialect that gave them calls them.
    """

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
    abbreviation: str | None = None
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        stored = {name: row[name] for name in cls.__slots__}
        return cls(**{**stored, "kind": SetKind(row["kind"]), "details": json.loads(row["details"] or "{}")})


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
    details: Mapping[str, Any] | None = None,
    most: int | None = None,
) -> NamedSet:
    """A new, empty set. Raises NameTaken, and Invalid without a name or when the account has `most` of its kind."""
    if not name.strip():
        raise Invalid(f"{kind.plural} need a name")
    key = {"kind": kind, "name_key": name_key(name)}
    await tx.all("lock_names")
    # Waited for before the account's row is locked: whoever changes that set's members wants to have it, too, at last.
    if await tx.one("set_of_name", **key):
        raise _taken(kind, name)
    row = await tx.one(
        "create_set",
        name=name,
        description=description,
        favorite=favorite,
        source=source,
        details=_json(details),
        **key,
    )
    assert row is not None
    await _insist_on_room(tx, kind, most)
    return NamedSet.of(row)


async def create_all(
    tx: Transaction, kind: SetKind, names: Mapping[str, str], *, most: int | None = None
) -> dict[str, NamedSet]:
    """New sets with these names, in the order given, by name key as they are given. The names are locked, and free.

    Locks the account's row, after which nothing may be waited for. Raises Invalid when the account would have more than
    `most` of their kind.
    """
    rows = await tx.all("create_sets", kind=kind, names=list(names.values()), name_keys=list(names))
    await _insist_on_room(tx, kind, most)
    return {row["name_key"]: NamedSet.of(row) for row in rows}


async def _insist_on_room(tx: Transaction, kind: SetKind, most: int | None) -> None:
    """Raises Invalid when there are more. Asked once they are made: then the account's row is locked."""
    if most is not None and await count(tx, kind) > most:
        raise Invalid(f"the account has {most} {kind.plural} already, as many as it may have")


async def change(
    tx: Transaction, kind: SetKind, set_id: UUID, name: str, *, description: str | None = None, favorite: bool = False
) -> NamedSet:
    """Gives a set this name, description and mark, none where none is said. Raises NotFound, and NameTaken."""
    await tx.all("lock_names")
    try:
        row = await tx.one(
            "change_set",
            kind=kind,
            set_id=set_id,
            name=name,
            name_key=name_key(name),
            description=description,
            favorite=favorite,
        )
    except asyncpg.UniqueViolationError:
        raise _taken(kind, name) from None
    return _there(row, kind, set_id)


async def rename(tx: Transaction, named: NamedSet, name: str) -> NamedSet:
    """Gives a set another name; all else of it stays. Raises NotFound, and NameTaken."""
    return await change(tx, named.kind, named.set_id, name, description=named.description, favorite=named.favorite)


async def abbreviate(tx: Transaction, kind: SetKind, set_id: UUID, abbreviation: str | None) -> NamedSet:
    """Gives a set another abbreviation, or none. Raises NotFound."""
    row = await tx.one("abbreviate_set", kind=kind, set_id=set_id, abbreviation=abbreviation)
    return _there(row, kind, set_id)


async def describe(tx: Transaction, kind: SetKind, set_id: UUID, details: Mapping[str, Any]) -> NamedSet:
    """Gives a set these details instead of those that it had. Raises NotFound."""
    row = await tx.one("describe_set", kind=kind, set_id=set_id, details=_json(details))
    return _there(row, kind, set_id)


async def find(tx: Transaction, kind: SetKind, set_id: UUID) -> NamedSet:
    """The living set. Raises NotFound."""
    found = await by_ids(tx, kind, [set_id])
    if set_id not in found:
        raise _not_found(kind, set_id)
    return found[set_id]


async def find_number(tx: Transaction, kind: SetKind, set_no: int) -> NamedSet:
    """The living set with this number. Raises NotFound."""
    found = await by_numbers(tx, kind, [set_no])
    if set_no not in found:
        raise _not_found(kind, set_no)
    return found[set_no]


async def by_numbers(tx: Transaction, kind: SetKind, set_nos: Iterable[int]) -> dict[int, NamedSet]:
    """The living sets with these numbers, ascending; numbers of others, and of any size, are left out."""
    asked = sorted({set_no for set_no in set_nos if 0 < set_no <= LARGEST_SET_NO})
    rows = await tx.all("sets_by_number", set_nos=asked) if asked else ()
    return {row["set_no"]: NamedSet.of(row) for row in rows if row["kind"] == kind and row["deleted_at"] is None}


async def by_names(tx: Transaction, kind: SetKind, names: Iterable[str]) -> dict[str, NamedSet]:
    """The living sets with these names, by name key; names that are nobody's are left out."""
    name_keys = sorted(set(map(name_key, names)))
    rows = await tx.all("sets_by_name", kind=kind, name_keys=name_keys) if name_keys else ()
    return {row["name_key"]: NamedSet.of(row) for row in rows}


async def kinds_of(tx: Transaction, set_nos: Iterable[int]) -> dict[int, SetKind]:
    """What these numbers are; those of no living list, tag, company or event are left out."""
    rows = await tx.all("sets_by_number", set_nos=[set_no for set_no in set_nos if 0 < set_no <= LARGEST_SET_NO])
    kinds = frozenset(SetKind)
    return {row["set_no"]: SetKind(row["kind"]) for row in rows if row["deleted_at"] is None and row["kind"] in kinds}


def insist_on_kinds(kinds: Mapping[int, SetKind], set_nos: Iterable[int]) -> None:
    """Raises UnknownTarget unless each number is among those of which `kinds_of` has told what they are."""
    for set_no in set_nos:
        if set_no not in kinds:
            raise UnknownTarget(f"there is no list, tag, company or event {set_no}")


async def everyone_of(tx: Transaction, kind: SetKind) -> list[NamedSet]:
    """All living sets of the kind, by number."""
    return [NamedSet.of(row) for row in await tx.all("sets_of_kind", kind=kind)]


async def by_ids(tx: Transaction, kind: SetKind, set_ids: Iterable[UUID]) -> dict[UUID, NamedSet]:
    """The living sets with these ids; ids that are unknown, deleted or of another account are left out."""
    rows = await tx.all("sets_by_id", kind=kind, set_ids=list(set_ids))
    return {row["set_id"]: NamedSet.of(row) for row in rows}


async def numbers(tx: Transaction, kind: SetKind, set_ids: Sequence[UUID]) -> tuple[int, ...]:
    """The numbers of sets, ascending. Raises UnknownTarget, naming the first id that is not one."""
    return tuple(sorted((await numbered(tx, kind, set_ids)).values()))


async def numbered(tx: Transaction, kind: SetKind, set_ids: Sequence[UUID]) -> dict[UUID, int]:
    """The numbers of sets by id. Raises UnknownTarget, naming the first id that is not one.

    A set that the process has met before is not looked for again (engine/sets/known.py).
    """
    found = {set_id: tx.known_sets.number(tx.account_id, kind, set_id) for set_id in set_ids}
    if None in found.values():
        rows = await tx.all("set_numbers", kind=kind, set_ids=list(found))
        found = dict.fromkeys(found) | {row["set_id"]: row["set_no"] for row in rows}
    return {set_id: _known(tx, kind, set_id, set_no) for set_id, set_no in found.items()}


async def lock(tx: Transaction, set_nos: Collection[int]) -> None:
    """Locks sets that are to be written, ascending. Raises UnknownTarget when one is gone, as `insist_on` does."""
    if set_nos and len(await tx.all("lock_sets", set_nos=sorted(set_nos))) < len(set_nos):
        await insist_on(tx, set_nos)


async def insist_on(tx: Transaction, set_nos: Iterable[int]) -> None:
    """Raises UnknownTarget when one of these remembered sets was deleted, or is not the one remembered.

    The latter is when the database was restored to an earlier state; nothing is remembered after it.
    """
    rows = {row["set_no"]: row for row in await tx.all("sets_by_number", set_nos=list(set_nos))}
    for set_no in set_nos:
        set_id, row = tx.known_sets.set_id(tx.account_id, set_no), rows.get(set_no)
        if row is None or (set_id and row["set_id"] != set_id):
            tx.known_sets.forget()
            raise _unknown("list or tag", set_id or set_no) if row is None else _unknown(row["kind"], set_id)
        if row["deleted_at"] is not None:
            tx.known_sets.drop(tx.account_id, row["kind"], row["set_id"])
            raise _unknown(row["kind"], row["set_id"])


def _known(tx: Transaction, kind: SetKind, set_id: UUID, set_no: int | None) -> int:
    if set_no is None:
        raise _unknown(kind, set_id)
    tx.known_sets.remember(tx.account_id, kind, set_id, set_no)
    return set_no


def _json(details: Mapping[str, Any] | None) -> str | None:
    return json.dumps(dict(details)) if details else None


def _there(row: asyncpg.Record | None, kind: SetKind, set_id: UUID) -> NamedSet:
    if row is None:
        raise _not_found(kind, set_id)
    return NamedSet.of(row)


def _not_found(kind: SetKind, which: UUID | int) -> NotFound:
    return NotFound(f"there is no {kind} {which}")


def _taken(kind: SetKind, name: str) -> NameTaken:
    return NameTaken(f"another {kind} of this account is named {name.strip()!r}")


def _unknown(kind: str, which: UUID | int | None) -> UnknownTarget:
    return UnknownTarget(f"{kind} {which} does not exist")


async def page(
    tx: Transaction,
    kind: SetKind,
    *,
    limit: int,
    after_set_no: int = 0,
    name: str | None = None,
    status: Status = "active",
) -> list[NamedSet]:
    """A page of the sets of a kind in the order they were made."""
    rows = await tx.all(
        "page_of_sets",
        kind=kind,
        limit=limit,
        after_set_no=after_set_no,
        name=name,
        status=status,
    )
    return [NamedSet.of(row) for row in rows]


async def count(tx: Transaction, kind: SetKind, *, name: str | None = None, status: Status = "active") -> int:
    """How many sets of the kind there are."""
    return int(await tx.value("count_sets", kind=kind, name=name, status=status))


async def active_counts(tx: Transaction, set_nos: Sequence[int]) -> Mapping[int, int]:
    """How many members of each set are mailable."""
    rows = await tx.all("active_member_counts", set_nos=set_nos)
    return dict.fromkeys(set_nos, 0) | {row["set_no"]: row["member_count"] for row in rows}
