from datetime import date

import pytest

from engine.days import is_birthday, parse_day


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2006",
        "3/4/2006",
        "2006/03/04",
        "2006/3/4",
        "2006-03-04",
        "2006-3-4",
        "3-4-2006",
        "3-04-2006",
        "03-04-2006",
    ],
)
def test_the_nine_forms_of_a_day(text: str) -> None:
    """Contract v3.md 1.5."""
    assert parse_day(text) == date(2006, 3, 4)


@pytest.mark.parametrize(
    "text",
    [
        "3/4/06",
        "13/4/2006",
        "2/29/2005",
        "2006-02-30",
        "2006-00-10",
        "0000-01-01",
        "3/4-2006",
        "2006-3/4",
        "20060304",
        "2006-W05-1",
        "04.03.2006",
        "3/4/2006 ",
        "٣/٤/2006",
        "March 4, 2006",
    ],
)
def test_what_is_no_day(text: str) -> None:
    """Contract v3.md 1.5: what no calendar has, and any other form."""
    with pytest.raises(ValueError):  # noqa: PT011 - the text is the message
        parse_day(text)


def test_birthdays() -> None:
    """Contract v3.md 1.5: 1 to 12 and 1 to 31, as far as the month has them."""
    assert sum(is_birthday(month, day) for month in range(-1, 15) for day in range(-1, 40)) == 366
    assert is_birthday(2, 29)
    assert not is_birthday(4, 31)
    assert not is_birthday(0, 1)
    assert not is_birthday(1, 0)
