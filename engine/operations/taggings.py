"""Putting tags on contacts and taking them off (contract v3.md 3.6)."""

from typing import Annotated, ClassVar

from engine.arrays import Sized
from engine.database import Transaction
from engine.identifiers import Id
from engine.operations.memberships import ChangeOfSets, MembershipRequest
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.membership import Mask


class TaggingsRequest(MembershipRequest):
    """A source, and the tags to change."""

    tag_ids: Annotated[tuple[Id, ...], Sized(50, least=1)]


class AddTaggings(TaggingsRequest):
    """Puts every tag on everybody of the source; who was deleted is skipped."""

    kind: ClassVar[str] = "contacts_taggings_add"

    async def targets(self, tx: Transaction) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return await catalog.numbers(tx, SetKind.TAG, self.tag_ids), ()


class RemoveTaggings(TaggingsRequest):
    """Takes every tag off everybody of the source; who was deleted has none, and is reported."""

    kind: ClassVar[str] = "contacts_taggings_remove"

    async def targets(self, tx: Transaction) -> tuple[tuple[int, ...], tuple[int, ...]]:
        return (), await catalog.numbers(tx, SetKind.TAG, self.tag_ids)


OPERATIONS = {
    AddTaggings.kind: ChangeOfSets(Mask.DELETED),
    RemoveTaggings.kind: ChangeOfSets(Mask.DELETED),
}
