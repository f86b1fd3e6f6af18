"""Sessions of nobody (contract convio.md 3.1)."""

import pytest

from api.convio import visitors
from engine.organizations import Digest, Organization

SITE = Organization(1, "demo", ("K1",), frozenset(), "secret", Digest.MD5, ())
OTHER = Organization(2, "other", ("K2",), frozenset(), "another secret", Digest.MD5, ())
NOW = 1_800_000_000


def test_a_session_of_nobody() -> None:
    """Contract 3.1: its token is for thirty minutes, of this site, and no other than any before."""
    visitor = visitors.new(SITE, NOW)
    assert visitors.session_of(SITE, visitor.token, NOW + 1799) == visitor.session_id
    assert visitors.session_of(SITE, visitor.token, NOW + 1800) is None
    assert visitors.session_of(OTHER, visitor.token, NOW) is None
    assert visitors.new(SITE, NOW) != visitor


@pytest.mark.parametrize("token", ["", ".", "x", "6B49D200.0", "6B49D200.ab.ä", "..", "\0", "FFFFFFFF.0." + "0" * 64])
def test_what_nobody_gave_out(token: str) -> None:
    """Contract 3."""
    assert visitors.session_of(SITE, token, NOW) is None
