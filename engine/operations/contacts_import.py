"""Importing contacts from an uploaded CSV file or from JSON rows (contract v3.md 3.8 and 3.9).

The upload lies in the uploads directory under a name of its own. Rows go in batches: staged with COPY, contacts
upserted by e-mail, memberships by set; what a batch did is committed with the place in the file.
"""

import asyncio
import os
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import aclosing, closing
from dataclasses import asdict, dataclass
from operator import itemgetter
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, ClassVar, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from engine import fields
from engine.activities.item_errors import report
from engine.activities.model import Activity, Queue
from engine.activities.operation import Batch, BatchedOperation, Plan, Progress, Resources
from engine.contacts.numbers import Numbers
from engine.database import Transaction
from engine.errors import InvalidImport, ItemError
from engine.imports import csv_file, json_lines, upsert
from engine.imports.columns import Header
from engine.imports.lines import Position
from engine.imports.problems import RowError
from engine.imports.rows import Batch as Rows
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.system import ACTIVE, EXISTS, FIELDS, UNSUBSCRIBED
from engine.settings import Settings

#: What every import may change besides its lists: who exists, who is active, and the fields.
WRITES = frozenset({EXISTS, ACTIVE, UNSUBSCRIBED, FIELDS})
SmsPermission = Literal["explicit", "not_set"]

#: The counters of an import's status (contract v3.md 3.2.4).
COUNTERS = ("person_count", "error_count", "correctable_count", "cannot_add_to_list_count")


class ContactsImport(BaseModel):
    """An uploaded file whose contacts are put on lists.

    file: its name in the uploads directory; cut_at: the bytes that count, if there were more.
    """

    model_config = ConfigDict(frozen=True)
    kind: ClassVar[str]
    queue: ClassVar[Queue] = Queue.BULK

    file: str
    list_ids: tuple[UUID, ...]
    sms_permission: SmsPermission | None = None
    cut_at: int | None = None
    source_file_name: str | None = None

    async def plan(self, tx: Transaction) -> Plan:
        set_nos = await catalog.numbers(tx, SetKind.LIST, self.list_ids)
        return Plan(
            request={
                "file": self.file,
                "lists": set_nos,
                "sms_permission": self.sms_permission,
                "cut_at": self.cut_at,
            },
            reads=frozenset(),
            writes=WRITES | frozenset(set_nos),
            named=frozenset(set_nos),
            source_file_name=self.source_file_name,
        )


class ContactsFileImport(ContactsImport):
    """Imports a CSV file."""

    kind: ClassVar[str] = "contacts_file_import"


class ContactsJsonImport(ContactsImport):
    """Imports rows that came as JSON and are stored as lines (engine/imports/json_lines.py)."""

    kind: ClassVar[str] = "contacts_json_import"


@dataclass(frozen=True, slots=True)
class ImportBatch:
    """Rows to be written as one batch. `lines` estimates the rows of the whole file until the last batch knows."""

    rows: Rows
    warnings: tuple[str, ...]
    lines: int
    numbers: Numbers
    first_contact_no: int

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        written = await upsert.write(tx, activity, self.rows, self.first_contact_no)
        of_rows = sorted([*map(_error, self.rows.errors), *written.row_errors], key=itemgetter(0))
        errors = [*map(_warning, self.warnings), *(error for _, error in of_rows), *written.errors]
        await report(tx, {activity.sequence: errors})
        self.numbers.take(written.created)
        position = self.rows.position
        return Progress(
            cursor={"position": asdict(position), "lines": self.lines},
            items_total=max(self.lines, position.rows),
            items_completed=position.rows,
            counts=_counted(activity.counts, self.rows, written),
            changed_count=written.changed,
            error_count=len(errors),
        )


@dataclass(frozen=True, slots=True)
class LastBatch:
    """Nothing more to write: only now is the number of rows known, and what of the file was left out."""

    end: Position
    rows: int
    errors: Sequence[ItemError]

    async def write(self, tx: Transaction, activity: Activity) -> Progress:
        # A worker may have come so far and died before the end.
        told = activity.cursor is not None and "ended" in activity.cursor
        errors = () if told else self.errors
        await report(tx, {activity.sequence: errors})
        cursor = {"position": asdict(self.end), "lines": self.rows, "ended": True}
        return Progress(cursor, self.rows, self.rows, activity.counts, error_count=len(errors))


class Import(BatchedOperation):
    """Does an import, from a file that `reader` (csv_file or json_lines) understands.

    header_rows: the rows of the file that count as rows but hold no contact (contract v3.md 5, 33).
    """

    def __init__(self, reader: ModuleType, header_rows: int) -> None:
        self._reader = reader
        self._header_rows = header_rows

    async def batches(self, activity: Activity, resources: Resources) -> AsyncGenerator[Batch, None]:
        async with resources.db.account(activity.account_id) as tx:
            custom_fields = await fields.by_name(tx)
        numbers = Numbers(resources.db, activity.account_id)
        path = resources.settings.uploads / str(activity.request["file"])
        with closing(await asyncio.to_thread(_open, path)) as file:
            header: Header = await asyncio.to_thread(self._reader.read_header, file, custom_fields)
            lines, start = await _start(path, header, activity.cursor)
            warnings = () if activity.cursor else header.warnings
            async with aclosing(_ahead(self._rows(file, header, start, resources.settings))) as batches:
                async for batch in batches:
                    first_contact_no = await numbers.reserve(len(batch.rows))
                    yield ImportBatch(batch, warnings, lines, numbers, first_contact_no)
                    warnings, start = (), batch.position
            left_out = [*_rows_left_out(file, start, self._most(resources.settings)), *_bytes_left_out(activity)]
            yield LastBatch(start, start.rows + self._header_rows, [*map(_warning, warnings), *left_out])

    def _rows(self, file: BinaryIO, header: Header, start: Position, settings: Settings) -> Iterator[Rows]:
        """The batches from a position on, until as many rows are read as an import may have."""
        most = self._most(settings)
        while most > start.rows:
            size = min(settings.import_batch_rows, most - start.rows)
            for batch in self._reader.batches(file, header, start, size):
                yield batch
                start = batch.position
                if most - start.rows < size:
                    break
            else:
                return

    def _most(self, settings: Settings) -> int:
        """How many rows with contacts may be processed."""
        return sys.maxsize if settings.import_max_rows is None else settings.import_max_rows - self._header_rows


def cut_csv(path: Path, most_bytes: int | None) -> int | None:
    """Cuts an uploaded file after the last row that is complete within the first bytes; answers them if it was longer.

    Raises InvalidImport when the file has no usable header.
    """
    with path.open("r+b") as file:
        csv_file.read_header(file, {})
        if most_bytes is None or os.fstat(file.fileno()).st_size <= most_bytes:
            return None
        file.truncate(csv_file.end_within(file, most_bytes))
        return most_bytes


OPERATIONS = {
    ContactsFileImport.kind: Import(csv_file, header_rows=1),
    ContactsJsonImport.kind: Import(json_lines, header_rows=0),
}


def _open(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise InvalidImport(f"the uploaded file cannot be read: {error.strerror}") from error


async def _start(path: Path, header: Header, cursor: Mapping[str, Any] | None) -> tuple[int, Position]:
    """How many lines the file has, about, and where reading begins."""
    if cursor:
        return cursor["lines"], Position(**cursor["position"])
    return await asyncio.to_thread(_count_lines, path), header.start


def _count_lines(path: Path) -> int:
    """Line ends outside of quotes, be they LF, CRLF or CR."""
    ends, quoted = [0, 0], False
    with path.open("rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            parts = block.split(b'"')
            outside = b"".join(parts[quoted::2])
            ends = [ends[0] + outside.count(b"\n"), ends[1] + outside.count(b"\r")]
            quoted ^= len(parts) % 2 == 0
    return max(ends)


async def _ahead(rows: Iterator[Rows]) -> AsyncGenerator[Rows, None]:
    """Reads a batch in a thread while the one before it is being written."""
    reading = asyncio.create_task(asyncio.to_thread(next, rows, None))
    try:
        while batch := await reading:
            reading = asyncio.create_task(asyncio.to_thread(next, rows, None))
            yield batch
    finally:
        await asyncio.wait([reading])


def _rows_left_out(file: BinaryIO, end: Position, most: int) -> Iterator[ItemError]:
    if end.rows >= most and end.offset < os.fstat(file.fileno()).st_size:
        message = f"an import may have {most:,} contacts; those after line {end.line:,} were not imported"
        yield ItemError("", "too_many_rows", message)


def _bytes_left_out(activity: Activity) -> Iterator[ItemError]:
    if cut_at := activity.request.get("cut_at"):
        message = f"an import may have {cut_at:,} bytes; rows that are not complete within them were not imported"
        yield ItemError("", "too_many_bytes", message)


def _counted(before: Mapping[str, int], rows: Rows, written: upsert.Written) -> dict[str, int]:
    """The counters after a batch; the contacts are those of the whole import so far."""
    correctable = sum(error.correctable for error in rows.errors)
    added = (0, len(rows.errors) - correctable, correctable, written.unsubscribed)
    counts = {name: before.get(name, 0) + count for name, count in zip(COUNTERS, added, strict=True)}
    return counts | {"person_count": written.contacts}


def _warning(message: str) -> ItemError:
    return ItemError("", "ignored", message)


def _error(error: RowError) -> tuple[int, ItemError]:
    return error.line, ItemError(error.item, error.code, error.message)
