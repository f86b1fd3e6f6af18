"""Cursors: self-contained, and useless when altered or taken elsewhere (contract v3.md 1.7)."""

import base64

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from api import cursors
from engine.errors import Invalid

PATH = "/v3/contacts"


@given(account_id=st.integers(1, 2**63 - 1), content=st.binary(max_size=500))
def test_a_cursor_holds_its_content(account_id: int, content: bytes) -> None:
    cursor = cursors.sealed(account_id, PATH, content)
    assert cursors.opened(account_id, PATH, cursor) == content
    assert not set(cursor) & set("+/=&?#% ")


@given(content=st.binary(max_size=60), place=st.integers(0), other=st.characters(codec="utf-8"))
def test_an_altered_one_is_refused(content: bytes, place: int, other: str) -> None:
    cursor = cursors.sealed(1, PATH, content)
    place %= len(cursor)
    assume(cursor[place] != other)
    for altered in (
        cursor[:place] + other + cursor[place + 1 :],
        cursor[:place] + cursor[place + 1 :],
        cursor + other,
        cursor + "=",
    ):
        with pytest.raises(Invalid, match="cursor does not have a valid value"):
            cursors.opened(1, PATH, altered)


@given(text=st.text(max_size=80))
def test_what_was_never_a_cursor_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        cursors.opened(1, PATH, text)


def test_a_digest_over_other_content_is_refused() -> None:
    sealed = base64.urlsafe_b64decode(cursors.sealed(1, PATH, b"abc"))
    forged = base64.urlsafe_b64encode(sealed[: cursors.DIGEST_BYTES] + b"abd").decode()
    with pytest.raises(Invalid):
        cursors.opened(1, PATH, forged)


@pytest.mark.parametrize(("account_id", "path"), [(2, PATH), (1, "/v3/contact_lists"), (11, PATH[1:])])
def test_one_of_another_account_or_path_is_refused(account_id: int, path: str) -> None:
    with pytest.raises(Invalid):
        cursors.opened(account_id, path, cursors.sealed(1, PATH, b"abc"))
