"""Contacts in one text (contract convio.md 6.7, 6.9)."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.convio import submitted
from api.convio.parameters import MOST_IDS
from api.convio.submitted import Submitted
from engine.errors import Invalid

ANN = Submitted("Ann", "Ash", "ann@example.org")
BO = Submitted("Bo", "Birch", "bo@example.org")


@pytest.mark.parametrize(
    ("text", "contacts"),
    [
        ('"Ann Ash" <ann@example.org>', [ANN]),
        ('"Ann Ash" <ann@example.org>, "Bo Birch" <bo@example.org>', [ANN, BO]),
        ('"Ann Ash" <ann@example.org>,"Bo Birch"<bo@example.org>,', [ANN, BO]),
        ('"Ann Ash" <ann@example.org>\r\n\n"Bo Birch" <bo@example.org>\n', [ANN, BO]),
        ("Ann Ash <ann@example.org>, Bo Birch <bo@example.org>", [ANN, BO]),
        ('"Ann","Ash","ann@example.org"', [ANN]),
        ('"Ann","Ash","ann@example.org"\n"Bo", "Birch", "bo@example.org"', [ANN, BO]),
        ('"Ann","Ash","ann@example.org"\n"Bo Birch" <bo@example.org>', [ANN, BO]),
        ("Ann,Ash,ann@example.org", [ANN]),
        ('"","","a@example.org"', [Submitted("", "", "a@example.org")]),
        ('"Ann ""A."" B","Ash, Jr.","a@example.org"', [Submitted('Ann "A." B', "Ash, Jr.", "a@example.org")]),
        ('"Ann <A.>","Ash","a@example.org"', [Submitted("Ann <A.>", "Ash", "a@example.org")]),
        ('"Mary Jane Ash" <m@example.org>', [Submitted("Mary Jane", "Ash", "m@example.org")]),
        ('"Ann" <a@example.org>', [Submitted("Ann", "", "a@example.org")]),
        ('"" <a@example.org>', [Submitted("", "", "a@example.org")]),
        ("<a@example.org>", [Submitted("", "", "a@example.org")]),
        ("a@example.org, b@example.org, c@example.org", [Submitted("", "", f"{x}@example.org") for x in "abc"]),
        ('"Ash, Ann" <a@example.org>', [Submitted("Ash,", "Ann", "a@example.org")]),
        (f'"{"x" * 50}","{"y" * 50}","a@b.c"', [Submitted("x" * 50, "y" * 50, "a@b.c")]),
        (f"{'x' * 76}@b.c", [Submitted("", "", f"{'x' * 76}@b.c")]),
        ("", []),
        (" , \n ,", []),
    ],
)
def test_what_is_submitted(text: str, contacts: list[Submitted]) -> None:
    """Contract 6.7: items by commas and lines, and lines of three fields."""
    found = submitted.contacts(text)
    assert found == contacts
    assert [contact.problem for contact in found] == [None] * len(found)


@pytest.mark.parametrize(
    ("text", "contact"),
    [
        ('"X","Y","nope"', Submitted("X", "Y", "nope")),
        ('"X Y" <nope>', Submitted("X", "Y", "nope")),
        ("nope", Submitted("", "", "nope")),
        ('"X Y" <a@b.c> rest', Submitted("", "", '"X Y" <a@b.c> rest')),
        ('"X Y <a@b.c>', Submitted("", "", '"')),
        (f'"{"x" * 51}","Y","a@b.c"', Submitted("x" * 51, "Y", "a@b.c")),
        (f'"X","Y","{"x" * 77}@b.c"', Submitted("X", "Y", f"{'x' * 77}@b.c")),
    ],
)
def test_what_is_not_valid(text: str, contact: Submitted) -> None:
    """Contract 6.9: what cannot be read is told as an address that is none."""
    first = submitted.contacts(text)[0]
    assert first == contact
    assert first.problem


def test_how_many() -> None:
    """Contract 9."""
    assert len(submitted.contacts("a@b.c\n" * MOST_IDS)) == MOST_IDS
    with pytest.raises(Invalid, match="10,000"):
        submitted.contacts("a@b.c," * (MOST_IDS + 1))


@pytest.mark.parametrize("piece", ['"', "<", ">", '"<', '",', '"a" <', " ", '"\n', "a "])
def test_a_megabyte_of_anything(piece: str) -> None:
    """Contract 9: it is nobody, or too many."""
    with suppress(Invalid):
        assert all(contact.problem for contact in submitted.contacts(piece * (2**20 // len(piece))))


@given(text=st.text(st.sampled_from('"<>@,\n ab') | st.characters(exclude_categories=["Cs"]), max_size=80))
def test_any_text(text: str) -> None:
    """Contract 6.7."""
    for contact in submitted.contacts(text):
        assert contact.email or contact.first_name or contact.last_name or contact.problem


async def test_a_long_text_holds_nobody_up() -> None:
    reading = asyncio.create_task(submitted.read('"Ann Ash" <ann@example.org>\n' * 9000))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not reading.done()
    assert list(await reading) == [ANN] * 9000


def test_no_more_is_read_than_may_be_sent() -> None:
    """However long the text is."""
    with pytest.raises(Invalid, match="10,000 contacts at most"):
        submitted.contacts("a," * 5_000_000)
