"""API tokens: random, shown once, good until they are revoked or expire; only their hash is stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

import asyncpg

from engine import accounts
from engine.database import Database
from engine.errors import NotFound
from engine.principals import secrets
from engine.principals.grants import create_principal
from engine.principals.model import Access, Principal, Privilege


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
    token = secrets.new_token()
    async with db.everywhere() as tx:
        principal_id = await create_principal(tx, "token", name, account_id, privileges)
        await tx.run(
            "create_token",
            token_hash=secrets.hash_of(token),
            principal_id=principal_id,
            hint=secrets.hint_of(token),
            expires_at=expires_at,
        )
    return token


async def authenticate(db: Database, token: str) -> Principal:
    """Whom an API token speaks for, at home. Raises Unauthorized when it is unknown, revoked or expired."""
    return (await api_token(db, token)).principal()


async def api_token(db: Database, token: str) -> Access:
    """Whom an API token speaks for. Raises Unauthorized when it is unknown, revoked or expired."""
    async with db.everywhere() as tx:
        return Access.of(await tx.all("access_of_token", token_hash=secrets.hash_of(token), purpose="api"))


async def list_tokens(db: Database, account_id: int) -> list[Token]:
    """The account's API tokens, oldest first, revoked ones too. Raises NotFound."""
    await accounts.find(db, account_id)
    async with db.everywhere() as tx:
        return [Token.of(row) for row in await tx.all("tokens_of_account", grant_account=account_id)]


async def revoke_token(db: Database, principal_id: UUID) -> None:
    """Makes the principal's token useless. Raises NotFound when it has none that works."""
    async with db.everywhere() as tx:
        if not await tx.run("revoke_tokens", principal_id=principal_id):
            raise NotFound(f"there is no working token of {principal_id}")
