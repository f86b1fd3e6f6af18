"""Engagement levels, computed from what campaigns tell (contract v3.md 3.14).

Of the campaigns of the last 90 days, s is how many were sent to a contact, o how many of these it opened or clicked. It
goes chunk by chunk, with all contacts of a chunk at once; a chunk and some campaigns are in memory, never more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

import asyncpg

from engine.database import Transaction
from engine.sets import membership
from engine.sets.chunks import as_integer, of_integer
from engine.sets.membership import Bits
from engine.sets.system import ACTIVE, ENGAGEMENT, LEVEL_BY_HAND
from engine.tracking.counters import Planes, at_least, constant, count_up, doubled, total

DAYS = 90
#: Who was sent fewer campaigns is unqualified.
FEWEST_SENT = constant(5)
#: Campaigns whose sets are read at once: 600 KB of each chunk.
CAMPAIGNS_AT_ONCE = 100

LEVELS = tuple(ENGAGEMENT.values())
#: A chunk of some sets as integers, by set number.
Chunk = dict[int, int]


@dataclass(frozen=True, slots=True)
class Computed:
    """What a computation did: contacts that have a level by it, memberships changed."""

    contacts: int
    changed: int


@dataclass(frozen=True, slots=True)
class Tally:
    """What was sent to the contacts of a chunk, and what of it they opened or clicked."""

    sent: list[int] = field(default_factory=list)
    moved: list[int] = field(default_factory=list)

    def add(self, sent: int, moved: int) -> None:
        """One more campaign, with those to whom it was sent and those whom it moved."""
        count_up(self.sent, sent)
        count_up(self.moved, sent & moved)

    def levels(self, active: int) -> Chunk:
        """The levels of the active contacts: high from 1/2, medium from 1/5."""
        qualified = active & at_least(self.sent, FEWEST_SENT)
        high = qualified & at_least(doubled(self.moved), self.sent)
        medium = qualified & ~high & at_least(_five_times(self.moved), self.sent)
        levels = {
            "unqualified": active & ~qualified,
            "low": qualified & ~high & ~medium,
            "medium": medium,
            "high": high,
        }
        return {ENGAGEMENT[level]: contacts for level, contacts in levels.items()}


async def write(tx: Transaction, sequence: int, kept: Sequence[int]) -> Computed:
    """Computes everybody's level for an activity, and writes it.

    kept: sets whose members keep the level that they have. Takes locks in the order of engine/activities.
    """
    chunks = {row["chunk"] for row in await tx.all("share_active")}
    await tx.all("lock_sets", set_nos=sorted((*LEVELS, LEVEL_BY_HAND)))
    chunks |= {row["chunk"] for row in await tx.all("chunks_with_levels")}
    campaigns = await tx.all("campaigns_since", days=DAYS)
    contacts = 0
    for chunk in sorted(chunks):
        before = await _read(tx, chunk, (ACTIVE, *LEVELS, LEVEL_BY_HAND))
        staying = _union(before, kept)
        computed = (await _tally(tx, chunk, campaigns)).levels(before.get(ACTIVE, 0) & ~staying)
        after = {level: bits | before.get(level, 0) & staying for level, bits in computed.items()}
        await _note(tx, sequence, chunk, before, after | {LEVEL_BY_HAND: before.get(LEVEL_BY_HAND, 0) & staying})
        contacts += _union(computed, computed).bit_count()
    return Computed(contacts, await membership.write_effects(tx, sequence))


async def _tally(tx: Transaction, chunk: int, campaigns: Sequence[asyncpg.Record]) -> Tally:
    tally, rest = Tally(), iter(campaigns)
    while some := list(islice(rest, CAMPAIGNS_AT_ONCE)):
        sets = await _read(tx, chunk, [set_no for campaign in some for set_no in campaign if set_no is not None])
        for sent, *moved in some:
            if sent in sets:
                tally.add(sets[sent], _union(sets, moved))
    return tally


async def _read(tx: Transaction, chunk: int, set_nos: Sequence[int]) -> Chunk:
    rows = await tx.all("chunk_of_sets", chunk=chunk, set_nos=set_nos)
    return {row["set_no"]: as_integer(row["bits"]) for row in rows}


async def _note(tx: Transaction, sequence: int, chunk: int, before: Chunk, after: Chunk) -> None:
    """The effect of a chunk that is to become so; everybody's level is the source, changed or not."""
    on = {set_no: bits & ~before.get(set_no, 0) for set_no, bits in after.items()}
    off = {set_no: before.get(set_no, 0) & ~bits for set_no, bits in after.items()}
    sources = {level: after[level] for level in LEVELS}
    await membership.add_effects(tx, sequence, *(_bits(chunk, each) for each in (sources, on, off)))


def _bits(chunk: int, sets: Mapping[int, int]) -> Bits:
    return {(set_no, chunk): of_integer(bits) for set_no, bits in sets.items() if bits}


def _union(sets: Mapping[int, int], set_nos: Iterable[int | None]) -> int:
    bits = 0
    for set_no in set_nos:
        bits |= sets.get(set_no, 0) if set_no is not None else 0
    return bits


def _five_times(planes: Planes) -> Planes:
    return total(doubled(planes, 2), planes)
