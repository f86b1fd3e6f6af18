"""Deleting contacts: one at once (contract v3.md 2.1.12), many as an activity (3.7), or while the caller waits.

A deleted contact is kept, and is in no set at all: its bits are cleared, so it leaves no trace in counts.
"""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from uuid import UUID

from pydantic import ConfigDict, model_validator

from engine import sources
from engine.activities.item_errors import report
from engine.activities.model import Activity, Queue
from engine.activities.operation import Batch, BatchedOperation, BulkRequest, Plan, Progress, Resources
from engine.contacts import deletion, record
from engine.contacts.decisions import ContactWrite, Found, Outcome
from engine.contacts.deletion import Run
from engine.database import Transaction
from engine.errors import NotFound
from engine.sets import membership
from engine.sets.catalog import SetKind
from engine.sets.expressions import EVERYBODY, Expression, Intersection, Numbers
from engine.sets.system import ACTIVE, ENGAGEMENT, EXISTS, FIELDS, LEVEL_BY_HAND, UNSUBSCRIBED
from engine.sources import ContactIds, SetIds, Source, one_way

#: What deleting changes for everybody who reads it. Lists and tags are not in it: whoever writes these at the same time
#: does so before or after a batch, and skips who is deleted.
WRITES = frozenset({EXISTS, ACTIVE, UNSUBSCRIBED, FIELDS, LEVEL_BY_HAND, *ENGAGEMENT.values()})
#: The contacts of a batch, about.
CONTACTS_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class DeleteContact(ContactWrite):
    """Deletes one contact, by public id or by number; one that is deleted already is not there."""

    kind: ClassVar[str] = "contact_delete"
    kinds: ClassVar = (*SetKind, "system", "tracking")

    id: UUID | int

    @property
    def contact_id(self) -> UUID | None:
        return self.id if isinstance(self.id, UUID) else None

    @property
    def contact_no(self) -> int | None:
        return None if isinstance(self.id, UUID) else self.id

    def decide(self, found: Found) -> Outcome:
        if not found.row or found.row["deleted_at"] is not None:
            raise NotFound(f"there is no contact {self.id}")
        leaves = frozenset(each.set_no for each in found.sets)
        return Outcome(record.deleted(found.row, found.now), leaves=leaves)


class DeleteContacts(BulkRequest):
    """Deletes contacts that are named, or all members of lists, which stay."""

    kind: ClassVar[str] = DeleteContact.kind
    queue: ClassVar[Queue] = Queue.BULK
    model_config = ConfigDict(json_schema_extra=one_way)
    ways: ClassVar = ("contact_ids", "list_ids")

    contact_ids: ContactIds | None = None
    list_ids: SetIds | None = None

    @model_validator(mode="after")
    def _names_one_way(self) -> Self:
        if bool(self.contact_ids) == bool(self.list_ids):
            raise ValueError("exactly one of contact_ids and list_ids is needed")
        return self

    async def plan(self, tx: Transaction) -> Plan:
        source = Source.model_construct(contact_ids=self.contact_ids, list_ids=self.list_ids)
        frozen = await sources.freeze(tx, source, None)
        return Plan(
            request={"source": frozen, "lists": len(sources.named_in(frozen))},
            reads=await sources.reads_of(tx, frozen),
            writes=WRITES,
            named=sources.named_in(frozen),
        )


@dataclass(frozen=True, slots=True)
class DeleteNumbers:
    """Deletes contacts by number, as many as there are, while the caller waits (engine/activities/at_once.py).

    Numbers of nobody, or of deleted contacts, are skipped; the activity's frozen source (activities/reading) has those
    who were not. It waits for nobody, and nobody waits for it, as no import does for one contact's deletion: whoever
    writes these contacts or their sets at the same time does so before, or skips who is deleted.
    """

    kind: ClassVar[str] = DeleteContact.kind
    queue: ClassVar[Queue] = Queue.BULK

    contact_nos: tuple[int, ...]

    async def plan(self, _tx: Transaction) -> Plan:
        return Plan({"contact_nos": self.contact_nos, "lists": 0}, reads=frozenset(), writes=frozenset())


class Freezing:
    """The first step: whom it means is decided, and who does not exist is reported if it was named by id."""

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        chosen = await _chosen(tx, activity.request)
        found, errors = await membership.freeze_source(tx, activity.sequence, chosen)
        await report(tx, {activity.sequence: errors})
        lists = activity.request["lists"]
        return Progress(
            cursor={"source": activity.sequence, "chunk": -1},
            items_total=found + len(errors),
            items_completed=len(errors),
            counts={"list_count": lists} if lists else {},
            error_count=len(errors),
        )


@dataclass(frozen=True, slots=True)
class Deletion:
    """Deletes the contacts of some chunks of the source that an activity has frozen: itself, or one that it retries."""

    source: int
    run: Run

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        deleted = await deletion.delete(tx, self.source, self.run, activity.sequence, activity.batch)
        return Progress(
            cursor={"source": self.source, "chunk": self.run.last},
            items_total=activity.items_total,
            items_completed=activity.items_completed + self.run.contacts,
            counts=activity.counts,
            changed_count=deleted.changed,
            error_count=deleted.skipped,
        )


class DeletionOfContacts(BatchedOperation):
    """Does any request that deletes contacts. `at_once`: those of a batch, about."""

    def __init__(self, at_once: int = CONTACTS_AT_ONCE) -> None:
        self._at_once = at_once

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        if activity.cursor is None:
            yield Freezing()
        place = activity.cursor or {"source": activity.sequence, "chunk": -1}
        source, after = place["source"], place["chunk"]
        async with resources.db.account(activity.account_id) as tx:
            left = await deletion.runs(tx, source, after=after, contacts=self._at_once)
        for run in left:
            yield Deletion(source, run)


async def _chosen(tx: Transaction, request: Mapping[str, Any]) -> tuple[UUID, ...] | Expression:
    if "contact_nos" in request:
        return Intersection((Numbers(tuple(request["contact_nos"])), EVERYBODY))
    return await sources.chosen(tx, request["source"])


OPERATIONS = {DeleteContacts.kind: DeletionOfContacts()}
