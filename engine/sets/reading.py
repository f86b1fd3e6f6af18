"""Reading the members of a set expression, how many and page by page in order; and the sets that contacts are in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from operator import itemgetter
from typing import NamedTuple
from uuid import UUID

import asyncpg

from engine.database import Transaction
from engine.sets import expressions
from engine.sets.cells import places_of, runs_of
from engine.sets.chunks import CHUNK_BITS, as_integer, chunk_of, numbers_of
from engine.sets.expressions import EVERYWHERE, Chunks, Expression
from engine.sets.system import FIELDS

#: Chunks whose scan is worth several processes, which take some milliseconds to start.
WORTH_SEVERAL = 8


class MemberOf(NamedTuple):
    """A named set that a contact is in."""

    kind: str
    set_no: int
    set_id: UUID
    name: str
    abbreviation: str | None


async def chunks(tx: Transaction, expression: Expression) -> list[asyncpg.Record]:
    """The rows (chunk, bits) of whom the expression selects."""
    return await _select(tx, expression, await _everywhere(tx, expression), "select chunk, bits from ({}) s")


async def count(tx: Transaction, expression: Expression) -> int:
    """How many contacts the expression selects."""
    counting = "select coalesce(sum(bit_count(bits)), 0)::bigint as members from ({}) s"
    [row] = await _select(tx, expression, await _everywhere(tx, expression), counting)
    return int(row["members"])


async def page(tx: Transaction, expression: Expression, *, limit: int, after: int = 0) -> list[int]:
    """The first `limit` contact numbers greater than `after` that the expression selects, ascending.

    Contacts are scanned only as far as it takes. Only the chunks that hold those asked for leave the database.
    """
    found: list[int] = []
    for step in _steps(chunk_of(after), await _everywhere(tx, expression)):
        found += await _page(tx, expression, step, limit - len(found), after)
        if len(found) == limit:
            break
    return found


async def _page(tx: Transaction, expression: Expression, step: "_Step", limit: int, after: int) -> list[int]:
    rows = await _select(
        tx,
        expression,
        step,
        f"""select chunk, bits from (
            select chunk, bits, sum(bit_count(bits)) over (order by chunk) - bit_count(bits) as members_before
            from (
                select chunk, case
                    when chunk > {{1}} then bits else bits & (~B''::bit({CHUNK_BITS}) >> {{2}}) end as bits
                from ({{0}}) s
            ) rest
        ) counted where members_before < {{3}} order by chunk""",
        chunk_of(after),
        after % CHUNK_BITS + 1,
        limit,
    )
    return list(islice(members(rows), limit))


class _Step(NamedTuple):
    """Chunks to read at once, and how many of them have contacts to scan."""

    chunks: Chunks
    scanned: int


async def _everywhere(tx: Transaction, expression: Expression) -> _Step:
    """All chunks; of an expression that scans no contacts it does not matter how many they are."""
    if FIELDS not in expressions.reads(expression):
        return _Step(EVERYWHERE, 0)
    return _Step(EVERYWHERE, chunk_of(await tx.value("last_contact_number")) + 1)


def _steps(first: int, everywhere: _Step) -> Iterator[_Step]:
    """The chunks from the first on: where contacts are scanned, runs that grow fourfold; the last has no end."""
    length = 1
    while first + length < everywhere.scanned:
        yield _Step(Chunks(first, first + length), length)
        first, length = first + length, 4 * length
    yield _Step(Chunks(first), max(0, everywhere.scanned - first))


async def _select(
    tx: Transaction, expression: Expression, step: _Step, around: str, *values: object
) -> list[asyncpg.Record]:
    """Runs the query {0} of an expression inside of another, which has places for more values."""
    query = expressions.compile(expression, tx.account_id, step.chunks)
    places = [f"${len(query.args) + number}" for number in range(1, len(values) + 1)]
    sql, arguments = around.format(query.sql, *places), (*query.args, *values)
    if step.scanned < WORTH_SEVERAL:
        return await tx.select(sql, arguments)
    await tx.all("scan_together")
    rows = await tx.select(sql, arguments)
    await tx.all("scan_alone")
    return rows


async def contains(tx: Transaction, expression: Expression, contact_no: int) -> bool:
    """Whether the expression selects the contact."""
    return await page(tx, expression, limit=1, after=contact_no - 1) == [contact_no]


async def sets_of(tx: Transaction, contact_nos: Iterable[int], kinds: Sequence[str]) -> dict[int, list[MemberOf]]:
    """The living sets of these kinds that each of the contacts is in, by set number.

    A page costs by its memberships, not by contacts times sets; nor by sets, if most of these have few members in a
    chunk, or members that are near each other.
    """
    runs = list(runs_of(contact_nos))
    rows = await tx.all(
        "sets_of_contacts",
        kinds=kinds,
        chunks=[run.chunk for run in runs],
        first_cells=[run.first_cell for run in runs],
        last_cells=[run.last_cell for run in runs],
        firsts=[run.first for run in runs],
        wanted=[run.bits for run in runs],
    )
    found: dict[int, list[MemberOf]] = defaultdict(list)
    for row in rows:
        member_of = MemberOf(row["kind"], row["set_no"], row["set_id"], row["name"], row["abbreviation"])
        for place in places_of(row["bits"]):
            found[row["first"] + place].append(member_of)
    return found


def in_places(rows: Iterable[asyncpg.Record], limit: int, offset: int) -> list[int]:
    """`limit` of the contact numbers in rows of (chunk, bits), ascending, after the first `offset`."""
    found, before = list[int](), 0
    for row in sorted(rows, key=itemgetter("chunk")):
        count = as_integer(row["bits"]).bit_count()
        if offset < before + count and before < offset + limit:
            here = list(numbers_of(row["chunk"], row["bits"]))
            found += here[max(0, offset - before) : offset + limit - before]
        before += count
    return found


def members(rows: Iterable[asyncpg.Record]) -> Iterable[int]:
    """The contact numbers in rows of (chunk, bits)."""
    return (contact_no for row in rows for contact_no in numbers_of(row["chunk"], row["bits"]))
