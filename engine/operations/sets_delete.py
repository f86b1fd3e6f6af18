"""Deleting named sets as a whole: any of them by number, and what the kinds that delete them by id do.

With a list go the custom fields of its members: nobody sees them any more at once, and an activity erases their values.
"""

from dataclasses import dataclass
from typing import ClassVar

from engine import fields
from engine.activities.model import Activity, Queue
from engine.activities.operation import Done, Plan, WholeOperation
from engine.database import Transaction
from engine.errors import UnknownTarget
from engine.operations.custom_fields_delete import EraseValues
from engine.sets import catalog, deletion
from engine.sets.catalog import SetKind


def plan(set_nos: tuple[int, ...]) -> Plan:
    """What is kept of a request to delete these sets: it writes them, so it waits for all who read or write them."""
    return Plan({"sets": set_nos}, reads=frozenset(), writes=frozenset(set_nos), named=frozenset(set_nos))


@dataclass(frozen=True, slots=True)
class DeleteSets:
    """Deletes sets of one kind, by number."""

    kind: ClassVar[str] = "sets_delete"
    queue: ClassVar[Queue] = Queue.ACTIVITIES

    of: SetKind
    set_nos: tuple[int, ...]

    async def plan(self, tx: Transaction) -> Plan:
        """Raises UnknownTarget."""
        known = await catalog.by_numbers(tx, self.of, self.set_nos)
        for set_no in self.set_nos:
            if set_no not in known:
                raise UnknownTarget(f"there is no {self.of} {set_no}")
        return plan(tuple(known))


class DeletionOfSets(WholeOperation):
    """Does any request that deletes sets."""

    async def write(self, tx: Transaction, activity: Activity) -> Done:
        set_nos = activity.request["sets"]
        result = await deletion.delete(tx, activity.sequence, set_nos)
        # Whoever deletes a field at once has it before the field, and this one wants it to finish.
        await tx.run("lock_account")
        doomed = await fields.delete_of_lists(tx, set_nos)
        return Done(result, [EraseValues(doomed)] if doomed else ())


OPERATIONS = {DeleteSets.kind: DeletionOfSets()}
