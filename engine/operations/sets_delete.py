"""Deleting named sets as a whole: what the kinds that do it have in common.

With a list go the custom fields of its members: nobody sees them any more at once, and an activity erases their values.
"""

from engine import fields
from engine.activities.model import Activity
from engine.activities.operation import Done, Plan, WholeOperation
from engine.database import Transaction
from engine.operations.custom_fields_delete import EraseValues
from engine.sets import deletion


def plan(set_nos: tuple[int, ...]) -> Plan:
    """What is kept of a request to delete these sets: it writes them, so it waits for all who read or write them."""
    return Plan({"sets": set_nos}, reads=frozenset(), writes=frozenset(set_nos), named=frozenset(set_nos))


class DeletionOfSets(WholeOperation):
    """Does any request that deletes sets."""

    async def write(self, tx: Transaction, activity: Activity) -> Done:
        set_nos = activity.request["sets"]
        result = await deletion.delete(tx, activity.sequence, set_nos)
        doomed = await fields.delete_of_lists(tx, set_nos)
        return Done(result, [EraseValues(doomed)] if doomed else ())
