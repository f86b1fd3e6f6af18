import io
from typing import Any

import pytest

from engine.errors import InvalidImport
from engine.imports import json_lines
from engine.imports.lines import RECORD_BYTES
from tests.unit.imports.reading import read_json


def test_the_row_of_the_contract() -> None:
    """Contract v3.md 3.9."""
    got = read_json(
        [
            {
                "email": "kim@example.org",
                "first_name": "Kim",
                "birthday_month": 5,
                "birthday_day": 17,
                "cf:shirt_size": "M",
            }
        ]
    )
    assert got.rows == [
        {
            "line": 1,
            "email": "kim@example.org",
            "email_key": "kim@example.org",
            "first_name": "Kim",
            "birthday_month": 5,
            "birthday_day": 17,
            "custom_values": {"7": "M"},
        }
    ]


def test_rows_with_different_members_are_numbered_from_one() -> None:
    got = read_json(
        [
            {"email": "a@x.org", "home country": "Peru", "work_phone": "1"},
            {"first_name": "Bo"},
            {"LAST_NAME": "Cy\r\n\u2028", "email": "c@x.org", "first_name": None},
            {},
        ]
    )
    assert got.rows[0]["street_addresses"] == [{"kind": "home", "country": "Peru"}]
    assert got.rows[0]["phone_numbers"] == [{"kind": "work", "phone_number": "1"}]
    assert got.rows[1] == {"line": 3, "email": "c@x.org", "email_key": "c@x.org", "last_name": "Cy"}
    assert got.codes == [(2, "missing_email"), (4, "missing_name_and_email")]
    assert got.errors[0].message == "row 2: email is blank; give one"


def test_unknown_members_are_ignored_with_one_warning_each() -> None:
    """Contract v3.md 3.9: of a missing custom field the value is dropped, with one string."""
    got = read_json([{"email": "a@x.org", "colour": "red", " ": 1}, {"email": "b@x.org", "Colour": [], "cf:none": {}}])
    assert got.header.warnings == (
        "unknown member `colour`: its values are ignored",
        "a member without a name: its values are ignored",
        "unknown custom field `none`: its values are ignored",
    )
    assert got.emails == ["a@x.org", "b@x.org"]


def test_numbers_are_text() -> None:
    [row] = read_json([{"email": "a@x.org", "zip": 15001, "cf:vehicle": 2.5, "job_title": -7}]).rows
    assert row["street_addresses"] == [{"kind": "home", "postal_code": "15001"}]
    assert (row["custom_values"], row["job_title"]) == ({"8": "2.5"}, "-7")


@pytest.mark.parametrize("value", [[], ["Kim"], {}, {"a": 1}, True, False])
def test_other_values_are_row_errors(value: Any) -> None:
    got = read_json([{"email": "a@x.org", "first_name": value}, {"email": "b@x.org"}])
    assert got.codes == [(1, "not_text")]
    assert got.errors[0].item == "a@x.org"
    assert got.emails == ["b@x.org"]


def test_what_postgresql_cannot_store_is_a_row_error() -> None:
    got = read_json(
        [
            {"email": "a@x.org", "first_name": "A\0l"},
            {"email": "b@x.org", "cf:vehicle": "\ud800"},
            {"email": "\0@x"},
        ]
    )
    assert got.codes == [(1, "nul_character"), (2, "not_utf8"), (3, "nul_character")]
    assert not any("\0" in error.item + error.message for error in got.errors)


def test_limits_of_a_row() -> None:
    """Contract v3.md 3.9: 25 custom fields in one row."""
    fields = {f"cf:{number}": "x" for number in range(26)}
    got = read_json([{"email": "a@x.org"} | fields, {"email": "b@x.org", "first_name": "x" * RECORD_BYTES}])
    assert got.codes == [(1, "too_many_custom_fields"), (2, "too_large")]


def test_more_than_25_custom_fields_in_all_are_fine() -> None:
    """Contract v3.md 3.9: 25 are those of one row."""
    assert read_json([{"email": f"a{number}@x.org", f"cf:{number}": "x"} for number in range(40)]).errors == []


def test_rows_without_any_email_are_row_errors() -> None:
    """Contract v3.md 3.9: the job ends `completed` even when every row failed."""
    assert read_json([{"first_name": "Kim"}, {}]).codes == [(1, "missing_email"), (2, "missing_name_and_email")]


@pytest.mark.parametrize("first", [{"email": "a@x.org"}, {"email": "a@x.org", "phone": "0", "other_phone": "0"}])
def test_of_two_members_for_one_place_the_last_of_the_row_wins(first: dict[str, str]) -> None:
    """Contract v3.md 3.9: several phone keys of one kind; a blank one gives nothing."""
    rows: list[dict[str, str]] = [
        {"email": "b@x.org", "other_phone": "1", "phone": "2", "city": "Oslo", "home_city": "Bergen"},
        {"email": "c@x.org", "phone": "2", "other_phone": "1", "home_city": "Bergen", "city": "Oslo"},
        {"email": "d@x.org", "phone": "2", "other_phone": " "},
    ]
    got = read_json([first, *rows])
    assert [row["phone_numbers"][0]["phone_number"] for row in got.rows[1:]] == ["2", "1", "2"]
    assert [row["street_addresses"][0]["city"] for row in got.rows[1:3]] == ["Bergen", "Oslo"]


def test_names_without_end_are_refused() -> None:
    with pytest.raises(InvalidImport, match="100,000 different names"):
        next(json_lines.to_lines([f"member {number}" for number in range(100_000)], []))


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n", b"[" * 100_000, b"\xff\n", b"1\n", b"x" * (2 * RECORD_BYTES)])
def test_a_file_that_is_not_ours_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidImport):
        json_lines.read_header(io.BytesIO(content), {})


def test_lines_that_are_not_ours_are_row_errors() -> None:
    file = io.BytesIO(b'["email"]\n[]\n{"email":\n\n' + b"[" * 100_000 + b'\n{"email":"a@x.org"}\n{"email":"b')
    header = json_lines.read_header(file, {})
    [batch] = json_lines.batches(file, header, header.start, 100)
    assert [(error.line, error.code) for error in batch.errors] == [(n, "malformed_json") for n in (1, 2, 3, 4, 6)]
    assert len(batch.rows) == 1
