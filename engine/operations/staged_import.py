"""Saving the contacts of an import that was put together piece by piece (engine/imports/staged.py; contract w50.md 8).

Each contact is one that is there, all members of the list that have the same values of some fields, or else a new one.
What cannot be saved is an error of the activity, and the rest goes on.
"""

from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from engine import fields
from engine.activities import submission
from engine.activities.item_errors import report
from engine.activities.model import Activity, Queue
from engine.activities.operation import Batch, BatchedOperation, Plan, Progress, Resources
from engine.activities.submission import Submitted
from engine.contacts import field_values, matching, writing
from engine.contacts.changes import Changes
from engine.contacts.decisions import Written
from engine.contacts.matching import Key
from engine.contacts.numbers import Numbers
from engine.database import Database, Transaction
from engine.errors import Conflict, Invalid, ItemError, MusterError
from engine.fields import Field
from engine.imports import staged
from engine.imports.staged import StagedContact
from engine.operations.contact_save import SaveContact
from engine.principals import Principal
from engine.sets.system import ACTIVE, EXISTS, FIELDS, UNSUBSCRIBED
from engine.settings import Settings

#: Contacts of one batch at most.
SIZE = 500

#: What becomes of contacts, as it is counted.
INSERTED, UPDATED, UNCHANGED, DROPPED = "inserted", "updated", "unchanged", "dropped"


@dataclass(frozen=True, slots=True)
class SaveStaged:
    """A request to save the contacts of an import.

    match: numbers of the fields by whose values members of the list are known; calls: numbers of hooks to call for each
    contact that was written.
    """

    kind: ClassVar[str] = "staged_import"
    queue: ClassVar[Queue] = Queue.BULK

    import_no: int
    match: tuple[int, ...] = ()
    calls: tuple[int, ...] = ()

    async def plan(self, tx: Transaction) -> Plan:
        """Raises NotFound, and Conflict when the import has begun."""
        found = await staged.find(tx, self.import_no)
        if found.activity_id is not None:
            raise Conflict(f"import {self.import_no} has begun already")
        sets = frozenset({found.set_no})
        return Plan(
            request={"import_no": self.import_no, "set_no": found.set_no, "match": self.match, "calls": self.calls},
            reads=sets,
            writes=sets | {EXISTS, ACTIVE, UNSUBSCRIBED, FIELDS},
            named=sets,
        )


async def begin(db: Database, settings: Settings, principal: Principal, request: SaveStaged) -> Submitted:
    """Queues the import as an activity. Raises what planning it does, and TooManyActivities."""
    async with db.scheduling(principal.account_id) as tx:
        submitted = await submission.enter(tx, settings, principal, request)
        activity_id = submitted.activity.activity_id
        await tx.run("begin_staged_import", import_no=request.import_no, activity_id=activity_id)
        return submitted


class Place(NamedTuple):
    """Where an import stands: a piece, a contact of it, and the last of those written whom that contact means."""

    part: int = 1
    contact: int = 0
    after: int = 0


@dataclass(frozen=True, slots=True)
class _List:
    """The list, its fields by number, and by which of them members are known."""

    set_no: int
    fields: Mapping[int, Field]
    match: tuple[Field, ...]

    def key(self, contact: StagedContact) -> Key | None:
        """By what the contact is known among the members; None when it lacks a value for that."""
        values = [contact.values.get(each.field_no) for each in self.match]
        keys = [field_values.key(each, value) for each, value in zip(self.match, values, strict=True) if value]
        return tuple(keys) if len(keys) == len(self.match) else None

    def changes(self, contact: StagedContact, left_out: Sequence[Field] = ()) -> Changes:
        """What is said of it, but values of those fields; of deleted fields nothing."""
        said = self._said(contact)
        return field_values.changes({each: value for each, value in said.items() if each not in left_out})

    def new(self, contact: StagedContact) -> Changes:
        return field_values.of_new_member(self.set_no, self.fields.values(), self._said(contact))

    def _said(self, contact: StagedContact) -> Mapping[Field, str | None]:
        return {self.fields[no]: value for no, value in contact.values.items() if no in self.fields}


class _Write(NamedTuple):
    """One write, and the place of its contact in the piece."""

    contact: int
    write: SaveContact


@dataclass(frozen=True, slots=True)
class _Chosen:
    """What is to be done for the contacts of a piece up to `end`: writes in order, and who is left out and why."""

    end: int
    writes: Sequence[_Write]
    left_out: Mapping[int, str]


@dataclass(slots=True)
class SavingBatch:
    """The contacts of a piece from `begun` on, as many as one transaction takes; `next` is where it ended."""

    of_list: _List
    contacts: Sequence[StagedContact]
    begun: Place
    items: int
    numbers: Numbers
    first_contact_no: int
    calls: tuple[int, ...]
    size: int
    next: Place

    @property
    def done(self) -> int:
        """How many of the contacts it has done."""
        return self._end() - self.begun.contact

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        if self.of_list.match:
            await tx.all("lock_names")
        chosen = await self._chosen(tx)
        writes = [each.write for each in chosen.writes]
        results, changed = await writing.write_within(tx, activity, writes, self.first_contact_no)
        self.numbers.take(sum(isinstance(each, Written) and each.created for each in results))
        self.next = self._place_after(chosen, len(results))
        errors = [*self._left_out(chosen), *self._refused(chosen, results)]
        await report(tx, {activity.sequence: errors})
        counts = Counter(activity.counts) + Counter(map(_became, results))
        counts[DROPPED] += len(errors) - sum(isinstance(each, MusterError) for each in results)
        return Progress(
            cursor=self.next._asdict(),
            items_total=self.items,
            items_completed=activity.items_completed + self.done,
            counts=dict(counts),
            changed_count=changed,
            error_count=len(errors),
        )

    async def _chosen(self, tx: Transaction) -> _Chosen:
        """What to do for as many contacts as can be looked up at once; for one at least."""
        start = self.begun.contact
        size = min(self.size, len(self.contacts) - start)
        while True:
            end = start + self._apart(self.contacts[start : start + size])
            keys = {key for each in self.contacts[start:end] if (key := self.of_list.key(each))}
            members = await matching.members_by_key(tx, self.of_list.set_no, self.of_list.match, keys)
            if members is not None:
                return self._planned(end, members)
            if size == 1:
                return _Chosen(end, (), {start: f"more than {matching.MOST:,} contacts match"})
            size = max(1, size // 2)

    def _apart(self, contacts: Sequence[StagedContact]) -> int:
        """How many of the first are known by different values: one may be whom an earlier one makes."""
        keys = set[Key]()
        for place, contact in enumerate(contacts):
            key = self.of_list.key(contact) if self.of_list.match else None
            if key is not None and key in keys:
                return place
            keys.update(() if key is None else (key,))
        return len(contacts)

    def _planned(self, end: int, members: Mapping[Key, Sequence[int]]) -> _Chosen:
        writes, left_out = list[_Write](), dict[int, str]()
        for place in range(self.begun.contact, end):
            try:
                writes += [_Write(place, write) for write in self._writes(place, members)]
            except Invalid as error:
                left_out[place] = error.message
        return _Chosen(end, writes, left_out)

    def _writes(self, place: int, members: Mapping[Key, Sequence[int]]) -> list[SaveContact]:
        """What to write for a contact. Raises Invalid when there is nothing, or it means nobody."""
        contact, of_list = self.contacts[place], self.of_list
        if not contact.values:
            raise Invalid("it has no value of a field")
        if not of_list.match:
            if contact.contact_no == 0:
                raise Invalid("its id is not of a contact of the list")
            changes = of_list.new(contact) if contact.contact_no is None else of_list.changes(contact)
            return [self._save(contact.contact_no, changes)]
        key = of_list.key(contact)
        if key is None:
            raise Invalid("it lacks a value by which contacts are known")
        if not (meant := members.get(key, ())):
            return [self._save(None, of_list.new(contact))]
        changes = of_list.changes(contact, of_list.match)
        after = self.begun.after if place == self.begun.contact else 0
        return [self._save(contact_no, changes) for contact_no in meant if contact_no > after]

    def _save(self, contact_no: int | None, changes: Changes) -> SaveContact:
        return SaveContact(contact_no, changes, twins=True, calls=self.calls)

    def _place_after(self, chosen: _Chosen, done: int) -> Place:
        """Where the next batch begins, after so many of the writes."""
        part, end, after = self.begun.part, chosen.end, 0
        if done < len(chosen.writes):
            end, last = chosen.writes[done].contact, chosen.writes[done - 1]
            after = (last.write.contact_no or 0) if last.contact == end else 0
        return Place(part, end, after) if end < len(self.contacts) else Place(part + 1)

    def _end(self) -> int:
        """The first contact of the piece that is not done."""
        return self.next.contact if self.next.part == self.begun.part else len(self.contacts)

    def _left_out(self, chosen: _Chosen) -> Iterator[ItemError]:
        for place, message in chosen.left_out.items():
            if place < self._end():
                yield self._error(place, "not_saved", message)

    def _refused(self, chosen: _Chosen, results: Sequence[Written | MusterError]) -> Iterator[ItemError]:
        for each, result in zip(chosen.writes, results, strict=False):
            if isinstance(result, MusterError):
                yield self._error(each.contact, result.code, result.message)

    def _error(self, place: int, code: str, message: str) -> ItemError:
        where = f"part {self.begun.part}, contact {place + 1}"
        return ItemError(where, code, message)


class SavingOfStaged(BatchedOperation):
    """Saves the contacts, piece by piece."""

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        request, account_id = activity.request, activity.account_id
        async with resources.db.account(account_id) as tx:
            found = await staged.find(tx, request["import_no"])
            known = {each.field_no: each for each in await fields.of_list(tx, found.set_no)}
        of_list = _List(found.set_no, known, tuple(known[no] for no in request["match"] if no in known))
        if len(of_list.match) < len(request["match"]):
            raise Invalid("a field by which contacts are known was deleted")
        numbers, place, size = Numbers(resources.db, account_id), Place(**(activity.cursor or {})), SIZE
        while place.part <= found.parts:
            async with resources.db.account(account_id) as tx:
                contacts = await staged.part(tx, found.import_no, place.part)
            while place.contact < len(contacts):
                first = await numbers.reserve(min(size, len(contacts) - place.contact))
                batch = SavingBatch(
                    of_list, contacts, place, found.contacts, numbers, first, tuple(request["calls"]), size, place
                )
                yield batch
                # Where contacts get in each other's way, no more are looked up than can be written.
                size = min(SIZE, max(1, 2 * batch.done))
                if batch.next.part != place.part:
                    break
                place = batch.next
            place = Place(place.part + 1)


OPERATIONS = {SaveStaged.kind: SavingOfStaged()}


def _became(result: Written | MusterError) -> str:
    if isinstance(result, MusterError):
        return DROPPED
    if result.created:
        return INSERTED
    return UPDATED if result.changed else UNCHANGED
