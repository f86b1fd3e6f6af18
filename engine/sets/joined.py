"""When contacts joined sets, which nobody keeps but the effects of activities do (design, contact sets)."""

from collections.abc import Collection, Iterable
from datetime import datetime

import asyncpg

from engine.database import Transaction
from engine.sets.chunks import CHUNK_BITS, bits_of, numbers_of


async def joined(
    tx: Transaction, set_nos: Collection[int], contact_nos: Collection[int]
) -> dict[tuple[int, int], datetime]:
    """When each of the contacts last joined each of the sets, by the numbers of both; who never did is left out.

    That is when the activity began that put it there. Of single contacts' effects only those of these contacts leave
    the database.
    """
    wanted = bits_of(contact_nos)
    chunks = {"chunks": list(wanted), "wanted": list(wanted.values())}
    found: dict[tuple[int, int], datetime] = {}
    for row in await tx.all("joinings", set_nos=list(set_nos), **chunks) if wanted and set_nos else ():
        for contact_no in _members(row):
            found.setdefault((row["set_no"], contact_no), row["at"])
    return found


def _members(row: asyncpg.Record) -> Iterable[int]:
    """Whom the effect put into its set."""
    if row["bits"] is None:
        return (row["chunk"] * CHUNK_BITS + row["lowest"],)
    return numbers_of(row["chunk"], row["bits"])
