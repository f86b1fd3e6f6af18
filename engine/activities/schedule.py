"""Which activities of an account may run now: what was submitted behaves as if it ran in sequence.

Pure decisions over the account's unfinished activities in order. Two activities meet when one writes a set that the
other reads or writes; an activity waits for every earlier unfinished one that it meets.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Self
from uuid import UUID

import asyncpg

from engine.activities.model import Queue, State


@dataclass(frozen=True, slots=True)
class Unfinished:
    """What the order needs to know of an unfinished activity; `queued` when it has a place in its queue."""

    sequence: int
    activity_id: UUID
    queue: str
    state: State
    reads: frozenset[int]
    writes: frozenset[int]
    shareable: bool
    queued: bool

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(
            row["sequence"],
            row["activity_id"],
            row["queue"],
            State(row["state"]),
            frozenset(row["reads"]),
            frozenset(row["writes"]),
            row["shareable"],
            row["queued"],
        )

    @property
    def is_waiting(self) -> bool:
        """Nobody has it or will get it: it has not begun, or was given back and then found no place in its queue."""
        return self.state is State.INITIALIZED or not self.queued


class Ahead:
    """The sets that earlier unfinished activities read and write."""

    def __init__(self) -> None:
        self._reads: set[int] = set()
        self._writes: set[int] = set()

    def add(self, activity: Unfinished) -> None:
        self._reads |= activity.reads
        self._writes |= activity.writes

    def meets(self, activity: Unfinished) -> bool:
        return not (
            self._writes.isdisjoint(activity.reads)
            and self._writes.isdisjoint(activity.writes)
            and self._reads.isdisjoint(activity.writes)
        )


def runnable(unfinished: Iterable[Unfinished]) -> Iterator[Unfinished]:
    """The waiting activities, in order, that meet no earlier unfinished one."""
    ahead = Ahead()
    for activity in unfinished:
        if activity.is_waiting and not ahead.meets(activity):
            yield activity
        ahead.add(activity)


def next_in_queue(unfinished: Sequence[Unfinished], window: Mapping[str, int]) -> list[Unfinished]:
    """Those that should take a place in their queue now; `window` says how many places an account has in each."""
    free: dict[str, int] = dict(window)
    for activity in unfinished:
        free[activity.queue] -= activity.queued
    chosen = []
    for activity in runnable(unfinished):
        if all(places <= 0 for places in free.values()):
            break
        if not activity.queued and free[activity.queue] > 0:
            free[activity.queue] -= 1
            chosen.append(activity)
    return chosen


def soon_done(unfinished: Iterable[Unfinished]) -> Iterator[Unfinished]:
    """The membership activities, in order, that wait neither for batched work nor for what waits for that."""
    held_up = Ahead()
    for activity in unfinished:
        if activity.queue == Queue.BULK or held_up.meets(activity):
            held_up.add(activity)
        else:
            yield activity


def together(unfinished: Iterable[Unfinished], activity_id: UUID, most: int) -> list[Unfinished]:
    """The activity, and the small ones after it that may share its transaction; empty when it has to wait.

    They share when they meet no earlier unfinished activity outside the batch; inside it they run in order.
    """
    outside, batch = Ahead(), list[Unfinished]()
    for activity in unfinished:
        first = activity.activity_id == activity_id
        if first and outside.meets(activity):
            return []
        if first or (batch and _may_join(batch, activity, most) and not outside.meets(activity)):
            batch.append(activity)
        else:
            outside.add(activity)
        if len(batch) == most:
            break
    return batch


def _may_join(batch: list[Unfinished], activity: Unfinished, most: int) -> bool:
    return len(batch) < most and batch[0].shareable and activity.shareable and activity.state is State.INITIALIZED
