"""The names of the lists and tags that contacts are in, for whole chunks at once.

Each list gives its members in the chunks; what is paid for is memberships, not contacts times lists.
"""

import asyncio
import secrets
from collections import defaultdict
from collections.abc import Sequence

import asyncpg

from engine.database import Transaction
from engine.sets.chunks import numbers_of

#: Between two names in a cell (contract v3.md 3.15).
SEPARATOR = ", "

Names = dict[int, str]


async def of_contacts(tx: Transaction, kind: str, source: int, first: int, last: int) -> Names:
    """By number, the contacts of a frozen source in these chunks that are in sets of the kind, and the sets' names.

    source: the sequence of the activity that has frozen it. In the order in which the sets were made.
    """
    rows = await tx.all("names_of_source", kind=kind, source=source, first=first, last=last)
    return await asyncio.to_thread(_joined, rows)


def new_separator() -> str:
    """What no name holds, to put between the names of two contacts."""
    return secrets.token_hex(8)


def _joined(rows: Sequence[asyncpg.Record]) -> Names:
    names: defaultdict[int, list[str]] = defaultdict(list)
    for row in rows:
        name = row["name"]
        for contact_no in numbers_of(row["chunk"], row["bits"]):
            names[contact_no].append(name)
    return {contact_no: SEPARATOR.join(of_contact) for contact_no, of_contact in names.items()}
