"""Deleting lists (contract v3.md 2.2 and 3.7): their memberships go with them, contacts stay."""

from typing import Annotated, ClassVar

from engine.activities.operation import BulkRequest, Plan
from engine.arrays import Sized
from engine.database import Transaction
from engine.identifiers import Id
from engine.operations import sets_delete
from engine.operations.sets_delete import DeletionOfSets
from engine.sets import catalog
from engine.sets.catalog import SetKind


class DeleteLists(BulkRequest):
    """Deletes every list that is named."""

    kind: ClassVar[str] = "list_delete"

    list_ids: Annotated[tuple[Id, ...], Sized(100, least=1)]

    async def plan(self, tx: Transaction) -> Plan:
        return sets_delete.plan(await catalog.numbers(tx, SetKind.LIST, self.list_ids))


OPERATIONS = {DeleteLists.kind: DeletionOfSets()}
