import io
import tracemalloc
from pathlib import Path

import pytest

from engine.imports import csv_file, rows
from engine.imports.lines import BLOCK_BYTES, RECORD_BYTES
from tests.unit.imports.reading import read_csv


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
@pytest.mark.parametrize("last", [True, False])
def test_line_endings_and_byte_order_marks(ending: str, mark: str, last: bool) -> None:
    lines = ["email,first_name", "kim@x.org,Kim", "lee@x.org,Lée", "bad,", "pat@x.org,Pat"]
    got = read_csv(mark + ending.join(lines) + ending * last)
    assert [(row["line"], row["first_name"]) for row in got.rows] == [(2, "Kim"), (3, "Lée"), (5, "Pat")]
    assert got.codes == [(4, "malformed_email")]


def test_quotes_commas_and_line_breaks_in_cells() -> None:
    """Contract v3.md 3.8: CSV; a cell may hold what separates cells and lines."""
    got = read_csv(
        'first_name,email,company_name\r\n"Kim ""K"" Lee",kim@x.org,"Acme,\r\nInc"\r\n"",lee@x.org,"5"" pipes"\r\n'
    )
    assert [(row["line"], row.get("first_name"), row["company_name"]) for row in got.rows] == [
        (2, 'Kim "K" Lee', "Acme,\r\nInc"),
        (4, None, '5" pipes'),
    ]


def test_blank_lines_are_no_rows_but_lines() -> None:
    got = read_csv("\n  \nemail\n\n\nkim@x.org\n \t \n\r\nlee@x.org")
    assert [row["line"] for row in got.rows] == [6, 9]
    assert got.batches[-1].position.rows == 2


def test_a_row_of_blank_cells_is_a_row() -> None:
    assert read_csv('email,first_name\n,\n"",""\n').codes == [
        (2, "missing_name_and_email"),
        (3, "missing_name_and_email"),
    ]
    assert read_csv('email\n""\n').codes == [(2, "missing_name_and_email")]


def test_rows_that_are_not_utf8_or_hold_a_nul() -> None:
    got = read_csv(
        b"email,first_name\nkim@x.org,Ren\xe9\nlee@x.org,Lee\npat@x.org,P\0at\n"
        b'max@x.org,"M\n\xe9\nx"\nsam@x.org,Ren\xc3\xa9\n'
    )
    assert got.emails == ["lee@x.org", "sam@x.org"]
    assert got.codes == [(2, "not_utf8"), (4, "nul_character"), (5, "not_utf8")]
    assert got.errors[2].message.startswith("lines 5 to 7: ")
    assert all(not error.correctable and error.item == "" for error in got.errors)


def test_rows_with_too_few_or_too_many_cells() -> None:
    got = read_csv("email,first_name\nkim@x.org\nlee@x.org,Lee,\npat@x.org,Pat\n")
    assert got.emails == ["pat@x.org"]
    assert got.codes == [(2, "wrong_number_of_cells"), (3, "wrong_number_of_cells")]
    assert "line 2: 1 cell where the header has 2;" in got.errors[0].message


@pytest.mark.parametrize("cut", ["lee@x", "lee@x.org,Lee", 'lee@x.org,Lee,"Acme, In', 'lee@x.org,Lee,"Acme, Inc\n\n\n'])
def test_a_file_cut_off_in_a_row(cut: str) -> None:
    got = read_csv("email,first_name,company_name\nkim@x.org,Kim,Acme\n" + cut)
    assert got.emails == ["kim@x.org"]
    assert got.codes == [(3, "unclosed_quote" if '"' in cut else "wrong_number_of_cells")]


def test_a_stray_quote_does_not_swallow_the_rows_after_it() -> None:
    got = read_csv(
        "email,first_name\n"
        'a@x.org,"Al\n'
        "b@x.org,Bo\n"
        '"c@x.org,Cy\n'
        "d@x.org,Di\n"
        'e@x.org,"Ed\nward"\n'
        'f@x.org,"Flo" Fox\n'
        'g@x.org,"Gus\n'
        "h@x.org,Hal\n"
    )
    assert got.emails == ["b@x.org", "d@x.org", "e@x.org", "h@x.org"]
    assert got.codes == [
        (2, "malformed_quotes"),
        (4, "malformed_quotes"),
        (8, "malformed_quotes"),
        (9, "unclosed_quote"),
    ]


def test_rows_taken_together_are_named() -> None:
    got = read_csv(
        'email,first_name\na@x.org,"Al\nb@x.org,Bo\nc@x.org,Cy"\nd@x.org,Di,"x\ny"\ne@x.org,"E\n' + "x" * 60 + '"'
    )
    assert [error.message.partition(":")[0] for error in got.errors] == ["lines 5 to 6", "lines 7 to 8"]
    assert got.codes == [(5, "wrong_number_of_cells"), (7, "too_long")]
    assert got.rows[0]["first_name"] == "Al\nb@x.org,Bo\nc@x.org,Cy"


def test_reading_stays_linear_however_many_quotes_are_astray() -> None:
    # Each of these lines opens a quote, and neither ends nor breaks the one that another line opened.
    got = read_csv("email,first_name\n" + 'a","\n' * 100_000, size=10_000)
    assert len(got.errors) == 100_000


def test_a_cell_line_or_record_without_end_is_an_error_of_one_row() -> None:
    long_cell, long_line = "x" * 200_000, "y" * (2 * RECORD_BYTES)
    wide = ",".join('"{}\n"'.format("z" * 100_000) for _ in range(12))
    got = read_csv(
        f"email,first_name\na@x.org,{long_cell}\nb@x.org,Bo\nc@x.org,{long_line}\nd@x.org,Di\n"
        f'e@x.org,"{long_line}\nf@x.org,Flo\n{wide}\ng@x.org,Gus\n'
    )
    assert got.emails == ["b@x.org", "d@x.org", "f@x.org", "g@x.org"]
    assert got.codes[:4] == [(2, "too_large"), (4, "too_large"), (6, "too_large"), (8, "too_large")]
    # What the too large record of line 8 had swallowed is read again: its other lines, of broken cells.
    assert [line for line, _ in got.codes[4:]] == list(range(9, 21))


@pytest.mark.parametrize("ending", ["\n", "\r", "\r\n"])
@pytest.mark.parametrize("gap", [0, 1, 2])
def test_a_line_without_end_whose_ending_is_where_blocks_meet(ending: str, gap: int) -> None:
    long_line = "x" * (RECORD_BYTES + BLOCK_BYTES - gap)
    got = read_csv("email" + ending + long_line + ending + "kim@x.org")
    assert got.codes == [(2, "too_large")]
    assert [(row["line"], row["email"]) for row in got.rows] == [(3, "kim@x.org")]


def test_batches_have_the_size_asked_for_and_tell_the_position_after_them() -> None:
    content = "email\n" + "".join(f"contact{number}@x.org\n" for number in range(25))
    got = read_csv(content, size=10)
    assert [len(batch.rows) for batch in got.batches] == [10, 10, 5]
    assert [batch.position.rows for batch in got.batches] == [10, 20, 25]
    assert [batch.position.line for batch in got.batches] == [11, 21, 26]
    assert got.batches[-1].position.offset == len(content)


def test_a_batch_ends_after_some_bytes_also_without_rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "BATCH_BYTES", 1000)
    got = read_csv("email\n" + "\n" * 1500 + "kim@x.org")
    assert [batch.position.line for batch in got.batches] == [1001, 1502]
    assert [len(batch.rows) for batch in got.batches] == [0, 1]


def test_memory_stays_constant_also_without_any_line_break(tmp_path: Path) -> None:
    path = tmp_path / "endless.csv"
    with path.open("wb") as file:
        file.write(b"email\nkim@x.org\n")
        file.truncate(256 << 20)  # NUL characters to the end
    with path.open("rb") as file:
        tracemalloc.start()
        try:
            header = csv_file.read_header(file, {})
            read = list(csv_file.batches(file, header, header.start, 1000))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
    assert [error.code for batch in read for error in batch.errors] == ["too_large"]
    assert sum(len(batch.rows) for batch in read) == 1
    assert peak < 8 * RECORD_BYTES


@pytest.mark.parametrize(
    ("most_bytes", "end"),
    [(0, 11), (11, 11), (20, 11), (21, 21), (22, 21), (34, 21), (35, 35), (44, 35), (45, 45), (99, 45)],
)
def test_where_the_last_row_ends_that_is_complete(most_bytes: int, end: int) -> None:
    """Contract v3.md 3.8: only rows complete within the first bytes are processed; a cell may hold line breaks."""
    content = b'email,name\na@x.org,\r\n"b@x.org","\n"\nc@x.org,ab'
    assert csv_file.end_within(io.BytesIO(content), most_bytes) == end
