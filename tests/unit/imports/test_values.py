import pytest

from engine.imports.values import BIRTHDAYS, birthday_fault, is_email


@pytest.mark.parametrize(
    "email",
    [
        "kim@example.org",
        "Kim.O'Neil+list@sub.example.org",
        "k@localhost",
        "björk@bücher.example",
        "用户@例子.广告",
        "a" * 38 + "@example.org",
        "kim..lee@example.org",
    ],
)
def test_emails(email: str) -> None:
    """Contract v3.md 3.8 and 5.35: 50 characters."""
    assert is_email(email)


@pytest.mark.parametrize(
    "email",
    [
        "",
        "kim",
        "@example.org",
        "kim@",
        "kim@@example.org",
        "kim@lee@example.org",
        "kim lee@example.org",
        "kim@exam ple.org",
        "kim@example.org\n",
        "kim\t@example.org",
        "kim\0@example.org",
        "kim\u200b@example.org",
        "kim\u00a0@example.org",
        "kim@.example.org",
        "kim@example..org",
        "kim@example.org.",
        "<kim@example.org>",
        "kim@example.org;lee@example.org",
        "kim,lee@example.org",
        "a" * 39 + "@example.org",
        "kim@\ud800.org",
    ],
)
def test_what_is_no_email(email: str) -> None:
    """Contract v3.md 3.2.4, malformed; 3.8 and 5.35: 51 characters."""
    assert not is_email(email)


def test_an_email_of_a_megabyte_is_refused_at_once() -> None:
    assert not is_email("a." * 500_000 + "@" + "b." * 500_000)


def test_every_birthday_of_a_leap_year_is_one() -> None:
    """Contract v3.md 1.5."""
    assert len(set(BIRTHDAYS.values())) == 366
    assert BIRTHDAYS["2", "29"] == BIRTHDAYS["02", "29"] == (2, 29)
    assert BIRTHDAYS["5", "07"] == (5, 7)


@pytest.mark.parametrize(
    ("month", "day", "fault"),
    [
        ("13", "1", "birthday_month is 13; use 1 to 12"),
        ("0", "1", "birthday_month is 0; use 1 to 12"),
        ("May", "1", "birthday_month is May; use 1 to 12"),
        ("5.0", "1", "birthday_month is 5.0; use 1 to 12"),
        ("5", "32", "birthday_day is 32; use 1 to 31"),
        ("5", "-1", "birthday_day is -1; use 1 to 31"),
        ("2", "30", "birthday_day is 30; month 2 has 29 days"),
        ("5", "", "birthday_month is given without birthday_day; give both or neither"),
        ("", "5", "birthday_day is given without birthday_month; give both or neither"),
    ],
)
def test_what_is_no_birthday_says_what_would_be(month: str, day: str, fault: str) -> None:
    """Contract v3.md 1.5 and 3.2.4: each requires the other; no day that no calendar has."""
    assert (month, day) not in BIRTHDAYS
    assert birthday_fault(month, day) == fault
