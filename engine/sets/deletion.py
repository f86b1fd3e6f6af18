"""Deleting named sets: their members are taken out as one set operation, and the contacts stay.

With an event go the answers of those who were invited.
"""

from collections.abc import Sequence

from engine.database import Transaction
from engine.sets.membership import Result, gone_errors


async def delete(tx: Transaction, sequence: int, set_nos: Sequence[int]) -> Result:
    """Deletes sets for an activity and frees their names; those that are deleted already are errors.

    Every bit that is turned off is in the activity's effect, so that the sets can be brought back. Locks the sets'
    rows, ascending; their chunks are nobody else's then.
    """
    alive = {row["set_no"] for row in await tx.all("lock_sets", set_nos=set_nos)}
    gone = await gone_errors(tx, set(set_nos) - alive) if len(alive) < len(set_nos) else {}
    scope = {"sequence": sequence, "set_nos": sorted(alive)}
    await tx.run("turn_off_sets", **scope)
    await tx.run("delete_chunks", set_nos=scope["set_nos"])
    await tx.run("forget_responses_to", set_nos=scope["set_nos"])
    await tx.run("mark_sets_deleted", set_nos=scope["set_nos"])
    [did] = await tx.all("membership_results", sequences=[sequence], batch=0)
    return Result(len(set_nos), 0, did["changed"], tuple(gone.values()), failed=len(gone))
