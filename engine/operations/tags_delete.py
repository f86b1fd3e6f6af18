"""Deleting tags (contract v3.md 2.3 and 3.7): they are taken off all contacts."""

from typing import Annotated, ClassVar

from engine.activities.operation import BulkRequest, Plan
from engine.arrays import Sized
from engine.database import Transaction
from engine.identifiers import Id
from engine.operations import sets_delete
from engine.operations.sets_delete import DeletionOfSets
from engine.sets import catalog
from engine.sets.catalog import SetKind


class DeleteTags(BulkRequest):
    """Deletes every tag that is named."""

    kind: ClassVar[str] = "contacts_tags_delete"

    tag_ids: Annotated[tuple[Id, ...], Sized(500, least=1)]

    async def plan(self, tx: Transaction) -> Plan:
        return sets_delete.plan(await catalog.numbers(tx, SetKind.TAG, self.tag_ids))


OPERATIONS = {DeleteTags.kind: DeletionOfSets()}
