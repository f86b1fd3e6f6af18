"""Writing memberships, effect first, for one activity or for several of an account that share a transaction.

A wave is a run of them that may be written side by side: all turn their sets the same way. Each statement then serves
the whole wave.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any
from uuid import UUID

from asyncpg import BitString

from engine.database import Transaction
from engine.errors import ItemError
from engine.sets import reading
from engine.sets.expressions import Expression

#: The statements that skip selected contacts.
SKIPPING = ("skip_deleted", "skip_unsubscribed")


class Mask(Enum):
    """Which selected contacts are skipped when the change is written: how many of SKIPPING are run."""

    # Not the statements themselves: in Python 3.11.2, Debian 12's, the value of a member made of () is an object().
    NOBODY = 0
    DELETED = 1
    DELETED_AND_UNSUBSCRIBED = 2


@dataclass(frozen=True, slots=True)
class Change:
    """What one activity does to contact sets: its source goes on some and off others.

    The source is contacts named by id, whose unknown ones are reported, or a set expression.
    """

    sequence: int
    source: tuple[UUID, ...] | Expression
    on: tuple[int, ...] = ()
    off: tuple[int, ...] = ()
    mask: Mask = Mask.NOBODY

    def may_follow(self, earlier: "Change") -> bool:
        """Whether one wave can serve both: they turn their sets the same single way, under the same mask."""
        same_way = (bool(self.on), bool(self.off)) == (bool(earlier.on), bool(earlier.off))
        return same_way and not (self.on and self.off) and self.mask is earlier.mask


@dataclass(frozen=True, slots=True)
class Result:
    """What a change did: contacts (or sets) selected and skipped, memberships changed, errors of single items.

    failed: how many of the selected it could do nothing with, so that they do not count as completed.
    """

    selected: int
    skipped: int
    changed: int
    errors: tuple[ItemError, ...] = ()
    failed: int = 0


async def write(tx: Transaction, changes: Sequence[Change]) -> dict[int, Result]:
    """Resolves and freezes the sources of changes, masks them, and writes, in order; the results by sequence.

    No source may depend on what an earlier change writes: of several changes each names its contacts. Takes the locks
    of the masking chunks and of all sets to be written, each of all changes at once (see engine/activities).
    """
    assert len(changes) == 1 or all(isinstance(change.source, tuple) for change in changes)
    errors: dict[int, list[ItemError]] = defaultdict(list)
    await _freeze_expressions(tx, changes)
    for sequence, error in await _freeze_contacts(tx, changes):
        errors[sequence].append(error)
    unknown = Counter({sequence: len(found) for sequence, found in errors.items()})
    alive = await _lock(tx, changes, batch=0)
    results: dict[int, Result] = {}
    for wave in _waves(changes):
        results |= await _write_wave(tx, wave, alive, batch=0)
    return {
        sequence: Result(
            result.selected + unknown[sequence],
            result.skipped,
            result.changed,
            (*errors[sequence], *result.errors),
        )
        for sequence, result in results.items()
    }


async def apply(tx: Transaction, wave: Sequence[Change], batch: int) -> dict[int, Result]:
    """Masks the frozen sources of a batch and writes them into their sets; the results by sequence."""
    return await _write_wave(tx, wave, await _lock(tx, wave, batch), batch)


#: Bits by set number and chunk.
Bits = Mapping[tuple[int, int], BitString]


async def write_exactly(tx: Transaction, sequence: int, sources: Bits, on: Bits, off: Bits) -> int:
    """Writes what was worked out beside the database, for an activity whose sets have each a source of their own.

    sources: whom the activity says to be in a set or out of it, kept as the batch with the set's number; on, off: the
    effect, which has to be exact, so the rows of the sets are locked already. Answers the memberships changed.
    """
    await add_effects(tx, sequence, sources, on, off)
    return await write_effects(tx, sequence)


async def add_effects(tx: Transaction, sequence: int, sources: Bits, on: Bits, off: Bits) -> None:
    """The first half of `write_exactly`, for work that goes from chunk to chunk."""
    await tx.run("freeze_by_set", sequence=sequence, **_columns(sources))
    for turned_on, bits in ((True, on), (False, off)):
        if bits:
            await tx.run("add_effects", sequence=sequence, turned_on=turned_on, **_columns(bits))


async def write_effects(tx: Transaction, sequence: int) -> int:
    """The second half of `write_exactly`; answers the memberships changed."""
    await turn(tx, sequence, 0)
    [did] = await tx.all("membership_results", sequences=[sequence], batch=0)
    return int(did["changed"])


async def turn(tx: Transaction, sequence: int, batch: int) -> None:
    """Writes and counts the effects of a batch, which are there; the rows of the sets are locked."""
    scope = {"sequences": [sequence], "batch": batch}
    await tx.run("write_additions", **scope)
    await take_off(tx, [sequence], batch)
    await tx.run("count_effects", **scope)


async def take_off(tx: Transaction, sequences: Sequence[int], batch: int) -> None:
    """Takes contacts off sets, as the effects of a batch say; off events with what they have answered."""
    await tx.run("write_removals", sequences=sequences, batch=batch)
    if answered := await tx.all("responses_of_effects", sequences=sequences, batch=batch):
        set_nos, contact_nos = zip(*answered, strict=True)
        await tx.run("forget_responses", set_nos=set_nos, contact_nos=contact_nos)


def _columns(bits: Bits) -> dict[str, list[Any]]:
    return {
        "set_nos": [set_no for set_no, _ in bits],
        "chunks": [chunk for _, chunk in bits],
        "bits": list(bits.values()),
    }


async def _write_wave(tx: Transaction, wave: Sequence[Change], alive: set[int], batch: int) -> dict[int, Result]:
    sequences = [change.sequence for change in wave]
    scope = {"sequences": sequences, "batch": batch}
    await _mask(tx, wave, scope)
    if await _turn(tx, "turn_on", [(c.sequence, s) for c in wave for s in c.on if s in alive], batch):
        await tx.run("write_additions", **scope)
    if await _turn(tx, "turn_off", [(c.sequence, s) for c in wave for s in c.off if s in alive], batch):
        await take_off(tx, sequences, batch)
    await tx.run("count_effects", **scope)
    gone = await _gone(tx, wave, alive)
    return {
        row["sequence"]: Result(
            row["written"] + row["skipped"], row["skipped"], row["changed"], gone.get(row["sequence"], ())
        )
        for row in await tx.all("membership_results", **scope)
    }


async def freeze(tx: Transaction, sequence: int, source: Expression) -> None:
    """Keeps whom an expression means now as the frozen source of an activity."""
    rows = await reading.chunks(tx, source)
    await tx.run(
        "freeze_chunks", sequence=sequence, chunks=[row["chunk"] for row in rows], bits=[row["bits"] for row in rows]
    )


def _waves(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """The changes in order, in runs that one wave can serve."""
    wave: list[Change] = []
    for change in changes:
        if wave and not change.may_follow(wave[-1]):
            yield wave
            wave = []
        wave.append(change)
    if wave:
        yield wave


async def freeze_source(
    tx: Transaction, sequence: int, source: tuple[UUID, ...] | Expression
) -> tuple[int, list[ItemError]]:
    """Keeps whom an activity means, once; answers how many, and the unknown ones of those that are named."""
    changes = [Change(sequence, source)]
    await _freeze_expressions(tx, changes)
    errors = [error for _, error in await _freeze_contacts(tx, changes)]
    return await tx.value("count_source", sequence=sequence, batch=0), errors


async def _freeze_expressions(tx: Transaction, changes: Sequence[Change]) -> None:
    for change in changes:
        if not isinstance(change.source, tuple):
            await freeze(tx, change.sequence, change.source)


async def _freeze_contacts(tx: Transaction, changes: Sequence[Change]) -> list[tuple[int, ItemError]]:
    """Freezes the sources that name contacts; answers the unknown ones with their activity."""
    asked = [(c.sequence, i) for c in changes if isinstance(c.source, tuple) for i in dict.fromkeys(c.source)]
    if not asked:
        return []
    named = {"sequences": [sequence for sequence, _ in asked], "contact_ids": [i for _, i in asked]}
    frozen = await tx.all("freeze_contacts", batch=0, **named)
    if sum(row["found"] for row in frozen) == len(asked):
        return []
    return [
        (row["sequence"], ItemError(str(row["contact_id"]), "contact_not_found", "there is no such contact"))
        for row in await tx.all("unknown_contacts", **named)
    ]


async def _lock(tx: Transaction, changes: Sequence[Change], batch: int) -> set[int]:
    """Locks the chunks that mask the sources, then every set that is written; answers the sets that still exist."""
    masked = [change.sequence for change in changes if change.mask is not Mask.NOBODY]
    if masked:
        await tx.run("lock_masks", sequences=masked, batch=batch)
    set_nos = sorted({set_no for change in changes for set_no in (*change.on, *change.off)})
    return {row["set_no"] for row in await tx.all("lock_sets", set_nos=set_nos)}


async def _mask(tx: Transaction, wave: Sequence[Change], scope: Mapping[str, object]) -> None:
    skipped = [await tx.run(statement, **scope) for statement in SKIPPING[: wave[0].mask.value]]
    if any(skipped):
        await tx.run("mask_sources", **scope)


async def _turn(tx: Transaction, turn: str, targets: Sequence[tuple[int, int]], batch: int) -> int:
    """Enters the effects; how many rows these are."""
    if not targets:
        return 0
    target_sequences, target_sets = zip(*targets, strict=True)
    return await tx.run(turn, target_sequences=target_sequences, target_sets=target_sets, batch=batch)


async def _gone(tx: Transaction, wave: Sequence[Change], alive: set[int]) -> dict[int, tuple[ItemError, ...]]:
    """Errors of each change for its target sets that were deleted since it was submitted."""
    gone = {s for change in wave for s in (*change.on, *change.off)} - alive
    if not gone:
        return {}
    errors = await gone_errors(tx, gone)
    return {change.sequence: tuple(errors[s] for s in (*change.on, *change.off) if s in gone) for change in wave}


async def gone_errors(tx: Transaction, set_nos: Iterable[int]) -> dict[int, ItemError]:
    """What is reported of sets that were deleted before they could be written, by number."""
    return {
        row["set_no"]: ItemError(str(row["set_id"]), f"{row['kind']}_deleted", f"the {row['kind']} was deleted")
        for row in await tx.all("sets_by_number", set_nos=sorted(set_nos))
    }
