"""What the kinds that delete named sets have in common: a request that names them, and deleting them as a whole."""

from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from engine.activities.model import Activity, Queue
from engine.activities.operation import Plan, WholeOperation
from engine.database import Transaction
from engine.sets import deletion
from engine.sets.membership import Result


class DeletionRequest(BaseModel):
    """A request to delete sets."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    kind: ClassVar[str]
    queue: ClassVar[Queue] = Queue.ACTIVITIES


def plan(set_nos: tuple[int, ...]) -> Plan:
    """What is kept of a request to delete these sets: it writes them, so it waits for all who read or write them."""
    return Plan(
        request={"sets": set_nos},
        reads=frozenset(),
        writes=frozenset(set_nos),
        named=frozenset(set_nos),
    )


class DeletionOfSets(WholeOperation):
    """Does any request that deletes sets."""

    async def write(self, tx: Transaction, activity: Activity) -> Result:
        return await deletion.delete(tx, activity.sequence, activity.request["sets"])
