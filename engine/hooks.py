"""Hooks: addresses of other programs that are told of contacts.

A call of a hook is a row, entered in the transaction of what it tells of: it is made if and only if that was written,
later and by a worker (engine/hook_calls.py), and what becomes of it changes nothing else.
"""

import base64
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import asyncpg

from engine.database import Transaction
from engine.errors import Invalid, NameTaken, NotFound
from engine.sets.catalog import name_key

#: What a secret begins with (standardwebhooks), and its bytes.
SECRET_PREFIX = "whsec_"  # noqa: S105 (not a secret)
SECRET_BYTES = 32
#: Longest URL.
URL_LENGTH = 2048
#: Contacts that one call tells of; what tells of more is several calls.
CONTACTS_OF_CALL = 1000


@dataclass(frozen=True, slots=True)
class Hook:
    """A hook; its secret, by which receivers know who calls, is for its owner and shown once."""

    hook_no: int
    name: str
    url: str
    secret: str = field(repr=False)
    created_at: datetime

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(**{name: row[name] for name in cls.__slots__})


async def create(tx: Transaction, name: str, url: str, *, most: int | None = None) -> Hook:
    """A new hook. Raises Invalid for what is no URL, NameTaken, and Invalid when the account has `most` of them."""
    check_url(url)
    await tx.all("lock_names")
    row = await tx.one("create_hook", name=name.strip(), name_key=name_key(name), url=url, secret=_new_secret())
    if row is None:
        raise _taken(name)
    # Only now: the account's row is locked, so nobody else makes one.
    if most is not None and await tx.value("count_hooks") > most:
        raise Invalid(f"the account has {most} hooks already, as many as it may have")
    return Hook.of(row)


async def change(tx: Transaction, hook_no: int, name: str, url: str) -> Hook:
    """Another name and URL; the secret stays. Raises Invalid, NameTaken and NotFound."""
    check_url(url)
    await tx.all("lock_names")
    try:
        row = await tx.one("change_hook", hook_no=hook_no, name=name.strip(), name_key=name_key(name), url=url)
    except asyncpg.UniqueViolationError:
        raise _taken(name) from None
    if row is None:
        raise _not_found(hook_no)
    return Hook.of(row)


async def delete(tx: Transaction, hook_no: int) -> None:
    """Deletes a hook: its calls that were not made yet are given up. Raises NotFound."""
    if not await tx.run("delete_hook", hook_no=hook_no):
        raise _not_found(hook_no)


async def find_number(tx: Transaction, hook_no: int) -> Hook:
    """The hook with this number. Raises NotFound."""
    found = await by_numbers(tx, [hook_no])
    if hook_no not in found:
        raise _not_found(hook_no)
    return found[hook_no]


async def by_numbers(tx: Transaction, hook_nos: Collection[int]) -> dict[int, Hook]:
    """Those of the numbers that are hooks."""
    return {row["hook_no"]: Hook.of(row) for row in await tx.all("hooks_by_number", hook_nos=sorted(hook_nos))}


async def by_names(tx: Transaction, names: Collection[str]) -> dict[str, Hook]:
    """Those of the names that are hooks, by `name_key`: names are the same whatever their case."""
    keys = sorted({name_key(name) for name in names})
    return {row["name_key"]: Hook.of(row) for row in await tx.all("hooks_by_name", name_keys=keys)}


async def page(tx: Transaction, *, limit: int, after: int = 0) -> list[Hook]:
    """The first `limit` hooks with numbers greater than `after`."""
    return [Hook.of(row) for row in await tx.all("page_of_hooks", limit=limit, after=after)]


async def enter(tx: Transaction, hook_no: int, contact_nos: Sequence[int]) -> None:
    """Has the hook called for these contacts, once the transaction has committed; several in the order of entering."""
    for start in range(0, len(contact_nos), CONTACTS_OF_CALL):
        told = list(contact_nos[start : start + CONTACTS_OF_CALL])
        await tx.run("enter_hook_call", call_id=uuid4(), hook_no=hook_no, contact_nos=told)


async def enter_callback(tx: Transaction, url: str, activity_id: UUID) -> None:
    """Has the URL called for an activity, once the transaction has committed; it is checked by `check_url` before."""
    await tx.run("enter_callback", call_id=uuid4(), url=url, activity_id=activity_id)


def check_url(url: str) -> None:
    """Raises Invalid unless it is a URL that can be called; whether it may be is decided when it is connected to."""
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not (usable and len(url) <= URL_LENGTH and url.isascii() and url.isprintable() and " " not in url):
        raise Invalid(f"the URL must be http:// or https://, in ASCII, with at most {URL_LENGTH} characters")


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _not_found(hook_no: int) -> NotFound:
    return NotFound(f"there is no hook {hook_no}")


def _taken(name: str) -> NameTaken:
    return NameTaken(f"another hook of this account is named {name.strip()!r}")
