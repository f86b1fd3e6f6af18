"""Deleting contacts set by set: those of a frozen source in a run of chunks, in one transaction.

Their rows stay; their bits are cleared from every set, with effects, so that they leave no trace in counts.
"""

from collections.abc import Mapping
from typing import NamedTuple

import asyncpg

from engine.database import Transaction
from engine.sets import membership

#: The code of contacts that were deleted already.
DELETED_ALREADY = "contact_deleted"


class Run(NamedTuple):
    """Chunks from `first` to `last` of an activity's frozen source, with so many contacts of it."""

    first: int
    last: int
    contacts: int


class Deleted(NamedTuple):
    """What deleting did: contacts that were deleted already, and memberships that were cleared."""

    skipped: int
    changed: int


async def runs(tx: Transaction, source: int, *, after: int, contacts: int) -> list[Run]:
    """The chunks of a frozen source after one, in runs of so many contacts, or more."""
    found: list[Run] = []
    for row in await tx.all("chunks_of_source", source=source, after=after):
        if not found or found[-1].contacts >= contacts:
            found.append(Run(row["chunk"], row["chunk"], row["contacts"]))
        else:
            found[-1] = Run(found[-1].first, row["chunk"], found[-1].contacts + row["contacts"])
    return found


async def delete(tx: Transaction, source: int, run: Run, sequence: int, batch: int) -> Deleted:
    """Deletes the contacts of a run of a frozen source, as a batch of activity `sequence`.

    Takes locks in the order of engine/activities.
    """
    scope = {"source": source, "first": run.first, "last": run.last}
    written = {"sequence": sequence, "batch": batch}
    doomed = await tx.all("lock_doomed_contacts", **scope)
    await tx.run("lock_masks_of_run", **scope)
    chunks = await _lock_sets(tx, scope)
    skipped = await tx.value("skip_deleted_of_run", **scope, **written, code=DELETED_ALREADY)
    await tx.run("mark_doomed_contacts", contact_nos=[row["contact_no"] for row in doomed if row["living"]])
    changed = await tx.value(
        "clear_run",
        source=source,
        **written,
        set_nos=[row["set_no"] for row in chunks],
        chunks=[row["chunk"] for row in chunks],
    )
    if changed:
        await membership.take_off(tx, [sequence], batch)
        await tx.run("count_effects", sequences=[sequence], batch=batch)
    return Deleted(skipped, changed)


async def _lock_sets(tx: Transaction, scope: Mapping[str, object]) -> list[asyncpg.Record]:
    """Locks all sets that have some of the contacts, ascending; answers their chunks (set_no, chunk) that have."""
    found = await tx.all("chunks_of_run", **scope)
    alive = await tx.all("lock_sets", set_nos=sorted({row["set_no"] for row in found}))
    set_nos = {row["set_no"] for row in alive}
    return [row for row in found if row["set_no"] in set_nos]
