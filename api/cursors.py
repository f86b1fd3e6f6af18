"""Cursors: where a collection goes on, self-contained and opaque (contract v3.md 1.7).

A cursor holds the whole query and the position, bound to its account and path by a digest, so that one that was altered
or belongs elsewhere is refused. It keeps no secret and needs none: its content is checked as any query is, and
whoever forges one gets what he could have asked for himself, since the account is always that of who asks.
"""

import base64
import binascii
import hashlib

from engine.errors import Invalid

DIGEST_BYTES = 12


def sealed(account_id: int, path: str, content: bytes) -> str:
    """The cursor for this content, for this account and path only."""
    return base64.urlsafe_b64encode(_digest(account_id, path, content) + content).rstrip(b"=").decode()


def opened(account_id: int, path: str, cursor: str) -> bytes:
    """The content of a cursor. Raises Invalid when it was altered, or made for another account or path."""
    try:
        data = base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise refusal() from None
    digest, content = data[:DIGEST_BYTES], data[DIGEST_BYTES:]
    # Spelled out again, because base64 has several spellings of one content.
    if digest != _digest(account_id, path, content) or sealed(account_id, path, content) != cursor:
        raise refusal()
    return content


def refusal() -> Invalid:
    return Invalid("cursor does not have a valid value: use the href of _links.next as it is")


def _digest(account_id: int, path: str, content: bytes) -> bytes:
    message = b"%d %b\0%b" % (account_id, path.encode(), content)
    return hashlib.blake2b(message, digest_size=DIGEST_BYTES).digest()
