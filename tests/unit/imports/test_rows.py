from datetime import date
from typing import Any

import pytest

from engine.imports.columns import TEXTS
from engine.imports.problems import CORRECTABLE, Code
from engine.imports.rows import EMAIL_KEY, STAGING_COLUMNS, stage
from tests.unit.imports.reading import read_csv


def row(**cells: str) -> Any:
    """A file of one row."""
    headings = ",".join(cells)
    values = ",".join('"{}"'.format(cell.replace('"', '""')) for cell in cells.values())
    return read_csv(f"{headings}\n{values}\n")


def test_the_columns_that_code_counts_on() -> None:
    assert STAGING_COLUMNS[EMAIL_KEY] == "email_key"
    assert STAGING_COLUMNS[-4:] == ("custom_values", "phone_numbers", "street_addresses", "sms_channel")
    header = read_csv("email").header
    assert len(stage(header.columns, 1, ["kim@example.org", ""], [])) == len(STAGING_COLUMNS)


def test_a_row_with_everything() -> None:
    """Contract v3.md 3.8: where each heading goes; `phone` is of kind other, an address without a kind of home."""
    headings = (
        "email,first_name,last_name,job_title,company_name,birthday_month,birthday_day,anniversary,"
        "phone,mobile_phone,street,street2,city,state,zip,country,work_city,cf:SHIRT_size,cf:vehicle"
    )
    cells = (
        " Kim@Example.org ,Kim,Lee,Engineer,Acme,05,7,11/15/2006,"
        "555 1,555 2,1 Main St,Flat 2,Lima,LI,15001,Peru,Cusco,M,Bicycle"
    )
    assert read_csv(f"{headings}\n{cells}\n").rows == [
        {
            "line": 2,
            "email": "Kim@Example.org",
            "email_key": "kim@example.org",
            "first_name": "Kim",
            "last_name": "Lee",
            "job_title": "Engineer",
            "company_name": "Acme",
            "birthday_month": 5,
            "birthday_day": 7,
            "anniversary": date(2006, 11, 15),
            "custom_values": {"7": "M", "8": "Bicycle"},
            "phone_numbers": [
                {"kind": "other", "phone_number": "555 1"},
                {"kind": "mobile", "phone_number": "555 2"},
            ],
            "street_addresses": [
                {
                    "kind": "home",
                    "street": "1 Main St Flat 2",
                    "city": "Lima",
                    "state": "LI",
                    "postal_code": "15001",
                    "country": "Peru",
                },
                {"kind": "work", "city": "Cusco"},
            ],
        }
    ]


def test_blank_cells_leave_everything_alone() -> None:
    """Contract v3.md 3.9: a blank value."""
    got = row(**dict.fromkeys(("first_name", "birthday_day", "anniversary", "phone", "zip"), "  "), email="k@x")
    assert got.rows == [{"line": 2, "email": "k@x", "email_key": "k@x"}]


def test_of_two_headings_for_one_place_the_later_value_counts() -> None:
    """Contract v3.md 3.9: several phone keys of one kind, the last wins."""
    assert row(email="k@x", phone="1", other_phone="2").rows[0]["phone_numbers"][0]["phone_number"] == "2"
    assert row(email="k@x", phone="1", other_phone="").rows[0]["phone_numbers"][0]["phone_number"] == "1"
    assert row(email="k@x", city="Lima", home_city="Cusco").rows[0]["street_addresses"][0]["city"] == "Cusco"


def test_a_second_street_line_alone_is_the_street() -> None:
    """Contract v3.md 3.8: street2."""
    assert row(email="k@x", street2="Flat 2").rows[0]["street_addresses"] == [{"kind": "home", "street": "Flat 2"}]


@pytest.mark.parametrize(
    ("cells", "code", "message"),
    [
        ({"email": ""}, Code.MISSING_NAME_AND_EMAIL, "neither an e-mail nor a name"),
        ({"email": "", "last_name": "Lee"}, Code.MISSING_EMAIL, "email is blank"),
        ({"email": "kim"}, Code.MALFORMED_EMAIL, "email is kim; use an address as"),
        (
            {"birthday_month": "13", "birthday_day": "1"},
            Code.MALFORMED_BIRTHDAY,
            "birthday_month is 13; use 1 to 12",
        ),
        ({"birthday_month": "5"}, Code.MALFORMED_BIRTHDAY, "without birthday_day; give both"),
        ({"anniversary": "2/30/2006"}, Code.MALFORMED_ANNIVERSARY, "anniversary is 2/30/2006; use a date as"),
        ({"work_phone": "5" * 26}, Code.PHONE_TOO_LONG, "the work phone has 26 characters; use 25 at most"),
        ({"sms_number": "hello"}, Code.MALFORMED_SMS_NUMBER, "sms_number is hello; use a number as +15055550100"),
        ({"sms_number": "+1 (505) 555-0100"}, Code.MALFORMED_SMS_NUMBER, "of 16 characters at most"),
        (
            {"sms_number": "+15055550100", "sms_consent_date": "soon"},
            Code.MALFORMED_SMS_CONSENT_DATE,
            "sms_consent_date is soon; use a date as",
        ),
        ({"job_title": "x" * 51}, Code.TOO_LONG, "job_title has 51 characters; use 50 at most"),
        ({"city": "x" * 51}, Code.TOO_LONG, "the home city has 51 characters; use 50 at most"),
        ({"work_zip": "x" * 51}, Code.TOO_LONG, "the work postal_code has 51 characters"),
        (
            {"street": "x" * 200, "street2": "x" * 55},
            Code.TOO_LONG,
            "the home street has 256 characters; use 255",
        ),
        ({"cf:vehicle": "x" * 256}, Code.TOO_LONG, "cf:vehicle has 256 characters; use 255 at most"),
        (
            {"phone": "1", "home_phone": "2", "work_phone": "3", "mobile_phone": "4"},
            Code.TOO_MANY_PHONES,
            "there are 4 phone numbers; give 3 at most",
        ),
    ],
)
def test_a_wrong_row(cells: dict[str, str], code: Code, message: str) -> None:
    """Contract v3.md 3.8, 3.9 and 3.2.4: every maximum, and what somebody can correct."""
    got = row(**({"email": "kim@example.org"} | cells))
    [error] = got.errors
    assert (error.line, error.code, error.correctable) == (2, code, code in CORRECTABLE)
    assert error.message.startswith("line 2: ")
    assert message in error.message
    assert error.item == ({"email": "kim@example.org"} | cells)["email"]
    assert got.rows == []


@pytest.mark.parametrize(
    ("number", "dial_code", "country_code", "address"),
    [
        ("+15055550100", "1", "US", "5055550100"),
        ("505-555-0100", "1", "US", "5055550100"),
        ("+47 22 22 55 55", "47", "NO", "22225555"),
    ],
)
def test_text_message_numbers(number: str, dial_code: str, country_code: str, address: str) -> None:
    """Contract v3.md 2.1.7, 3.8 and 3.9: the number without its country's code."""
    got = row(email="k@x", sms_number=number, sms_consent_date="1/15/2026")
    assert got.rows[0]["sms_channel"] == {
        "sms_address": address,
        "dial_code": dial_code,
        "country_code": country_code,
        "consent_date": "2026-01-15",
    }
    assert "consent_date" not in row(email="k@x", sms_number=number).rows[0]["sms_channel"]
    assert "sms_channel" not in row(email="k@x", sms_number=" ", sms_consent_date="1/15/2026").rows[0]


def test_what_somebody_can_correct() -> None:
    """Contract v3.md 3.2.4, 3.9 and 1.5; text message numbers are as phone numbers, days and values as they are."""
    assert {
        Code.MISSING_EMAIL,
        Code.MISSING_NAME_AND_EMAIL,
        Code.MALFORMED_EMAIL,
        Code.MALFORMED_BIRTHDAY,
        Code.MALFORMED_ANNIVERSARY,
        Code.MALFORMED_DATE,
        Code.MALFORMED_VALUE,
        Code.PHONE_TOO_LONG,
        Code.MALFORMED_SMS_NUMBER,
        Code.MALFORMED_SMS_CONSENT_DATE,
    } == CORRECTABLE


def test_the_longest_values_fit() -> None:
    """Contract v3.md 3.8 and 3.9."""
    cells = dict.fromkeys((*TEXTS, "city", "state", "zip", "country"), "x" * 50)
    got = row(email="kim@example.org", phone="5" * 25, street="x" * 255, **{"cf:vehicle": "x" * 255}, **cells)
    assert got.errors == []


def test_a_row_with_two_problems_counts_once_under_the_worse() -> None:
    """Contract v3.md 3.9."""
    got = row(email="kim", first_name="x" * 51, anniversary="soon")
    [error] = got.errors
    assert (error.code, error.correctable) == (Code.TOO_LONG, False)
    assert all(part in error.message for part in ("email is kim", "first_name has 51", "anniversary is soon"))


def test_an_error_names_the_whole_email() -> None:
    email = "k" * 38 + "@example.org"
    [error] = row(email=email, anniversary="soon").errors
    assert error.item == email


def test_a_message_shows_little_of_a_cell_and_no_control_characters() -> None:
    got = row(email="kim\x07" + "x" * 100_000)
    [error] = got.errors
    assert "kim\\x07xxx" in error.message
    assert error.message.isprintable()
    assert max(len(error.message), len(error.item)) < 200


def test_rows_of_one_email_are_merged_and_the_later_values_win() -> None:
    got = read_csv(
        "email,first_name,last_name,cf:shirt_size,cf:vehicle,phone,home_phone,city,zip,work_city\n"
        "Kim@x.org,Kim,Lee,M,Bicycle,1,2,Lima,15001,\n"
        "lee@x.org,Lee,,,,,,,,\n"
        "KIM@X.ORG,,Park,L,,3,,Cusco,,Puno\n"
        "not an e-mail,,,,,,,,,\n"
    )
    assert got.rows == [
        {
            "line": 4,
            "email": "KIM@X.ORG",
            "email_key": "kim@x.org",
            "first_name": "Kim",
            "last_name": "Park",
            "custom_values": {"7": "L", "8": "Bicycle"},
            "phone_numbers": [
                {"kind": "other", "phone_number": "3"},
                {"kind": "home", "phone_number": "2"},
            ],
            "street_addresses": [
                {"kind": "home", "city": "Cusco", "postal_code": "15001"},
                {"kind": "work", "city": "Puno"},
            ],
        },
        {"line": 3, "email": "lee@x.org", "email_key": "lee@x.org", "first_name": "Lee"},
    ]
    [batch] = got.batches
    assert (batch.accepted, len(batch.errors), batch.position.rows) == (3, 1, 4)


def test_rows_are_merged_within_a_batch_only() -> None:
    got = read_csv("email\n" + "kim@x.org\n" * 3, size=2)
    assert [len(batch.rows) for batch in got.batches] == [1, 1]
    assert [batch.accepted for batch in got.batches] == [2, 1]
