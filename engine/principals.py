"""Who may ask: principals, their grants and their tokens.

A token is random and shown once; only its hash is stored. These tables have no wall, because they are needed before
an account is known.
"""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Self
from uuid import UUID

import asyncpg

from engine import accounts
from engine.database import Database
from engine.errors import Forbidden, NotFound, Unauthorized

#: Muster itself: who asks for what comes by the clock.
MUSTER = UUID(int=0)
#: Bytes of randomness in a token.
TOKEN_BYTES = 32
#: What every token begins with, so that a leaked one is recognised.
TOKEN_PREFIX = "muster_"  # noqa: S105 (not a secret)


class Privilege(StrEnum):
    """What a principal may do (contract v3.md 1.2)."""

    CONTACTS_READ = "contacts:read"
    CONTACTS_WRITE = "contacts:write"
    LISTS_READ = "contacts:lists:read"
    LISTS_WRITE = "contacts:lists:write"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, for which account, and what it may do there."""

    principal_id: UUID
    account_id: int
    privileges: frozenset[Privilege]

    def require(self, *any_of: Privilege) -> None:
        """Raises Forbidden unless the principal has one of these privileges."""
        if self.privileges.isdisjoint(any_of):
            raise Forbidden(f"this needs the privilege {' or '.join(any_of)}")


@dataclass(frozen=True, slots=True)
class Token:
    """What can be told of a token: never the token itself."""

    principal_id: UUID
    name: str
    hint: str
    privileges: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(**{**dict(row), "privileges": tuple(row["privileges"])})


@dataclass(frozen=True, slots=True)
class Taken:
    """Requests that a principal may make within so many seconds, until the day ends at 00:00 UTC."""

    requests: int
    seconds: float


def muster(account_id: int) -> Principal:
    """Muster itself in an account. It has no token."""
    return Principal(MUSTER, account_id, frozenset())


async def create_token(
    db: Database,
    account_id: int,
    name: str,
    privileges: Iterable[Privilege] = tuple(Privilege),
    *,
    expires_at: datetime | None = None,
) -> str:
    """A new principal of the account with one token, which only this answer shows. Raises NotFound."""
    await accounts.find(db, account_id)
    token = TOKEN_PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    async with db.everywhere() as tx:
        principal_id = await tx.value("create_principal", name=name)
        await tx.run("grant", principal_id=principal_id, grant_account=account_id, privileges=sorted(set(privileges)))
        await tx.run(
            "create_token",
            token_hash=_hash(token),
            principal_id=principal_id,
            hint=token[-4:],
            expires_at=expires_at,
        )
    return token


async def authenticate(db: Database, token: str) -> Principal:
    """Whom the token speaks for. Raises Unauthorized when it is unknown, revoked or expired."""
    async with db.everywhere() as tx:
        row = await tx.one("principal_of_token", token_hash=_hash(token))
    if row is None:
        raise Unauthorized("Unauthorized")
    return Principal(row["principal_id"], row["account_id"], frozenset(map(Privilege, row["privileges"])))


async def take_requests(db: Database, principal: Principal, block: int, most: int) -> Taken:
    """The next `block` of the `most` requests of the principal's day, whoever takes them; less when they run out.

    Raises Unauthorized when there is no such principal any more.
    """
    async with db.everywhere() as tx:
        row = await tx.one(
            "take_requests",
            principal_id=principal.principal_id,
            grant_account=principal.account_id,
            block=block,
            most=most,
        )
    if row is None:
        raise Unauthorized("Unauthorized")
    return Taken(row["granted"], row["seconds"])


async def list_tokens(db: Database, account_id: int) -> list[Token]:
    """The account's tokens, oldest first, revoked ones too. Raises NotFound."""
    await accounts.find(db, account_id)
    async with db.everywhere() as tx:
        return [Token.of(row) for row in await tx.all("tokens_of_account", grant_account=account_id)]


async def revoke_token(db: Database, principal_id: UUID) -> None:
    """Makes the principal's token useless. Raises NotFound when it has none that works."""
    async with db.everywhere() as tx:
        if not await tx.run("revoke_tokens", principal_id=principal_id):
            raise NotFound(f"there is no working token of {principal_id}")


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
