"""Writing memberships, effect first, for one activity or for a wave of them.

A wave is a run of activities of one account that may be written side by side: none reads what an earlier one of it
writes, and all turn their sets the same way. Each statement then serves the whole wave.
"""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from uuid import UUID

from engine.database import Transaction
from engine.errors import ItemError
from engine.sets import expressions
from engine.sets.expressions import Expression


class Mask(Enum):
    """Which selected contacts are skipped when the change is written."""

    NOBODY = ()
    DELETED = ("skip_deleted",)
    DELETED_AND_UNSUBSCRIBED = ("skip_deleted", "skip_unsubscribed")


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
    """What a change did: contacts selected and skipped, memberships changed, errors of single items."""

    selected: int
    skipped: int
    changed: int
    errors: tuple[ItemError, ...] = ()


async def write(tx: Transaction, wave: Sequence[Change]) -> dict[int, Result]:
    """Resolves the sources of a wave, freezes and masks them, and writes; the results by sequence.

    Takes the locks of the masking chunks and of all sets to be written (see engine/activities).
    """
    errors: dict[int, list[ItemError]] = defaultdict(list)
    await _freeze_expressions(tx, wave)
    for sequence, error in await _freeze_contacts(tx, wave):
        errors[sequence].append(error)
    unknown = Counter({sequence: len(found) for sequence, found in errors.items()})
    results = await apply(tx, wave, batch=0)
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
    scope = {"sequences": [change.sequence for change in wave], "batch": batch}
    await _mask(tx, wave, scope)
    alive = await _lock_sets(tx, wave)
    await _turn(tx, "turn_on", "write_additions", [(c.sequence, s) for c in wave for s in c.on if s in alive], scope)
    await _turn(tx, "turn_off", "write_removals", [(c.sequence, s) for c in wave for s in c.off if s in alive], scope)
    await tx.run("count_effects", **scope)
    gone = await _gone(tx, wave, alive)
    return {
        row["sequence"]: Result(
            row["written"] + row["skipped"], row["skipped"], row["changed"], gone.get(row["sequence"], ())
        )
        for row in await tx.all("membership_results", **scope)
    }


async def _freeze_expressions(tx: Transaction, wave: Sequence[Change]) -> None:
    for change in wave:
        if not isinstance(change.source, tuple):
            query = expressions.compile(change.source, tx.account_id)
            place = f"${len(query.args) + 1}::bigint"
            await tx.select(
                "INSERT INTO activity_source (account_id, sequence, batch, chunk, bits)"
                f" SELECT $1, {place}, 0, chunk, bits FROM ({query.sql}) source",
                (*query.args, change.sequence),
            )


async def _freeze_contacts(tx: Transaction, wave: Sequence[Change]) -> list[tuple[int, ItemError]]:
    """Freezes the sources that name contacts; answers the unknown ones with their activity."""
    asked = [(c.sequence, i) for c in wave if isinstance(c.source, tuple) for i in dict.fromkeys(c.source)]
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


async def _mask(tx: Transaction, wave: Sequence[Change], scope: Mapping[str, object]) -> None:
    mask = wave[0].mask
    if mask is Mask.NOBODY:
        return
    await tx.run("lock_masks", **scope)
    skipped = [await tx.run(statement, **scope) for statement in mask.value]
    if any(skipped):
        await tx.run("mask_sources", **scope)


async def _lock_sets(tx: Transaction, wave: Sequence[Change]) -> set[int]:
    """Locks every set that the wave writes; answers those that still exist."""
    set_nos = sorted({set_no for change in wave for set_no in (*change.on, *change.off)})
    return {row["set_no"] for row in await tx.all("lock_sets", set_nos=set_nos)}


async def _turn(
    tx: Transaction, turn: str, write: str, targets: Sequence[tuple[int, int]], scope: Mapping[str, object]
) -> None:
    if not targets:
        return
    target_sequences, target_sets = zip(*targets, strict=True)
    if await tx.run(turn, target_sequences=target_sequences, target_sets=target_sets, batch=scope["batch"]):
        await tx.run(write, **scope)


async def _gone(tx: Transaction, wave: Sequence[Change], alive: set[int]) -> dict[int, tuple[ItemError, ...]]:
    """Errors for target sets that were deleted since the activity was submitted."""
    gone = {s for change in wave for s in (*change.on, *change.off)} - alive
    if not gone:
        return {}
    errors = {
        row["set_no"]: ItemError(str(row["set_id"]), f"{row['kind']}_deleted", f"the {row['kind']} was deleted")
        for row in await tx.all("sets_by_number", set_nos=sorted(gone))
    }
    return {change.sequence: tuple(errors[s] for s in (*change.on, *change.off) if s in gone) for change in wave}
