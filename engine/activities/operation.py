"""What an activity kind has to say for itself.

A kind plans its request when it is submitted (resolve names, say which sets it reads and writes) and does its work
when its turn comes: membership kinds as one change of sets in one transaction, whole kinds in one transaction as they
like, batched kinds batch by batch.
"""

from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Protocol
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from engine.activities.model import Activity, Queue, State
from engine.callees import Callees
from engine.database import Database, Transaction
from engine.sets.membership import Change, Result
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Plan:
    """A request as it is kept: names resolved, criteria frozen, and the sets that it reads and writes."""

    request: Mapping[str, Any]
    reads: frozenset[int]
    writes: frozenset[int]
    #: Those of them that the request names: none may have been deleted.
    named: frozenset[int] = frozenset()
    #: Small enough to share a transaction with its neighbours in the order.
    shareable: bool = False
    #: Shown by GET /activities.
    listed: bool = True
    source_file_name: str | None = None
    #: Where batched work begins.
    cursor: Mapping[str, Any] | None = None
    #: The id that its activity is to have; by default one of its own.
    activity_id: UUID | None = None
    #: The activity that it is another attempt at.
    retry_of: UUID | None = None


class Request(Protocol):
    """A request for an activity of one kind."""

    @property
    def kind(self) -> str: ...

    @property
    def queue(self) -> Queue: ...

    async def plan(self, tx: Transaction) -> Plan:
        """What to keep of the request; raises Invalid or UnknownTarget."""
        ...


class BulkRequest(BaseModel):
    """A request that comes as a body."""

    # A typo must not widen a bulk job (contract v3.md 1.6).
    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    queue: ClassVar[Queue] = Queue.ACTIVITIES

    @abstractmethod
    async def plan(self, tx: Transaction) -> Plan:
        """What to keep of the request; raises Invalid or UnknownTarget."""


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A kind that comes by the clock: how its request is made, and how often it comes."""

    request: Callable[[], Request]
    every: Callable[[Settings], timedelta]


@dataclass(frozen=True, slots=True)
class Progress:
    """Where batched work stands after a batch, and what that batch added.

    has_read: the work reads no set from now on, so that those which wait to write them may run while it goes on.
    """

    cursor: Mapping[str, Any]
    items_total: int
    items_completed: int
    counts: Mapping[str, int] = field(default_factory=dict)
    changed_count: int = 0
    error_count: int = 0
    has_read: bool = False


class Batch(Protocol):
    """A step of batched work: the runner gives it a transaction and commits its progress with it."""

    async def write(self, tx: Transaction, activity: Activity) -> Progress: ...


@dataclass(frozen=True, slots=True)
class Resources:
    """What batched work may use besides its transaction."""

    db: Database
    settings: Settings
    callees: Callees


class MembershipOperation(ABC):
    """A kind whose work is one change of contact sets."""

    @abstractmethod
    async def change(self, tx: Transaction, activity: Activity) -> Change:
        """What the activity changes, decided when it runs."""


@dataclass(frozen=True, slots=True)
class Done:
    """What came of whole work, and what is left to activities of their own, which are entered in its transaction."""

    result: Result
    left: Sequence[Request] = ()


class WholeOperation(ABC):
    """A kind that does all its work in one transaction of its own. It is never shareable."""

    @abstractmethod
    async def write(self, tx: Transaction, activity: Activity) -> Done:
        """Does it, and takes its locks in the order of engine/activities; what came of it."""


class BatchedOperation(ABC):
    """A kind whose work is on contact rows and goes on in batches from the activity's cursor."""

    @abstractmethod
    def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        """What is left to do."""

    async def ended(self, tx: Transaction, activity: Activity, state: State) -> None:  # noqa: B027 (most do nothing)
        """What else is to be written with the end of an activity that was begun, whatever its end is."""


Operation = MembershipOperation | WholeOperation | BatchedOperation
