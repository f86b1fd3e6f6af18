"""Finding contacts: by what is said of one, and however many there are in an order, page by page or all of them."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from itertools import islice
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

import asyncpg

from engine.contacts import reading
from engine.contacts.reading import Contact
from engine.database import Database, Transaction
from engine.emails import email_key
from engine.sets import expressions, ordering
from engine.sets import reading as sets
from engine.sets.chunks import as_integer
from engine.sets.expressions import EVERYBODY, Expression, Intersection, Matching
from engine.sets.ordering import Order
from engine.sets.predicates import (
    AllOf,
    Column,
    Comparison,
    Not,
    Number,
    OneOf,
    Predicate,
    Present,
    Sign,
    Text,
)
from engine.texts import can_be_stored

#: Contacts that are found faster by their numbers than by going through all those of their chunks.
FEW = 10_000
#: Contacts of a stream that are read at once: the more, the less often is paid what a page from all chunks costs.
BATCH = 2000
#: Seconds that sorting the contacts of a stream may take.
SORT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Criteria:
    """What is said of a contact; all of it holds, and what is None is not said.

    Names and address are compared whole, trimmed and without case. An empty one says that the contact has none. Names
    alone are looked for in all contacts: for many of them there is `named`.
    """

    contact_no: int | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None

    def expression(self) -> Expression:
        """The contacts, not deleted, of whom this is true: everybody if nothing is said."""
        said = self._predicates()
        return Intersection((Matching(AllOf(tuple(said))), EVERYBODY)) if said else EVERYBODY

    def _predicates(self) -> list[Predicate]:
        said: list[Predicate] = []
        if self.contact_no is not None:
            said.append(Number(Sign.EQUAL, self.contact_no))
        if self.email is not None:
            said.append(_has_email(self.email))
        if self.last_name is not None:
            said.append(_is(Column.LAST_NAME, self.last_name))
        if self.first_name is not None:
            said.append(_is(Column.FIRST_NAME, self.first_name))
        return said


def _is(column: Column, text: str) -> Predicate:
    return Text(column, Comparison.EQUALS, text) if text.strip() else Not(Present(column))


def _has_email(email: str) -> Predicate:
    return OneOf(Column.EMAIL_KEY, (email_key(email),)) if email.strip() else Not(Present(Column.EMAIL))


async def numbers(tx: Transaction, expression: Expression, *, limit: int) -> list[int]:
    """The numbers of the first `limit` contacts that the expression selects, ascending."""
    return await sets.page(tx, expression, limit=limit)


class FullName(NamedTuple):
    """First and last name; one of them may be empty, which is the name of who has none."""

    first_name: str
    last_name: str

    def can_be_found(self) -> bool:
        """Whether there can be anybody of this name."""
        return any(part.strip() for part in self) and all(map(can_be_stored, self))


async def named(tx: Transaction, names: Sequence[FullName], *, most: int) -> list[list[int]]:
    """For each name the numbers of the first `most` contacts, not deleted, who have it; nobody has an empty one.

    Compared as in Criteria. One scan of the account, however many names there are: half a second for a thousand in a
    million contacts. No index helps: behind the accounts' walls PostgreSQL looks nothing up by what `lower` makes of a
    column, and a column of its own would cost each row of an import 3.7 µs, a tenth of it.
    """
    asked = {place: name for place, name in enumerate(names) if name.can_be_found()}
    if not asked:
        return [[] for _ in names]
    first_names, last_names = zip(*asked.values(), strict=True)
    await tx.all("scan_together")
    rows = await tx.all("contacts_named", first_names=first_names, last_names=last_names, most=most)
    await tx.all("scan_alone")
    places = list(asked)
    found = {places[row["place"] - 1]: row["contact_nos"] for row in rows}
    return [found.get(place, []) for place in range(len(names))]


async def addressed(tx: Transaction, emails: Sequence[str], *, most: int) -> list[list[int]]:
    """For each of the e-mail addresses the numbers of the first `most` contacts, not deleted, who have it."""
    keys = list(map(email_key, emails))
    rows = await tx.all("contacts_addressed", email_keys=keys, most=most) if keys else ()
    found = {row["place"] - 1: row["contact_nos"] for row in rows}
    return [found.get(place, []) for place in range(len(keys))]


async def page(
    tx: Transaction, expression: Expression, order: Order, *, limit: int, offset: int
) -> tuple[int, list[Contact]]:
    """How many contacts the expression selects, and `limit` of them after the first `offset` in this order, in full.

    A fixed number of statements, however many there are. In the order of numbers none of them is sorted.
    """
    rows = await sets.chunks(tx, expression)
    total = sum(as_integer(row["bits"]).bit_count() for row in rows)
    if offset >= total:
        return total, []
    contact_nos = await _in_order(tx, rows, total, order, min(limit, total - offset), offset)
    found = await reading.in_full(tx, contact_nos)
    return total, [found[contact_no] for contact_no in contact_nos]


async def _in_order(
    tx: Transaction, rows: Sequence[asyncpg.Record], total: int, order: Order, limit: int, offset: int
) -> list[int]:
    """The numbers of a page. What is nearer to the end is looked for from there: sorting costs by who comes before."""
    to_the_end = total - offset - limit
    if ordering.is_by_number(order):
        return sets.in_places(rows, limit, offset)
    if ordering.is_by_number(ordering.turned(order)):
        return sets.in_places(rows, limit, to_the_end)[::-1]
    found = _sorted_few if total <= FEW else _sorted_many
    if to_the_end < offset:
        return (await found(tx, rows, ordering.turned(order), limit, to_the_end))[::-1]
    return await found(tx, rows, order, limit, offset)


async def _sorted_few(
    tx: Transaction, rows: Sequence[asyncpg.Record], order: Order, limit: int, offset: int
) -> list[int]:
    arguments = (tx.account_id, list(sets.members(rows)), limit, offset)
    return [row["contact_no"] for row in await tx.select(ordering.of_numbers(order), arguments)]


async def _sorted_many(
    tx: Transaction, rows: Sequence[asyncpg.Record], order: Order, limit: int, offset: int
) -> list[int]:
    arguments = (tx.account_id, [row["chunk"] for row in rows], [row["bits"] for row in rows], limit, offset)
    return [row["contact_no"] for row in await tx.select(ordering.of_chunks(order), arguments)]


async def stream(
    db: Database, account_id: int, expression: Expression, order: Order
) -> AsyncGenerator[list[Contact], None]:
    """All contacts that the expression selects when it begins, in this order, in full, some at a time.

    Their sorted numbers lie in a file meanwhile, and each batch is a transaction of its own: memory does not depend on
    how many there are, nor do transactions on how slowly they are taken. They are told as they are when they come; who
    is deleted until then is left out.

    Raises TimeoutError if sorting takes too long. Close it (`aclosing`) when it is not taken to its end.
    """
    with TemporaryFile() as file:
        async with db.account(account_id) as tx:
            begun = await tx.value("time_of_transaction")
            await _sort(tx, expression, order, file)
        await asyncio.to_thread(file.seek, 0)
        while contact_nos := await asyncio.to_thread(_next, file):
            async with db.account(account_id) as tx:
                found = await reading.in_full(tx, contact_nos)
            contacts = (found[contact_no] for contact_no in contact_nos)
            yield [each for each in contacts if (each.row["deleted_at"] or begun) <= begun]


async def _sort(tx: Transaction, expression: Expression, order: Order, file: BinaryIO) -> None:
    """Writes the sorted numbers, a line each."""

    async def write(lines: bytes) -> None:
        await asyncio.to_thread(file.write, lines)

    query = expressions.compile(expression, tx.account_id)
    await tx.copy_out(ordering.of_rows(query.sql, order), query.args, write, seconds=SORT_SECONDS)


def _next(file: BinaryIO) -> list[int]:
    return [int(line) for line in islice(file, BATCH)]
