"""Reading the members of a set expression, how many and page by page in order; and the sets that contacts are in."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple
from uuid import UUID

import asyncpg

from engine.database import Transaction
from engine.sets import expressions
from engine.sets.chunks import CHUNK_BITS, bits_of, chunk_of, numbers_of
from engine.sets.expressions import Expression


class MemberOf(NamedTuple):
    """A list or tag that a contact is in."""

    kind: str
    set_no: int
    set_id: UUID


async def count(tx: Transaction, expression: Expression) -> int:
    """How many contacts the expression selects."""
    query = expressions.compile(expression, tx.account_id)
    [row] = await tx.select(
        f"select coalesce(sum(bit_count(bits)), 0)::bigint as members from ({query.sql}) s", query.args
    )
    return int(row["members"])


async def page(tx: Transaction, expression: Expression, *, limit: int, after: int = 0) -> list[int]:
    """The first `limit` contact numbers greater than `after` that the expression selects, ascending.

    Only the chunks that hold them leave the database.
    """
    query = expressions.compile(expression, tx.account_id)
    chunk, skipped, most = (f"${len(query.args) + place}" for place in (1, 2, 3))
    rows = await tx.select(
        f"""select chunk, bits from (
            select chunk, bits, sum(bit_count(bits)) over (order by chunk) - bit_count(bits) as members_before
            from (
                select chunk, case
                    when chunk > {chunk} then bits else bits & (~B''::bit({CHUNK_BITS}) >> {skipped}) end as bits
                from ({query.sql}) s where chunk >= {chunk}
            ) rest
        ) counted where members_before < {most} order by chunk""",
        (*query.args, chunk_of(after), after % CHUNK_BITS + 1, limit),
    )
    return list(islice(members(rows), limit))


async def contains(tx: Transaction, expression: Expression, contact_no: int) -> bool:
    """Whether the expression selects the contact."""
    return await page(tx, expression, limit=1, after=contact_no - 1) == [contact_no]


async def sets_of(tx: Transaction, contact_nos: Sequence[int], kinds: Sequence[str]) -> dict[int, list[MemberOf]]:
    """The living sets of these kinds that each of the contacts is in, by set number.

    Of each set only the stretch of a chunk from the first to the last of these contacts leaves the database, so that a
    page costs by its memberships, not by contacts times sets.
    """
    wanted = bits_of(contact_nos)
    stretches = {chunk: _stretch(chunk, contact_nos) for chunk in wanted}
    rows = await tx.all(
        "sets_of_contacts",
        kinds=kinds,
        chunks=list(wanted),
        wanted=list(wanted.values()),
        firsts=[first for first, _ in stretches.values()],
        lengths=[length for _, length in stretches.values()],
    )
    found: dict[int, list[MemberOf]] = defaultdict(list)
    for row in rows:
        offset, length = stretches[row["chunk"]]
        first, member_of = row["chunk"] * CHUNK_BITS + offset, MemberOf(row["kind"], row["set_no"], row["set_id"])
        for place in _places(row["bits"], length):
            found[first + place].append(member_of)
    return found


def _stretch(chunk: int, contact_nos: Iterable[int]) -> tuple[int, int]:
    """The offset of the first of the contacts in a chunk, and how many bits there are to the last."""
    offsets = [number % CHUNK_BITS for number in contact_nos if chunk_of(number) == chunk]
    return min(offsets), max(offsets) - min(offsets) + 1


def _places(bits: asyncpg.BitString, length: int) -> Iterator[int]:
    """The places of the set bits, counted from the left."""
    rest = int.from_bytes(bits.bytes) >> (-length % 8)
    while rest:
        place = length - rest.bit_length()
        yield place
        rest ^= 1 << (length - 1 - place)


def members(rows: Iterable[asyncpg.Record]) -> Iterable[int]:
    """The contact numbers in rows of (chunk, bits)."""
    return (contact_no for row in rows for contact_no in numbers_of(row["chunk"], row["bits"]))
