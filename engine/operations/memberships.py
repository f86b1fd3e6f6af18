"""What the kinds that put contacts on sets or take them off have in common.

Such a kind is a request with a source and targets; it is kept as the frozen source and the numbers of the sets to turn
on and off, and done as one change (engine/sets/membership.py).
"""

from abc import abstractmethod
from typing import Any, Self

from pydantic import model_validator

from engine import sources
from engine.activities.model import Activity
from engine.activities.operation import BulkRequest, MembershipOperation, Plan
from engine.database import Transaction
from engine.sets.membership import Change, Mask
from engine.sources import Exclude, Source

#: An activity that names contacts may share a transaction when contacts times targets are at most this many.
SMALL = 500


class MembershipRequest(BulkRequest):
    """A request to put the contacts of a source on sets, or to take them off."""

    source: Source
    exclude: Exclude | None = None

    @model_validator(mode="after")
    def _excludes_from_a_selection(self) -> Self:
        if self.source.contact_ids and self.exclude and self.exclude.contact_ids:
            raise ValueError("exclude does not go with source.contact_ids; leave those contacts out of it instead")
        return self

    @abstractmethod
    async def targets(self, tx: Transaction) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """The sets to turn on, and those to turn off. Raises UnknownTarget."""

    async def plan(self, tx: Transaction) -> Plan:
        frozen = await sources.freeze(tx, self.source, self.exclude)
        on, off = await self.targets(tx)
        named = frozen.get("contact_ids")
        return Plan(
            request={"source": frozen, "on": on, "off": off},
            reads=await sources.reads_of(tx, frozen),
            writes=frozenset((*on, *off)),
            named=frozenset((*on, *off)) | sources.named_in(frozen),
            shareable=named is not None and len(named) * len((*on, *off)) <= SMALL,
        )


class ChangeOfSets(MembershipOperation):
    """Does any membership request, with the mask of its kind."""

    def __init__(self, mask: Mask) -> None:
        self._mask = mask

    async def change(self, tx: Transaction, activity: Activity) -> Change:
        request: Any = activity.request
        return Change(
            activity.sequence,
            await sources.chosen(tx, request["source"]),
            on=tuple(request["on"]),
            off=tuple(request["off"]),
            mask=self._mask,
        )
