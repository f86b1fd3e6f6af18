"""Deleting named sets as a whole: what the kinds that do it have in common."""

from engine.activities.model import Activity
from engine.activities.operation import Plan, WholeOperation
from engine.database import Transaction
from engine.sets import deletion
from engine.sets.membership import Result


def plan(set_nos: tuple[int, ...]) -> Plan:
    """What is kept of a request to delete these sets: it writes them, so it waits for all who read or write them."""
    return Plan({"sets": set_nos}, reads=frozenset(), writes=frozenset(set_nos), named=frozenset(set_nos))


class DeletionOfSets(WholeOperation):
    """Does any request that deletes sets."""

    async def write(self, tx: Transaction, activity: Activity) -> Result:
        return await deletion.delete(tx, activity.sequence, activity.request["sets"])
