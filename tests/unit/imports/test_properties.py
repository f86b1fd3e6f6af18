"""What must hold for every file: nothing lost, nothing invented, the same in one go and in steps."""

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st

from engine.errors import InvalidImport
from engine.imports import csv_file, json_lines, lines
from engine.imports.lines import Position
from engine.imports.rows import EMAIL_KEY, Batch, StagedRow, merged
from tests.unit.imports.reading import FIELDS, Import, read_csv, read_json

HEADINGS = ["email", "first_name", "company_name", "city", "zip", "cf:shirt_size", "unknown"]

#: Cells as people have them, with all that needs quotes.
cells = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.text(
    'a ",\r\n;é', max_size=8
)
emails = st.sampled_from(["a@x.org", "A@X.org", "b@x.org", " c@x.org", "d@x.org", "", "nobody", "e@@x"])
table_rows = st.fixed_dictionaries(dict.fromkeys(HEADINGS[1:], cells) | {"email": emails})
tables = st.lists(table_rows, max_size=12)

#: Python's writer, when it is to quote little, does not quote line breaks other than its own.
dialects = st.sampled_from(
    [
        {"quoting": csv.QUOTE_MINIMAL, "lineterminator": "\r\n"},
        {"quoting": csv.QUOTE_ALL, "lineterminator": "\n"},
        {"quoting": csv.QUOTE_ALL, "lineterminator": "\r"},
    ]
)

#: Files as they must not be: all that a reader of CSV minds, in any order.
fragments = st.sampled_from(
    [
        b"a@x.org",
        b"b@x.org",
        b",",
        b",",
        b'"',
        b'"',
        b'""',
        b"\n",
        b"\n",
        b"\r",
        b"\r\n",
        b" ",
        b"\xff",
        b"\0",
        b"xxxxxx",
    ]
)
broken_files = st.lists(fragments, max_size=40).map(lambda parts: b"email,first_name\n" + b"".join(parts))


@given(tables, dialects, st.randoms())
def test_every_row_of_a_table_comes_back_or_is_an_error(
    table: list[dict[str, str]], dialect: dict[str, Any], random: Any
) -> None:
    headings = random.sample(HEADINGS, len(HEADINGS))
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, headings, **dialect)
    writer.writeheader()
    starts = [_write(writer, file, row) for row in table]
    got = read_csv(file.getvalue(), size=1)
    staged = {row["line"]: row for row in got.rows}
    assert sorted([*staged, *(error.line for error in got.errors)]) == starts
    for line, row in zip(starts, table, strict=True):
        if line in staged:
            assert staged[line] == _expected(line, row)
    refused = [row["email"].strip() for row in table if row["email"] in ("", "nobody", "e@@x")]
    assert sorted(error.item for error in got.errors) == sorted(refused)


def _write(writer: Any, file: io.StringIO, row: dict[str, str]) -> int:
    """Write a row; the number of its first line."""
    start = len(file.getvalue().encode().splitlines()) + 1
    writer.writerow(row)
    return start


def _expected(line: int, row: dict[str, str]) -> dict[str, Any]:
    given_cells = {name: cell.strip() for name, cell in row.items() if cell.strip()}
    address = {"city": given_cells.get("city"), "postal_code": given_cells.get("zip")}
    values = {
        "line": line,
        "email": given_cells["email"],
        "email_key": given_cells["email"].lower(),
        "first_name": given_cells.get("first_name"),
        "company_name": given_cells.get("company_name"),
        "custom_values": {"7": given_cells["cf:shirt_size"]} if "cf:shirt_size" in given_cells else None,
        "street_addresses": [{"kind": "home"} | {part: text for part, text in address.items() if text}]
        if any(address.values())
        else None,
    }
    return {name: value for name, value in values.items() if value is not None}


@given(tables)
def test_json_rows_are_read_as_the_same_csv_rows_are(table: list[dict[str, str]]) -> None:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, HEADINGS, quoting=csv.QUOTE_ALL)
    writer.writeheader()
    writer.writerows(table)
    from_csv, from_json = read_csv(file.getvalue()), read_json([{"email": ""}, *table])
    assert [row | {"line": 0} for row in from_json.rows] == [row | {"line": 0} for row in from_csv.rows]
    assert [error.code for error in from_json.errors[1:]] == [error.code for error in from_csv.errors]


@given(tables, st.integers(1, 4))
def test_merging_in_a_batch_is_what_importing_one_after_the_other_would_do(
    table: list[dict[str, str]], size: int
) -> None:
    stored: dict[str, StagedRow] = {}
    for batch in read_json([{"email": ""}, *table], size=size).batches:
        for row in batch.rows:
            stored[row[EMAIL_KEY]] = merged(stored.get(row[EMAIL_KEY], row), row)
    [whole] = read_json([{"email": ""}, *table]).batches
    assert stored == {row[EMAIL_KEY]: row for row in whole.rows}


@given(broken_files, st.integers(1, 5))
@example(b'email,first_name\na@x.org,"A\nb","\nc"x\n', 1)
def test_a_successor_goes_on_exactly_where_a_batch_ended(content: bytes, size: int) -> None:
    file = io.BytesIO(content)
    header = csv_file.read_header(file, FIELDS)
    uninterrupted = list(csv_file.batches(file, header, header.start, size))
    assert list(_one_process_a_batch(content, size)) == uninterrupted


def _one_process_a_batch(content: bytes, size: int) -> Iterator[Batch]:
    position = None
    while True:
        file = io.BytesIO(content)
        header = csv_file.read_header(file, FIELDS)
        batch = next(csv_file.batches(file, header, position or header.start, size), None)
        if batch is None:
            return
        yield batch
        position = Position(**json.loads(json.dumps(asdict(batch.position))))


@given(st.binary(max_size=200) | broken_files, st.integers(1, 3), st.integers(8, 64), st.integers(1, 64))
def test_nothing_breaks_the_reader_and_no_line_is_lost(content: bytes, size: int, record: int, block: int) -> None:
    with patch.object(lines, "RECORD_BYTES", record + 17), patch.object(lines, "BLOCK_BYTES", block):
        try:
            got = read_csv(content, size=size)
        except InvalidImport:
            return
    _assert_whole(got, content)


def _assert_whole(got: Import, content: bytes) -> None:
    read = sum(batch.accepted + len(batch.errors) for batch in got.batches)
    end = got.batches[-1].position if got.batches else got.header.start
    assert end.rows == read
    assert end.offset == len(content)
    assert end.line == len(content.splitlines())
    assert all(len(batch.rows) <= batch.accepted for batch in got.batches)
    numbers = [error.line for error in got.errors]
    assert numbers == sorted(set(numbers))


@given(broken_files)
def test_every_line_that_is_not_blank_is_in_a_row_or_named_by_an_error(content: bytes) -> None:
    got = read_csv(content, size=1)
    before = got.header.start.line
    for batch in got.batches:
        last = batch.position.line
        first = _first_not_blank(content, before, last)
        assert [row[0] for row in batch.rows] + [error.line for error in batch.errors] == [first][: last - first + 1]
        place = f"line {first}: " if first == last else f"lines {first} to {last}: "
        assert all(error.message.startswith(place) for error in batch.errors)
        before = last


def _first_not_blank(content: bytes, before: int, last: int) -> int:
    """The first of some lines, by number, that is not blank; one after the last when all are."""
    numbered = enumerate(content.splitlines()[before:last], before + 1)
    return next((number for number, line in numbered if line.strip()), last + 1)


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader_of_json(content: bytes) -> None:
    file = io.BytesIO(b'["email", "first_name"]\n' + content)
    header = json_lines.read_header(file, {})
    read = list(json_lines.batches(file, header, header.start, 2))
    assert sum(batch.accepted + len(batch.errors) for batch in read) == len(content.splitlines())


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(), max_size=20),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=3,
)
json_members = st.sampled_from([*HEADINGS, "home country", "phone", "birthday_day"]) | st.text(max_size=5)


@given(st.lists(st.dictionaries(json_members, json_values, max_size=6), max_size=6), st.integers(1, 3))
def test_every_json_row_is_staged_or_an_error_that_can_be_stored(table: list[dict[str, Any]], size: int) -> None:
    try:
        got = read_json(table, size=size)
    except InvalidImport:
        return
    assert got.accepted + len(got.errors) == len(table)
    texts = [json.dumps(got.rows, default=str, ensure_ascii=False), *got.header.warnings]
    texts += [error.message + error.item for error in got.errors]
    assert "\0" not in "".join(texts)
    assert "\\u0000" not in "".join(str(row) for batch in got.batches for row in batch.rows)
    "".join(texts).encode()
