"""Putting contacts on lists and taking them off (contract v3.md 3.4 and 3.5)."""

from typing import Annotated, ClassVar

from engine.arrays import Sized
from engine.database import Transaction
from engine.identifiers import Id
from engine.operations.memberships import ChangeOfSets, MembershipRequest
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.membership import Mask


class ListMembershipsRequest(MembershipRequest):
    """A source, and the lists to change."""

    list_ids: Annotated[tuple[Id, ...], Sized(50, least=1)]


class AddListMemberships(ListMembershipsRequest):
    """Puts everybody of the source on every list; who has unsubscribed or was deleted is skipped."""

    kind: ClassVar[str] = "add_list_memberships"

    async def targets(self, tx: Transaction) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return await catalog.numbers(tx, SetKind.LIST, self.list_ids), ()


class RemoveListMemberships(ListMembershipsRequest):
    """Takes everybody of the source off every list; who was deleted is on none, and reported."""

    kind: ClassVar[str] = "remove_list_memberships"

    async def targets(self, tx: Transaction) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (), await catalog.numbers(tx, SetKind.LIST, self.list_ids)


OPERATIONS = {
    AddListMemberships.kind: ChangeOfSets(Mask.DELETED_AND_UNSUBSCRIBED),
    RemoveListMemberships.kind: ChangeOfSets(Mask.DELETED),
}
