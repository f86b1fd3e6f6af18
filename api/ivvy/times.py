"""Moments as they are written: yyyy-mm-dd HH:mm:ss, in UTC (contract ivvy.md 3)."""

import re
from datetime import UTC, datetime

_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)(?: UTC)?", re.IGNORECASE | re.ASCII)


def timestamp(moment: datetime) -> str:
    """The moment with the suffix ` UTC`."""
    return f"{plain_timestamp(moment)} UTC"


def plain_timestamp(moment: datetime) -> str:
    """The moment without a suffix, as a few members of the contract's examples have it."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")


def read_timestamp(text: str) -> datetime | None:
    """The moment that is written; None when it is none."""
    found = _TIMESTAMP.fullmatch(text.strip())
    try:
        return datetime.fromisoformat(found[1]).replace(tzinfo=UTC) if found else None
    except ValueError:
        return None
