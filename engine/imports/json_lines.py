"""An import that came as JSON rows (contract v3.md 3.9): writing it to a file of lines, and reading that.

The first line is an array of all names that the rows use, each of the others is one row: a row's number is
that of its line, counted from 0.
"""

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from math import isfinite
from typing import Any, BinaryIO

from engine.errors import InvalidImport
from engine.fields import Field
from engine.imports.columns import MOST_CUSTOM_FIELDS, Called, Columns, Header, custom_count, heading_key, read_columns
from engine.imports.lines import RECORD_BYTES, Lines, Position
from engine.imports.problems import Code, Problem, Unreadable
from engine.imports.rows import Batch, Cells, Record, Source, gather

#: What warnings call a name of a row.
MEMBER = Called("member", "a member without a name")
_BEGINNING = Position(line=-1)


def to_lines(names: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The lines to store for rows that use these names, whose values may be anything that JSON knows.

    Raises InvalidImport, at the first line, when there are more names than a line can hold.
    """
    first = _line(names)
    if len(first) > RECORD_BYTES:
        raise InvalidImport(f"the rows of import_data use {len(names):,} different names")
    yield first
    yield from map(_line, rows)


def read_header(file: BinaryIO, custom_fields: Mapping[str, Field]) -> Header:
    """What the first line says. custom_fields: the account's fields by name."""
    lines = Lines(file, _BEGINNING)
    lines.begin()
    try:
        names = json.loads(next(lines))
    except (StopIteration, Unreadable, ValueError, RecursionError):
        names = None
    if not isinstance(names, list):
        raise InvalidImport("the stored rows do not begin with their names")
    columns, warnings = read_columns([str(name) for name in names], custom_fields, MEMBER)
    return Header(columns, len(names), warnings, lines.position())


def batches(file: BinaryIO, header: Header, position: Position, size: int) -> Iterator[Batch]:
    """The rows after a position, which is the header's `start` or that of an earlier batch."""
    lines = Lines(file, position)
    return gather(Source(lines, _records(lines, _places(header.columns)), header.columns, "row"), size)


def _places(columns: Columns) -> Mapping[str, int]:
    """The cell of each key. Keys of one phone number or one part of an address share it: the last of a row wins."""
    first: dict[tuple[str, ...], int] = {}
    shared = {phone.cell: first.setdefault((phone.kind,), phone.cell) for phone in columns.phones}
    shared |= {part.cell: first.setdefault((part.kind, part.part), part.cell) for part in columns.address_parts}
    return {key: shared.get(index, index) for key, index in columns.indexes.items()}


def _records(lines: Lines, places: Mapping[str, int]) -> Iterator[Record]:
    while True:
        line = lines.begin()
        try:
            text = next(lines)
        except StopIteration:
            return
        except Unreadable as error:
            yield line, None, [error.problem]
            continue
        if lines.flaw:
            yield line, None, [lines.flaw]
        else:
            yield line, *_row(text, places)


def _row(text: str, places: Mapping[str, int]) -> tuple[Cells | None, list[Problem]]:
    try:
        row = json.loads(text)
    except (ValueError, RecursionError):
        row = None
    if not isinstance(row, dict):
        return None, [Problem(Code.MALFORMED_JSON, "this is not a JSON object")]
    members = [(heading_key(name), value) for name, value in row.items()]
    problems = _count_problems(key for key, _ in members)
    cells: Cells = defaultdict(str)
    for key, value in members:
        if key in places and (text := _text(key, value, problems).strip()):
            cells[places[key]] = text
    return cells, problems


def _count_problems(keys: Iterable[str]) -> list[Problem]:
    count = custom_count(keys)
    if count <= MOST_CUSTOM_FIELDS:
        return []
    fault = f"there are {count:,} custom fields; give {MOST_CUSTOM_FIELDS} at most"
    return [Problem(Code.TOO_MANY_CUSTOM_FIELDS, fault)]


def _text(key: str, value: object, problems: list[Problem]) -> str:
    """The value as a cell; numbers are text, too."""
    if value is None:
        return ""
    if isinstance(value, bool | list | dict) or (isinstance(value, float) and not isfinite(value)):
        problems.append(Problem(Code.NOT_TEXT, f"{key} is neither text nor a number; use text"))
        return ""
    text = str(value)
    if "\0" in text:
        problems.append(Problem(Code.NUL_CHARACTER, f"{key} holds a NUL character; remove it"))
    return text


def _line(value: object) -> bytes:
    # Half a surrogate pair is JSON but not text: it is written as it is, and its line is then not UTF-8.
    return json.dumps(value, ensure_ascii=False).encode(errors="surrogatepass") + b"\n"
