"""Parameters of requests (contract convio.md 1, 2, 6.1, 9)."""

import asyncio
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.convio import parameters
from api.convio.parameters import MOST_IDS, MOST_PARAMETERS, NOBODY, Parameters
from engine.errors import Invalid


def asked(**values: str) -> Parameters:
    return Parameters(values)


@pytest.mark.parametrize(
    ("text", "numbers"),
    [
        ("100,101,104", (100, 101, 104)),
        (" 100 ,\t101, ", (100, 101)),
        ("", ()),
        (",,", ()),
        ("104,100,104", (104, 100)),
        ("007,7", (7,)),
        ("0", (NOBODY,)),
        ("000", (NOBODY,)),
        (str(2**31 - 1), (2**31 - 1,)),
        (str(2**31), (NOBODY,)),
        ("9" * 10_000, (NOBODY,)),
    ],
)
def test_ids(text: str, numbers: tuple[int, ...]) -> None:
    """Contract 6.1: trimmed, empty items skipped, each once at its first place, leading zeros accepted."""
    assert asked(contact_ids=text).numbers("contact_ids") == numbers


@pytest.mark.parametrize("text", ["12x", "-4", "1.5", "+5", "1 2", "1;2", "٣", "1e3", "0x1", "1,,x"])
def test_what_is_no_id(text: str) -> None:
    """Contract 6.1: nothing is added."""
    with pytest.raises(Invalid, match="contact_ids"):
        asked(contact_ids=text).numbers("contact_ids")


def test_how_many_ids() -> None:
    """Contract 6.1, 9."""
    assert len(asked(contact_ids=",".join(map(str, range(MOST_IDS)))).numbers("contact_ids")) == MOST_IDS
    with pytest.raises(Invalid, match="10,000"):
        asked(contact_ids="1," * (MOST_IDS + 1)).numbers("contact_ids")


@pytest.mark.parametrize("values", [{}, {"group_id": ""}, {"group_id": "  "}])
def test_what_is_missing(values: dict[str, str]) -> None:
    """Contract 6.1."""
    with pytest.raises(Invalid, match="group_id is required"):
        Parameters(values).number("group_id")


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("TRUE", True), ("1", True), ("false", False), ("False", False), ("0", False), ("", None)],
)
def test_booleans(text: str, value: bool | None) -> None:
    """Contract 2."""
    assert asked(x=text).boolean("x") is value


def test_what_is_no_boolean() -> None:
    """Contract 2."""
    assert Parameters().boolean("x") is None
    with pytest.raises(Invalid, match="x must be true or false"):
        asked(x="yes").boolean("x")


def test_pairs() -> None:
    """Contract 1, 2: percent-encoded UTF-8; of one that is repeated the last; names are case-sensitive."""
    assert parameters.pairs("a=1&a=2&A=3&b=%C3%A4+x&c=&d") == {
        "a": "2",
        "A": "3",
        "b": "ä x",
        "c": "",
        "d": "",
    }


def test_what_is_refused() -> None:
    """Contract 1."""
    with pytest.raises(Invalid, match="at most 200"):
        parameters.pairs("a=1&" * (MOST_PARAMETERS + 1))


@pytest.mark.parametrize("body", [b"a=%00", b"a=%FF", b"a=caf%E9&b=1", b"a=caf\xe9", b"a=%ED%A0%80", b"a=%C3"])
async def test_what_is_no_utf_8(body: bytes) -> None:
    """Contract 1: nothing else is stored in its place."""
    asked = Parameters(await parameters.of_form(body))
    with pytest.raises(Invalid, match="UTF-8"):
        asked.insist_on_text()


@given(text=st.text(max_size=60))
def test_any_query(text: str) -> None:
    """Contract 1: whatever comes, it is parameters or refused."""
    with suppress(Invalid):
        found = Parameters(parameters.pairs(text))
        for name in found.values:
            assert found.given(name) == found.values[name].strip()
            with suppress(Invalid):
                assert all(number >= NOBODY for number in found.numbers(name))


async def test_a_long_form_holds_nobody_up() -> None:
    """Contract 9; it is read before anybody knows who sent it."""
    reading = asyncio.create_task(parameters.of_form(b"a=" + b"%41" * 300_000))
    for _ in range(3):
        await asyncio.sleep(0)
    assert not reading.done()
    assert await reading == {"a": "A" * 300_000}
