"""Exporting contacts to a CSV file (contract v3.md 3.10 and 3.15).

Whom it means is decided once, when it starts; from then on nobody has to wait for it. The contacts are written as they
are when their batch comes: one that is deleted meanwhile is exported all the same, as it is then, so that the file has
as many rows as were told.
"""

import asyncio
import csv
import io
from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, Field, StrictBool, WithJsonSchema, model_validator

from engine import fields as custom_fields
from engine import files, sources
from engine.activities import reading as activities
from engine.activities.item_errors import report
from engine.activities.model import Activity, Queue, State
from engine.activities.operation import Batch, BatchedOperation, BulkRequest, Plan, Progress, Resources
from engine.arrays import Sized
from engine.database import Database, Transaction
from engine.errors import ItemError, NotFound
from engine.exports import columns, names, part
from engine.exports.part import NOTHING, Part, Written
from engine.identifiers import Id
from engine.sets import membership, reading
from engine.sets.expressions import EVERYBODY, Contacts, Difference, Expression, Intersection, Matching, Members, reads
from engine.sets.predicates import AllOf
from engine.sets.system import ACTIVE, FIELDS, UNSUBSCRIBED
from engine.settings import Settings
from engine.sources import ContactIds, Exclude, Node, SegmentId, SetIds, Source

#: Chunks of a source that one batch reads into memory at most. Of contacts it writes at most as many as a chunk holds.
MOST_CHUNKS = 256

#: What says whom to export, beside `exclude`.
WAYS = ("contact_ids", "list_ids", "segment_id", "tag_ids", "new_subscriber", "status", "all_active_contacts")

Status = Literal["active", "unsubscribed", "removed"]


def _known(name: str) -> str:
    if name not in columns.COLUMNS:
        raise ValueError(f"there is no such field to export; there are {', '.join(columns.COLUMNS)}")
    return name


FieldName = Annotated[str, AfterValidator(_known), WithJsonSchema({"type": "string", "enum": list(columns.COLUMNS)})]
#: What may be in one request (contract v3.md 3.10); any other two contradict each other.
MAY_MEET = frozenset(
    map(
        frozenset,
        (
            ("contact_ids", "status"),
            ("contact_ids", "all_active_contacts"),
            ("list_ids", "status"),
            ("list_ids", "all_active_contacts"),
            ("list_ids", "exclude"),
            ("list_ids", "new_subscriber"),
            ("new_subscriber", "exclude"),
        ),
    )
)
#: Fields that only mean something beside the address.
OF_EMAIL = frozenset(
    {"email_optin_source", "email_optin_date", "email_optout_source", "email_optout_date", "email_optout_reason"}
)


class ExportExclude(Exclude):
    """Contacts that are left out of an export."""

    contact_ids: Annotated[tuple[Id, ...], Sized(50)] | None = None


class ContactExports(BulkRequest):
    """Whom to export, everybody who is not deleted by default, and which fields; false, null and [] say nothing.

    `status`: `removed` means the deleted ones. `all_active_contacts` means the same as the status `active`. Without
    `fields` all are exported, and all custom fields after them; source, date and reason of opting in or out are only
    given beside `email_address`.
    """

    kind: ClassVar[str] = "contact_exports"
    queue: ClassVar[Queue] = Queue.BULK

    contact_ids: ContactIds | None = None
    list_ids: SetIds | None = None
    segment_id: SegmentId | None = None
    tag_ids: SetIds | None = None
    new_subscriber: StrictBool | None = None
    status: Status | None = None
    all_active_contacts: StrictBool | None = None
    exclude: ExportExclude | None = None
    fields: Annotated[tuple[FieldName, ...], Field(fail_fast=True)] | None = None

    @model_validator(mode="after")
    def _may_be_combined(self) -> Self:
        for one, other in combinations(self._given(), 2):
            if frozenset({one, other}) not in MAY_MEET:
                raise ValueError(f"{one} and {other} cannot be combined")
        return self

    @model_validator(mode="after")
    def _facts_come_with_their_address(self) -> Self:
        asked = [name for name in self.fields or () if name in OF_EMAIL]
        if asked and "email_address" not in (self.fields or ()):
            raise ValueError(f"fields must hold email_address, too, for {asked[0]}")
        return self

    async def plan(self, tx: Transaction) -> Plan:
        request = await self._frozen(tx)
        return Plan(
            request=request,
            reads=reads(await _expression(tx, request)) | await _reads_of_columns(tx, request["fields"]),
            writes=frozenset(),
            named=sources.named_in(request["source"]) if request["source"] else frozenset(),
        )

    def _given(self) -> list[str]:
        """What the request says of whom it means, by name."""
        said = [name for name in WAYS if getattr(self, name) not in (None, False, ())]
        return [*said, "exclude"] if self._excluded() else said

    def _excluded(self) -> tuple[UUID, ...]:
        return (self.exclude and self.exclude.contact_ids) or ()

    async def _frozen(self, tx: Transaction) -> dict[str, Any]:
        """The request as an activity keeps it. Raises UnknownTarget."""
        source = self._source()
        return {
            "source": await sources.freeze(tx, source, None) if source else None,
            "status": "active" if self.all_active_contacts else self.status,
            "excluded": self._excluded(),
            "fields": tuple(dict.fromkeys(self.fields)) if self.fields else None,
        }

    def _source(self) -> Source | None:
        """What chooses the contacts, as a source; none when everybody is meant, or everybody of a status."""
        given = {name: getattr(self, name) for name in self._given() if name in Source.ways}
        given.pop("all_active_contacts", None)
        if len(given) < 2:
            return Source(**given) if given else None
        return Source(expression=Node(intersect=tuple(Node(**{name: value}) for name, value in given.items())))


@dataclass(frozen=True, slots=True)
class Place:
    """Where an export is: whom it means, its columns for custom fields, the next chunk, and what is in the file.

    source: the sequence of the activity that has frozen it; a retry goes on with that of the first.
    custom_fields: their numbers and names.
    """

    source: int
    total: int
    custom_fields: Sequence[tuple[int, str]]
    chunk: int = 0
    done: int = 0
    file: str = ""
    size: int = 0
    checksum: int = 0

    @property
    def written(self) -> Written:
        return Written(self.file, self.size, self.checksum)

    def with_file(self, written: Written) -> Self:
        """The place with this much of a file."""
        return replace(self, file=written.file, size=written.size, checksum=written.checksum)

    def from_the_beginning(self) -> Self:
        """Nothing is in the file yet."""
        return replace(self, chunk=0, done=0).with_file(NOTHING)

    def beginning(self, error_count: int) -> Progress:
        return replace(self.progress(), error_count=error_count, has_read=True)

    def progress(self) -> Progress:
        return Progress(asdict(self), self.total, self.done)


class Beginning:
    """The first batch: decides whom the export means and which columns it has, and lets go of what it has read."""

    place: Place | None = None

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        request = activity.request
        await membership.freeze(tx, activity.sequence, await _expression(tx, request))
        total = await tx.value("count_source", sequence=activity.sequence, batch=0)
        errors = await _left_out(tx, request)
        await report(tx, {activity.sequence: errors})
        numbers = {} if request["fields"] else await custom_fields.numbers(tx)
        self.place = Place(activity.sequence, total, [(number, name) for name, number in numbers.items()])
        return self.place.beginning(len(errors))


class Rows:
    """Each further batch: the contacts of the next chunks of the source; the first of a file writes the headings."""

    def __init__(self, file: Part, fields: Sequence[str], place: Place) -> None:
        self._file = file
        self._fields = fields
        self._place = place
        #: Whether a batch has found nothing more to write.
        self.ended = False

    async def write(self, tx: Transaction, _activity: Activity) -> Progress:
        place = self._place
        if not place.size:
            await self._file.write(_headings(self._fields, place))
        rows = await tx.all("next_source_chunks", source=place.source, chunk=place.chunk, limit=MOST_CHUNKS)
        if rows:
            contact_nos, last = list(reading.members(rows)), rows[-1]["chunk"]
            await self._copy(tx, contact_nos, rows[0]["chunk"], last)
            place = replace(place, chunk=last + 1, done=place.done + len(contact_nos))
        self.ended = not rows
        self._place = place.with_file(await self._file.written())
        return self._place.progress()

    async def _copy(self, tx: Transaction, contact_nos: Sequence[int], first: int, last: int) -> None:
        place, fields = self._place, self._fields
        arguments: list[object] = []
        if columns.needs_names(fields):
            separator = names.new_separator()
            for field, kind in columns.NAMES.items():
                found = await names.of_contacts(tx, kind, place.source, first, last) if field in fields else {}
                arguments.append(separator.join(found.get(contact_no, "") for contact_no in contact_nos))
            arguments.append(separator)
        numbers = [number for number, _ in place.custom_fields]
        statement = columns.select(tx.account_id, contact_nos, fields, numbers)
        await tx.copy_out(statement, arguments, self._file.write)


class Export(BatchedOperation):
    """Exports contacts to a file of the activity's id in the account's folder."""

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        place = Place(**activity.cursor) if activity.cursor else None
        if place is None:
            beginning = Beginning()
            yield beginning
            place = beginning.place
            assert place is not None
        folder = files.exports(resources.settings, activity.account_id)
        async with part.opened(folder, activity.activity_id, activity.fence) as file:
            fields = activity.request["fields"] or list(columns.COLUMNS)
            rows = Rows(file, fields, await _continued(file, folder, place))
            part.discard_parts(folder, activity.activity_id, kept=(file.name, place.file))
            while not rows.ended:
                yield rows
            await asyncio.to_thread(file.finish, folder, activity.activity_id)


async def finished_file(db: Database, settings: Settings, account_id: int, activity_id: UUID) -> Path:
    """Where the file of a completed export is, until its activity is past the retention time. Raises NotFound."""
    activity = await activities.find(db, settings, account_id, activity_id)
    if activity.kind != ContactExports.kind or activity.state is not State.COMPLETED:
        raise NotFound(f"there is no file of activity {activity_id}, or not yet")
    return part.path_of(files.exports(settings, account_id), activity_id)


OPERATIONS = {ContactExports.kind: Export()}


async def _continued(file: Part, folder: Path, place: Place) -> Place:
    """The place where the file goes on: after what an earlier claim has committed, if that is still there."""
    if not place.size:
        return place
    copied = await asyncio.to_thread(file.copy, folder, place.written)
    return place.with_file(copied) if copied.size else place.from_the_beginning()


async def _expression(tx: Transaction, request: Mapping[str, Any]) -> Expression:
    """Whom a frozen request means now."""
    parts = [_with_status(request["status"])]
    if request["source"]:
        chosen = await sources.chosen(tx, request["source"])
        parts.append(Contacts(chosen) if isinstance(chosen, tuple) else chosen)
    return Difference(Intersection(tuple(parts)), Contacts(tuple(map(_id, request["excluded"]))))


def _with_status(status: Status | None) -> Expression:
    """Only with `removed` are deleted contacts meant."""
    match status:
        case "active":
            return Members((ACTIVE,))
        case "unsubscribed":
            return Intersection((Members((UNSUBSCRIBED,)), EVERYBODY))
        case "removed":
            return Difference(Matching(AllOf(())), EVERYBODY)
        case _:
            return EVERYBODY


async def _reads_of_columns(tx: Transaction, fields: Sequence[str] | None) -> frozenset[int]:
    """The contact fields, and the lists and tags whose names are asked for."""
    kinds = [kind for field, kind in columns.NAMES.items() if fields is None or field in fields]
    rows = await tx.all("all_set_numbers", kinds=kinds) if kinds else []
    return frozenset({FIELDS, *(row["set_no"] for row in rows)})


async def _left_out(tx: Transaction, request: Mapping[str, Any]) -> list[ItemError]:
    """Errors for contacts that are named but do not exist, or are deleted where deleted ones are not meant."""
    named = (request["source"] or {}).get("contact_ids")
    if not named:
        return []
    rows = await tx.all("left_out_contacts", contact_ids=list(dict.fromkeys(map(_id, named))))
    return [
        ItemError(str(row["contact_id"]), "contact_deleted", "the contact was deleted")
        if row["deleted"]
        else ItemError(str(row["contact_id"]), "contact_not_found", "there is no such contact")
        for row in rows
        if not (row["deleted"] and request["status"] == "removed")
    ]


def _headings(fields: Sequence[str], place: Place) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow([*fields, *(f"cf:{name}" for _, name in place.custom_fields)])
    return text.getvalue().encode()


def _id(given: UUID | str) -> UUID:
    """An id of a request that was frozen just now, or read from its activity's row."""
    return given if isinstance(given, UUID) else UUID(given)
