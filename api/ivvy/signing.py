"""Signed requests: what is signed, and the checks of a request's head and body (contract ivvy.md 2).

Nothing here reads a database or a clock; signatures are not remembered, since the same call twice within a second, as
clients that wait for a batch make, has the same signature twice.
"""

import hashlib
import hmac
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from api.ivvy.refusals import STALE, ErrorCode, Refused
from api.ivvy.times import read_timestamp

VERSION = "1.0"
#: How far a request's time may be from the server's.
SKEW = timedelta(minutes=5)

_DATE = re.compile(r"[a-z]{3}, \d\d? [a-z]{3} \d{4} \d\d:\d\d:\d\d (?:UTC|GMT)", re.IGNORECASE | re.ASCII)
#: The host, where a request line names it, as those to proxies do.
_HOST = re.compile(r"\Ahttps?://[^/?]*", re.IGNORECASE)
_AUTHORIZATION = re.compile(r"IWS ([^\s:]+):([0-9A-Fa-f]+)", re.IGNORECASE | re.ASCII)


class Credentials(NamedTuple):
    """Who says to have signed, and the signature."""

    key_id: str
    signature: str


@dataclass(frozen=True, slots=True)
class Head:
    """A request line and the headers that are checked, in the order in which they came.

    target: path and query as they stand on the request line, maybe behind the host.
    """

    target: str
    headers: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        """The header's value; empty when there is none."""
        return next((value.strip() for key, value in self.headers if key.lower() == name.lower()), "")


def credentials(head: Head) -> Credentials:
    """Who has signed (contract ivvy.md 2.2, 3). Raises Refused."""
    found = _AUTHORIZATION.fullmatch(head.get("X-Api-Authorization"))
    if found is None:
        raise Refused(ErrorCode.UNAUTHORIZED, "X-Api-Authorization must be IWS {key}:{signature}")
    return Credentials(found[1], found[2].lower())


def insist_on_time(head: Head, now: datetime) -> None:
    """Raises Refused unless the request was made just now (contract ivvy.md 2.2, 5)."""
    made = _made(head)
    if made is None or abs(now - made) > SKEW:
        raise Refused.of(STALE)


def insist_on_body(head: Head, body: bytes) -> None:
    """Raises Refused unless the body is the one that was signed, for this version (contract ivvy.md 2, 2.2, 6)."""
    if head.get("Content-MD5").lower() != _md5(body):
        raise Refused(ErrorCode.INVALID, "Content-MD5 is not the MD5 of the body")
    if head.get("X-Api-Version") not in ("", VERSION):
        raise Refused(ErrorCode.INVALID, f"X-Api-Version is not the version of the path, {VERSION}")


def insist_on_signature(head: Head, body: bytes, given: str, secret: str) -> None:
    """Raises Refused unless the request is signed with the secret (contract ivvy.md 2.2, 7)."""
    if not hmac.compare_digest(signature(secret, string_to_sign(head, body)), given):
        raise Refused(ErrorCode.UNAUTHORIZED, "The signature does not match")


def string_to_sign(head: Head, body: bytes) -> str:
    """What is signed of a request (contract ivvy.md 2.1)."""
    parts = (
        "POST",
        _md5(body),
        head.get("Content-Type"),
        "" if head.get("IVVY-Date") else head.get("Date"),
        _HOST.sub("", head.target),
        VERSION,
        "&".join(f"{name}={value}" for name, value in sorted(_own_headers(head.headers))),
    )
    return "".join(parts).lower()


def signature(secret: str, text: str) -> str:
    """The HMAC-SHA1 of a text, in hex."""
    # Headers that are no UTF-8 come with surrogates in their place.
    signed = hmac.new(secret.encode(), text.encode(errors="surrogateescape"), hashlib.sha1)
    return signed.hexdigest()


def _own_headers(headers: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        if name.lower().startswith("ivvy"):
            yield re.sub("[-_]", "", name).lower(), value.strip()


def _md5(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _made(head: Head) -> datetime | None:
    """When the request says that it was made; None when it does not."""
    if own := head.get("IVVY-Date"):
        return read_timestamp(own)
    try:
        return parsedate_to_datetime(head.get("Date")) if _DATE.fullmatch(head.get("Date")) else None
    except ValueError:
        return None
