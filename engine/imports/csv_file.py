"""Reading an import from a CSV file on disk (contract v3.md 3.8; RFC 4180).

UTF-8, with a byte order mark or without, lines ended by LF, CRLF or CR. The file is never held as a whole.
"""

import csv
from collections.abc import Iterator, Mapping
from typing import BinaryIO

from engine.errors import InvalidImport
from engine.fields import Field
from engine.imports.columns import MOST_CUSTOM_FIELDS, NOWHERE, Called, Header, custom_count, read_columns
from engine.imports.lines import Lines, Position
from engine.imports.problems import Code, Problem, Unreadable, quoted
from engine.imports.rows import Batch, Record, Source, gather

#: What warnings call the name of a column.
HEADING = Called("heading", "a column without a heading")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def read_header(file: BinaryIO, custom_fields: Mapping[str, Field]) -> Header:
    """What the first line that is not blank says.

    custom_fields: the account's fields by name; none will do to check a file.
    Raises InvalidImport when the file has no usable header.
    """
    lines = Lines(file, _beginning(file))
    headings = _headings(lines)
    columns, warnings = read_columns(headings, custom_fields, HEADING)
    if columns.email == NOWHERE:
        shown = quoted(",".join(headings))
        raise InvalidImport(f"there is no heading `email`; the headings, between commas, are: {shown}")
    count = custom_count(headings)
    if count > MOST_CUSTOM_FIELDS:
        raise InvalidImport(f"the headings name {count:,} custom fields; use {MOST_CUSTOM_FIELDS} at most")
    return Header(columns, len(headings), warnings, lines.position())


def batches(file: BinaryIO, header: Header, position: Position, size: int) -> Iterator[Batch]:
    """The rows after a position, which is the header's `start` or that of an earlier batch."""
    lines = Lines(file, position)
    return gather(Source(lines, _records(lines, header.width), header.columns, "line"), size)


def end_within(file: BinaryIO, most_bytes: int) -> int:
    """How many bytes the rows take that are complete within the first `most_bytes`, the headings included.

    Raises InvalidImport as `read_header`.
    """
    lines = Lines(file, read_header(file, {}).start)
    end = lines.offset
    for _ in _split(lines):
        if lines.offset > most_bytes:
            break
        end = lines.offset
    return end


def _beginning(file: BinaryIO) -> Position:
    file.seek(0)
    return Position(len(_BYTE_ORDER_MARK) if file.read(3) == _BYTE_ORDER_MARK else 0)


def _headings(lines: Lines) -> list[str]:
    for _, cells, problems in _split(lines):
        if problems:
            raise InvalidImport(f"the line of headings: {problems[0].text}")
        if cells is not None:
            return cells
    raise InvalidImport("the file is empty; it needs a line of headings, `email` among them")


def _records(lines: Lines, width: int) -> Iterator[Record]:
    for line, cells, problems in _split(lines):
        if cells is None:
            yield line, None, problems
        elif len(cells) == width:
            cells.append("")  # NOWHERE
            yield line, cells, problems
        else:
            count = "1 cell" if len(cells) == 1 else f"{len(cells):,} cells"
            fault = f"{count} where the header has {width:,}; is a comma or quote missing?"
            yield line, None, [Problem(Code.WRONG_NUMBER_OF_CELLS, fault)]


def _split(lines: Lines) -> Iterator[tuple[int, list[str] | None, list[Problem]]]:
    """Records as their cells stand in the file: none of a blank line, none of one with a problem."""
    reader = csv.reader(lines, strict=True)
    while True:
        line = lines.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except (Unreadable, csv.Error) as error:
            lines.keep_first()
            yield line, None, [_problem(error)]
            continue
        if lines.flaw:
            yield line, None, [lines.flaw]
        else:
            yield line, None if len(cells) < 2 and lines.is_blank() else cells, []


def _problem(error: Unreadable | csv.Error) -> Problem:
    if isinstance(error, Unreadable):
        return error.problem
    if "field limit" in str(error):  # the csv module has one class for all its errors
        limit = csv.field_size_limit()
        return Problem(Code.TOO_LARGE, f"a cell has more than {limit:,} characters; is a quote missing?")
    return Problem(Code.MALFORMED_QUOTES, f'{error}; write "" for a quote in a cell, and quotes around the cell')
