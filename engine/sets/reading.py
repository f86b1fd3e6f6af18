"""Reading the members of a set expression: how many, and page by page in order."""

from collections.abc import Iterable
from itertools import islice

import asyncpg

from engine.database import Transaction
from engine.sets import expressions
from engine.sets.chunks import CHUNK_BITS, chunk_of, numbers_of
from engine.sets.expressions import Expression


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


def members(rows: Iterable[asyncpg.Record]) -> Iterable[int]:
    """The contact numbers in rows of (chunk, bits)."""
    return (contact_no for row in rows for contact_no in numbers_of(row["chunk"], row["bits"]))
