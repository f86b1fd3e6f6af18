"""Sessions before anybody has logged in: what `getLoginUrl` gives out (contract convio.md 3.1).

Nothing of them is stored, so that nobody can fill a database with them: the site vouches for a token by its own secret.
Whoever logs in with such a token makes a session of it.
"""

import hashlib
import hmac
from secrets import compare_digest, token_hex
from typing import NamedTuple

from engine.organizations import Organization

#: Seconds that a visitor has to log in.
SECONDS = 1800
#: What keeps these signatures apart from others by the same secret.
PURPOSE = b"session\0"


class Visitor(NamedTuple):
    """The id of the session, which may be seen, and its token, which may not."""

    session_id: str
    token: str


def new(site: Organization, now: int) -> Visitor:
    """A session of nobody. now: Unix seconds."""
    session_id = f"{now:X}.{token_hex(16).upper()}"
    return Visitor(session_id, f"{session_id}.{_signature(site, session_id)}")


def session_of(site: Organization, token: str, now: int) -> str | None:
    """The id of the session that the token is for; None when it is not one that this site gave out in time."""
    session_id, _, signature = token.rpartition(".")
    if not compare_digest(signature.encode(), _signature(site, session_id).encode()):
        return None
    begun = int(session_id.partition(".")[0], 16)
    return session_id if now < begun + SECONDS else None


def _signature(site: Organization, session_id: str) -> str:
    return hmac.new(site.redirect_secret.encode(), PURPOSE + session_id.encode(), hashlib.sha256).hexdigest()
