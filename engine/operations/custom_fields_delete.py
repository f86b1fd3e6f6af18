"""Deleting custom fields (contract v3.md 2.4 and 3.7): nobody sees their values any more, then these are erased.

First the fields are marked as deleted; then the contacts are gone through in batches, by number.
"""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from engine import accounts, fields
from engine.activities import submission
from engine.activities.item_errors import report
from engine.activities.model import Activity, Queue
from engine.activities.operation import Batch, BatchedOperation, BulkRequest, Plan, Progress, Resources
from engine.activities.submission import Submitted
from engine.arrays import Sized
from engine.database import Database, Transaction
from engine.errors import NotFound
from engine.identifiers import Id
from engine.principals import Principal
from engine.sets.system import FIELDS
from engine.settings import Settings


class DeleteCustomFields(BulkRequest):
    """Deletes every custom field that is named, and erases its values."""

    kind: ClassVar[str] = "custom_fields_delete"
    queue: ClassVar[Queue] = Queue.BULK

    custom_field_ids: Annotated[tuple[Id, ...], Sized(100, least=1)]

    async def plan(self, tx: Transaction) -> Plan:
        doomed = await fields.numbers_of(tx, self.custom_field_ids)
        return Plan({"delete": doomed, "erase": doomed}, reads=frozenset(), writes=frozenset({FIELDS}))


@dataclass(frozen=True, slots=True)
class EraseValues:
    """Erases what is left of fields that are deleted already. Nobody asked for this activity, so it is not listed."""

    kind: ClassVar[str] = DeleteCustomFields.kind
    queue: ClassVar[Queue] = DeleteCustomFields.queue

    field_nos: tuple[int, ...]

    async def plan(self, _tx: Transaction) -> Plan:
        request = {"delete": [], "erase": self.field_nos}
        return Plan(request, reads=frozenset(), writes=frozenset({FIELDS}), listed=False)


async def delete_at_once(db: Database, settings: Settings, principal: Principal, field_no: int) -> Submitted:
    """Deletes one field of any scope now, and has an activity erase its values (contract v3.md 2.4).

    Raises NotFound, and TooManyActivities; then nothing is deleted.
    """
    async with db.scheduling(principal.account_id) as tx:
        if not await fields.delete(tx, [field_no]):
            raise NotFound(f"there is no custom field {field_no}")
        return await submission.enter(tx, settings, principal, EraseValues((field_no,)))


class Marking:
    """The first step: the fields are gone from all views."""

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        doomed = activity.request["delete"]
        deleted = await fields.delete(tx, doomed)
        errors = await fields.gone_errors(tx, set(doomed) - deleted)
        await report(tx, {activity.sequence: errors})
        counts = {"fields": len(doomed), "deleted": len(deleted)}
        return Progress({"through": 0}, items_total=0, items_completed=0, counts=counts, error_count=len(errors))


@dataclass(frozen=True, slots=True)
class Erasure:
    """Erases the values of contacts numbered from `after`, exclusive, to `through`, of `last` in the account."""

    after: int
    through: int
    last: int

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        scope = {
            "sequence": activity.sequence,
            "field_nos": list(map(str, activity.request["erase"])),
            "after": self.after,
            "through": self.through,
        }
        await tx.run("keep_values_before", **scope)
        erased = await tx.run("erase_values", **scope)
        return Progress({"through": self.through}, self.last, self.through, activity.counts, changed_count=erased)


class DeletionOfCustomFields(BatchedOperation):
    """Does any request that deletes custom fields, or erases their values. `numbers`: of contacts in a batch."""

    def __init__(self, numbers: int = 10_000) -> None:
        self._numbers = numbers

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        if activity.cursor is None:
            yield Marking()
        done = activity.cursor["through"] if activity.cursor else 0
        async with resources.db.account(activity.account_id) as tx:
            last = await accounts.last_contact_number(tx)
        for after in range(done, last, self._numbers):
            yield Erasure(after, min(after + self._numbers, last), last)


OPERATIONS = {DeleteCustomFields.kind: DeletionOfCustomFields()}
