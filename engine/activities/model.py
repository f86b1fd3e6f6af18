"""What an activity is: its states, its numbers, and the message that says it waits."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Self
from uuid import UUID

import asyncpg
from pydantic_core import to_json


class State(StrEnum):
    """Where an activity is in its life (contract v3.md 3.2.1)."""

    INITIALIZED = "initialized"
    PROCESSING = "processing"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"
    TIMED_OUT = "timed_out"

    @property
    def is_final(self) -> bool:
        return self not in (State.INITIALIZED, State.PROCESSING)


class Queue(StrEnum):
    """The two queues: small work in one transaction, and long work in batches."""

    ACTIVITIES = "activities"
    BULK = "bulk"


class Message(NamedTuple):
    """What a queue carries: that an activity waits. It may be lost, doubled or reordered without harm."""

    account_id: int
    activity_id: UUID
    queue: str


#: Takes messages whose transaction is committed; must not raise.
Send = Callable[[Sequence[Message]], None]


def json_text(value: Mapping[str, Any] | Sequence[Any]) -> str:
    """JSON as it is stored with an activity; UUIDs become text."""
    return to_json(value).decode()


#: Fields of an activity that its row calls otherwise.
COLUMNS = {"request_text": "request"}


@dataclass(frozen=True, slots=True)
class Activity:
    """One activity as its row tells it."""

    account_id: int
    sequence: int
    activity_id: UUID
    kind: str
    queue: str
    state: State
    principal_id: UUID
    request_text: str
    reads: frozenset[int]
    writes: frozenset[int]
    listed: bool
    retry_of: UUID | None
    source_file_name: str | None
    created_at: datetime
    updated_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None
    attempts: int = 0
    fence: int = 0
    cancel_requested: bool = False
    batch: int = 0
    cursor: Mapping[str, Any] | None = None
    items_total: int = 0
    items_completed: int = 0
    changed_count: int = 0
    error_count: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)
    failure_code: str | None = None
    failure: str | None = None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        values = {name: row[COLUMNS.get(name, name)] for name in cls.__slots__}
        values["state"] = State(row["state"])
        values["reads"], values["writes"] = frozenset(row["reads"]), frozenset(row["writes"])
        values["cursor"] = row["cursor"] and json.loads(row["cursor"])
        values["counts"] = json.loads(row["counts"]) if row["counts"] else {}
        return cls(**values)

    @property
    def request(self) -> Mapping[str, Any]:
        """What its operation planned. Read from its text each time: who only watches an activity needs none of it."""
        return json.loads(self.request_text)  # type: ignore[no-any-return]

    @property
    def percent_done(self) -> int:
        """Contract v3.md 3.2.2: 1 at first, 100 when completed, never less than before."""
        if self.state is State.COMPLETED:
            return 100
        if not self.items_total:
            return 1
        return min(99, max(1, 100 * self.items_completed // self.items_total))
