"""Bringing deleted contacts back: whoever is revived has the tags again that the deletion took, but not the lists."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from engine.database import Transaction


async def give_tags_back(tx: Transaction, sequence: int, *, source: int, batch: int, also: Sequence[int] = ()) -> None:
    """Puts the revived contacts, the activity's source of batch `source`, on the tags that they had when last deleted.

    Tags that were deleted meanwhile stay away, and contacts that were never deleted gain nothing. The effect is the
    activity's `batch`, which must have no other. The caller holds the contacts' rows and, FOR UPDATE, their chunks of
    "exists"; rows of sets are locked here, those that the transaction is to write next included: name them in `also`.
    """
    if await tx.run("turn_on_tags_again", sequence=sequence, source=source, batch=batch, also=list(also)):
        await tx.run("write_additions", sequences=[sequence], batch=batch)
        await tx.run("count_effects", sequences=[sequence], batch=batch)


async def tags_before(tx: Transaction, contact_nos: Sequence[int]) -> Mapping[int, frozenset[int]]:
    """The tags that deleted contacts would have again, by contact number."""
    tags: dict[int, set[int]] = defaultdict(set)
    for row in await tx.all("tags_before_deletion", contact_nos=contact_nos) if contact_nos else ():
        tags[row["contact_no"]].add(row["set_no"])
    return {contact_no: frozenset(set_nos) for contact_no, set_nos in tags.items()}
