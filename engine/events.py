"""Events of an account. Who is invited to one is in its set; what comes back of it is in engine/invitations.py."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

import asyncpg

from engine.database import Transaction
from engine.errors import EventClosed, Invalid, NotFound
from engine.sets import catalog
from engine.sets.catalog import LARGEST_SET_NO, SetKind


@dataclass(frozen=True, slots=True)
class Details:
    """What is said of an event. code: what its organizers call it."""

    name: str
    code: str | None = None
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Event:
    """What people are invited to. `set_no` is its number and its set's."""

    set_no: int
    set_id: UUID
    name: str
    code: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    cancelled_at: datetime | None
    member_count: int
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(**{name: row[name] for name in cls.__slots__})

    def insist_on_open(self, now: datetime) -> None:
        """Raises EventClosed when it is cancelled or over; one that has no end is over when it begins."""
        if self.cancelled_at is not None:
            raise EventClosed(f"event {self.set_no} is cancelled")
        end = self.ends_at or self.starts_at
        if end is not None and end < now:
            raise EventClosed(f"event {self.set_no} is over")


async def create(tx: Transaction, said: Details) -> Event:
    """A new event with nobody invited. Raises NameTaken, and Invalid when it would end before it begins."""
    _insist_on_order(said)
    made = await catalog.create(tx, SetKind.EVENT, said.name)
    return await _written(tx, made.set_no, said)


async def change(tx: Transaction, set_no: int, said: Details) -> Event:
    """Says all of an event anew. Raises NotFound, NameTaken and Invalid."""
    _insist_on_order(said)
    found = await find_number(tx, set_no)
    await catalog.change(tx, SetKind.EVENT, found.set_id, said.name)
    return await _written(tx, set_no, said)


async def cancel(tx: Transaction, set_no: int) -> Event:
    """Calls the event off, once and for all; who is invited stays so. Raises NotFound."""
    await find_number(tx, set_no)
    await tx.run("cancel_event", set_no=set_no)
    return await find_number(tx, set_no)


async def find_number(tx: Transaction, set_no: int) -> Event:
    """The event with this number. Raises NotFound."""
    found = await by_numbers(tx, [set_no])
    if set_no not in found:
        raise _no_event(set_no)
    return found[set_no]


async def find_open(tx: Transaction, set_no: int) -> Event:
    """The event with this number, if people may be invited and answer now. Raises NotFound and EventClosed.

    Nobody is put into its set or taken out of it until the transaction ends: the set's row is locked FOR SHARE.
    """
    row = await tx.one("lock_event", set_no=set_no) if 0 < set_no <= LARGEST_SET_NO else None
    if row is None:
        raise _no_event(set_no)
    event = Event.of(row)
    event.insist_on_open(row["now"])
    return event


async def by_numbers(tx: Transaction, set_nos: Iterable[int]) -> dict[int, Event]:
    """The events with these numbers, ascending; numbers of nothing, and of any size, are left out."""
    asked = sorted({set_no for set_no in set_nos if 0 < set_no <= LARGEST_SET_NO})
    rows = await tx.all("events_by_number", set_nos=asked) if asked else ()
    return {row["set_no"]: Event.of(row) for row in rows}


async def page(tx: Transaction, *, limit: int, after_set_no: int = 0) -> list[Event]:
    """A page of events in the order they were made."""
    return [Event.of(row) for row in await tx.all("page_of_events", limit=limit, after_set_no=after_set_no)]


async def _written(tx: Transaction, set_no: int, said: Details) -> Event:
    await tx.run("write_event", set_no=set_no, code=said.code, starts_at=said.starts_at, ends_at=said.ends_at)
    return await find_number(tx, set_no)


def _insist_on_order(said: Details) -> None:
    if said.starts_at is not None and said.ends_at is not None and said.ends_at < said.starts_at:
        raise Invalid("ends_at does not have a valid value: the event would end before it begins")


def _no_event(set_no: int) -> NotFound:
    return NotFound(f"there is no event {set_no}")
