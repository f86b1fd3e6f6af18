"""Who does the calls of an activity: wire formats, of which the engine knows none. Whoever starts it hands them in."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from engine.activities.model import Send
from engine.database import Database
from engine.settings import Settings


@dataclass(frozen=True, slots=True)
class Asked:
    """One call, as it is asked of a callee.

    common: what all calls of its activity have in common, such as who asked. record_id: the activity id under which a
    call that changes something leaves its record, so that it is not done again when its answer got lost.
    """

    account_id: int
    common: Mapping[str, Any]
    call: Mapping[str, Any]
    record_id: UUID


class Answered(NamedTuple):
    """What came of a call: JSON as it is kept. A failed one is done again when that is asked for."""

    failed: bool
    result: str


class Callee(Protocol):
    """One wire format, as activities call it."""

    async def call(self, asked: Asked) -> Answered:
        """Does the call. Raises only what keeps everything from being done, and is asked again then."""
        ...

    def told(
        self, handle: UUID, calls: Sequence[Mapping[str, Any]], results: AsyncIterator[str | None]
    ) -> AsyncIterator[bytes]:
        """The body that tells of an ended activity, in pieces; handle: what its client knows it by.

        results: a call each, in their order; None of one that was not done.
        """
        ...


#: By name, which an activity keeps.
Callees = Mapping[str, Callee]

#: Opens the callees of a process, given its database, its settings and how it sends messages.
OpenCallees = Callable[[Database, Settings, Send], Callees]

#: Of a process that does no calls.
NOBODY: Callees = MappingProxyType({})
