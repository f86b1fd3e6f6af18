"""Issue 4: the same adds and removals through all five dialects end in the same memberships."""

from collections.abc import Sequence
from typing import NamedTuple

import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.e2e.api.front import Front
from tests.e2e.dialects.speakers import V3, W50, Convio, GreenRope, Ivvy, Remover, Speaker
from tests.integration.conftest import NewDesk

SPEAKERS: Sequence[type[Speaker]] = (V3, Convio, Ivvy, GreenRope, W50)
CONTACTS, LISTS = 8, 3


class Step(NamedTuple):
    """Contacts that go on a list, or off it."""

    adds: bool
    place: int
    contacts: list[int]


chosen = st.lists(st.integers(1, CONTACTS), min_size=1, max_size=CONTACTS, unique=True)
steps = st.lists(st.builds(Step, st.booleans(), st.integers(0, LISTS - 1), chosen), max_size=8)


def model(asked: Sequence[Step], *, removing: bool) -> list[set[str]]:
    """The truth in plain sets."""
    lists = [set[str]() for _ in range(LISTS)]
    for step in asked:
        addresses = {f"c{contact}@example.org" for contact in step.contacts}
        if step.adds:
            lists[step.place] |= addresses
        elif removing:
            lists[step.place] -= addresses
    return lists


@pytest_asyncio.fixture
async def speakers(front: Front, new_desk: NewDesk) -> list[Speaker]:
    """A client of each dialect, each with an account of the same contacts."""
    found = [await kind.introduce(front, await new_desk()) for kind in SPEAKERS]
    for speaker in found:
        await speaker.desk.make_contacts(CONTACTS)
    return found


@settings(max_examples=10)
@given(asked=steps)
async def test_every_dialect_makes_the_same_memberships(speakers: Sequence[Speaker], asked: Sequence[Step]) -> None:
    """Contracts v3.md 3.4 and 3.5, convio.md 6.1 and 6.6, ivvy.md 8.2, greenrope.md 6.5 and w50.md 4."""
    for speaker in speakers:
        await speaker.new_lists(LISTS)
        for step in asked:
            await act(speaker, step)
        assert await speaker.members() == model(asked, removing=isinstance(speaker, Remover)), type(speaker).__name__


async def act(speaker: Speaker, step: Step) -> None:
    list_ = speaker.lists[step.place]
    if step.adds:
        await speaker.add(list_, step.contacts)
    elif isinstance(speaker, Remover):
        await speaker.remove(list_, step.contacts)
