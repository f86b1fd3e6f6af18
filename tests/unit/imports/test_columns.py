import pytest

from engine.errors import InvalidImport
from engine.imports.columns import KNOWN, MOST_WARNINGS
from tests.unit.imports.reading import read_csv

NAMES = ["first_name", "last_name", "job_title", "company_name"]
DATES = ["birthday_month", "birthday_day", "anniversary"]
PHONES = ["phone", "home_phone", "work_phone", "mobile_phone", "other_phone"]
ADDRESS = ["street", "street2", "city", "state", "zip", "country"]
SMS = ["sms_number", "sms_consent_date"]
#: Every heading of contract v3.md 3.8 and 3.9.
CONTRACT = {
    *["email", *NAMES, *DATES, *PHONES, *SMS],
    *(prefix + part for prefix in ("", "home_", "work_", "other_") for part in ADDRESS),
}


def test_the_headings_of_the_contract_are_known() -> None:
    """Contract v3.md 3.8 and 3.9: every one, those by kind in files, too."""
    assert KNOWN == CONTRACT


def test_headings_match_in_any_order_trimmed_and_whatever_their_case() -> None:
    """Contract v3.md 3.8."""
    got = read_csv(" Last_Name ,EMAIL,first_name\nLee,kim@example.org,Kim\n")
    assert got.rows == [
        {
            "line": 2,
            "email": "kim@example.org",
            "email_key": "kim@example.org",
            "first_name": "Kim",
            "last_name": "Lee",
        }
    ]
    assert got.header.warnings == ()


@pytest.mark.parametrize("heading", ["home country", "home_country", "country", "HOME Country"])
def test_every_spelling_of_the_home_country(heading: str) -> None:
    """Contract v3.md 3.9 and 5.30."""
    got = read_csv(f"email,{heading}\nkim@example.org,Peru\n")
    assert got.rows[0]["street_addresses"] == [{"kind": "home", "country": "Peru"}]


def test_an_unknown_heading_is_ignored_with_one_warning() -> None:
    """Contract v3.md 3.8: the column is ignored, with one string in `activity_errors`."""
    got = read_csv("email,Colour,colour,,,cf:none\nkim@example.org,red,blue,x,y,z\n")
    assert got.header.warnings == (
        "unknown heading `colour`: its values are ignored",
        "a column without a heading: its values are ignored",
        "unknown custom field `none`: its values are ignored",
    )
    assert got.rows == [{"line": 2, "email": "kim@example.org", "email_key": "kim@example.org"}]


def test_a_custom_fields_name_alone_gets_a_hint() -> None:
    got = read_csv("email,Shirt Size\nkim@example.org,L\n")
    assert got.header.warnings == (
        "unknown heading `shirt size`: its values are ignored; for the custom field it must be `cf:shirt_size`",
    )


def test_the_same_known_heading_twice_is_refused() -> None:
    with pytest.raises(InvalidImport, match="`city` occurs twice: in columns 2 and 3"):
        read_csv("email,city,City\n")
    with pytest.raises(InvalidImport, match="`cf:shirt_size` occurs twice"):
        read_csv("email,cf:shirt_size,CF: Shirt_Size \n")


def test_ten_thousand_columns_are_read() -> None:
    unknown = [f"column {number}" for number in range(9_999)]
    got = read_csv(",".join([*unknown, "email"]) + "\n" + "," * 9_999 + "kim@example.org\n")
    assert got.emails == ["kim@example.org"]
    assert len(got.header.warnings) == MOST_WARNINGS
    assert got.header.warnings[-1] == "9,000 more unknown headings: their values are ignored"


def test_more_custom_fields_than_a_contact_takes_are_refused() -> None:
    """Contract v3.md 3.8: 25 different ones."""
    headings = ["email", *(f"cf:field {number}" for number in range(26))]
    assert len(read_csv(",".join(headings[:26])).header.warnings) == 25
    with pytest.raises(InvalidImport, match="26 custom fields; use 25 at most"):
        read_csv(",".join(headings))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"\xef\xbb\xbf", "the file is empty"),
        (b"\r\n \n\t\r", "the file is empty"),
        (b"first_name,last_name\nKim,Lee\n", "no heading `email`; .* are: first_name,last_name"),
        (b"email;first_name\n", "no heading `email`; .* are: email;first_name"),
        (b"e-mail\n", "no heading `email`"),
        ("email,prénom\n".encode("latin-1"), "not all of it is UTF-8"),
        ("email,first_name\n".encode("utf-16"), "not all of it is UTF-8"),
        (b"email,first\0name\n", "NUL"),
        (b'email,"first_name\nkim@example.org,Kim\n', "a quote opens a cell and nothing closes it"),
        (b'email,"first"name\n', "',' expected after '\"'"),
        (b"email," + b"x" * (1 << 20), "larger than 1,048,576 bytes"),
        (b"email," + b"x" * (1 << 18), "a cell has more than 131,072 characters"),
    ],
)
def test_a_file_without_a_usable_header_is_refused(content: bytes, message: str) -> None:
    """Contract v3.md 3.8: a file without the heading `email`."""
    with pytest.raises(InvalidImport, match=message):
        read_csv(content)


def test_a_header_alone_is_an_import_of_nothing() -> None:
    for content in ("email", "email\n", "email\r\n\r\n"):
        got = read_csv(content)
        assert (got.rows, got.errors) == ([], [])
