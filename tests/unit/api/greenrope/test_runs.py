"""Contacts of a long answer are put into words some at a time (contract greenrope.md 4)."""

from typing import Any, cast

import pytest

from api.greenrope import contact_records, get_contacts
from api.greenrope.contact_records import Shape
from api.greenrope.get_contacts import Place
from engine.contacts.reading import Contact
from engine.sets.expressions import EVERYBODY


@pytest.mark.parametrize(
    ("sets", "sizes"),
    [
        ([], [0]),
        ([0] * 250, [100, 100, 50]),
        ([5000], [1]),
        ([600, 600, 400, 1, 5000, 0], [1, 2, 1, 1, 1]),
    ],
)
def test_as_many_as_take_no_long_time(monkeypatch: pytest.MonkeyPatch, sets: list[int], sizes: list[int]) -> None:
    """However many contacts there are, and however many groups each is in."""
    monkeypatch.setattr(contact_records, "in_full", lambda contact, _shape: contact)
    contacts = [Contact(cast(Any, None), [cast(Any, None)] * count) for count in sets]
    runs: list[Any] = list(get_contacts._runs(Place(1, EVERYBODY, cast(Shape, None)), contacts))
    assert [len(run) for run in runs] == sizes
    assert [contact for run in runs for contact in run] == contacts
