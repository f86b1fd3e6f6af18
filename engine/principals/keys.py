"""Signed keys: who shows one signs each request with a secret that is never sent.

The secret is stored as it is, because a signature cannot be checked without it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Self

import asyncpg

from engine import accounts
from engine.database import Database
from engine.errors import NotFound
from engine.principals import secrets
from engine.principals.grants import create_principal
from engine.principals.model import Access, Principal, Privilege

#: Characters of a key's id.
LONGEST_ID = 64


@dataclass(frozen=True, slots=True)
class SigningKey:
    """What signatures are checked with, and for whom they speak. A revoked one is known, and good for nothing."""

    secret: str = field(repr=False)
    principal: Principal
    revoked: bool


@dataclass(frozen=True, slots=True)
class Key:
    """What can be told of a key: never its secret."""

    key_id: str
    name: str
    privileges: tuple[str, ...]
    created_at: datetime
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(**{**dict(row), "privileges": tuple(row["privileges"])})


async def create_key(
    db: Database, account_id: int, name: str, privileges: Iterable[Privilege] = tuple(Privilege)
) -> tuple[str, str]:
    """A new principal of the account with one key: its id, and its secret, shown only now. Raises NotFound."""
    await accounts.find(db, account_id)
    key_id, secret = secrets.new_key_id(), secrets.new_secret()
    async with db.everywhere() as tx:
        principal_id = await create_principal(tx, "key", name, account_id, privileges)
        await tx.run("create_key", key_id=key_id, principal_id=principal_id, secret=secret)
    return key_id, secret


async def signing_key(db: Database, key_id: str) -> SigningKey:
    """The key with this id, be it revoked. Raises Unauthorized when there is none."""
    async with db.everywhere() as tx:
        rows = await tx.all("access_of_key", key_id=key_id) if _may_be_an_id(key_id) else []
    principal = Access.of(rows).principal()
    return SigningKey(rows[0]["secret"], principal, rows[0]["revoked_at"] is not None)


async def list_keys(db: Database, account_id: int) -> list[Key]:
    """The account's keys, oldest first, revoked ones too. Raises NotFound."""
    await accounts.find(db, account_id)
    async with db.everywhere() as tx:
        return [Key.of(row) for row in await tx.all("keys_of_account", grant_account=account_id)]


async def revoke_key(db: Database, account_id: int, key_id: str) -> None:
    """Makes a key of the account useless. Raises NotFound when it has none that works."""
    async with db.everywhere() as tx:
        if not (_may_be_an_id(key_id) and await tx.run("revoke_key", grant_account=account_id, key_id=key_id)):
            raise NotFound(f"account {account_id} has no working key of this id")


def _may_be_an_id(key_id: str) -> bool:
    """Whether the database could hold it."""
    return key_id.isascii() and key_id.isprintable() and len(key_id) <= LONGEST_ID
