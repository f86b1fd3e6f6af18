"""Putting contacts named by number on sets named by number, and taking them off: what dialects do with their groups,
tags, companies and invitations while the caller waits (engine/activities/at_once.py).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from engine.activities.model import Activity, Queue
from engine.activities.operation import MembershipOperation, Plan
from engine.database import Transaction
from engine.errors import UnknownTarget
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.expressions import Numbers
from engine.sets.membership import Change, Mask


@dataclass(frozen=True, slots=True)
class ChangeMembers:
    """Contacts that go on some sets and off others.

    Numbers of nobody, or of deleted contacts, are skipped; where lists are joined so is who has unsubscribed. The
    activity's frozen source (activities/reading.frozen_source) has those who were not. `of`: what all sets must be.
    """

    kind: ClassVar[str] = "members_change"
    queue: ClassVar[Queue] = Queue.ACTIVITIES

    contact_nos: tuple[int, ...]
    on: tuple[int, ...] = ()
    off: tuple[int, ...] = ()
    of: SetKind | None = None

    async def plan(self, tx: Transaction) -> Plan:
        """Raises UnknownTarget for what is not a living list, tag, company or event, or not what it must be."""
        sets = frozenset((*self.on, *self.off))
        kinds = await catalog.kinds_of(tx, sets)
        catalog.insist_on_kinds(kinds, sets)
        if self.of and not {self.of}.issuperset(kinds.values()):
            raise UnknownTarget(f"{', '.join(map(str, sorted(sets)))} must be {self.of.plural}")
        return Plan(
            request={
                "contact_nos": list(dict.fromkeys(self.contact_nos)),
                "on": self.on,
                "off": self.off,
                "mask": _mask(kinds[set_no] for set_no in self.on).name,
            },
            reads=frozenset(),
            writes=sets,
            named=sets,
        )


def _mask(joined: Iterable[SetKind]) -> Mask:
    return Mask.DELETED_AND_UNSUBSCRIBED if SetKind.LIST in joined else Mask.DELETED


class ChangeOfMembers(MembershipOperation):
    """Does the change."""

    async def change(self, _tx: Transaction, activity: Activity) -> Change:
        request: Any = activity.request
        return Change(
            activity.sequence,
            Numbers(tuple(request["contact_nos"])),
            on=tuple(request["on"]),
            off=tuple(request["off"]),
            mask=Mask[request["mask"]],
        )


OPERATIONS = {ChangeMembers.kind: ChangeOfMembers()}
