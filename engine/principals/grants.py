"""Principals with what they may do in their home, and grants for other accounts (contract greenrope.md 1.2)."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg

from engine import accounts
from engine.database import Database, Transaction
from engine.errors import Conflict, NotFound
from engine.principals.model import Privilege


async def create_principal(
    tx: Transaction, kind: str, name: str, account_id: int, privileges: Iterable[Privilege]
) -> UUID:
    """A new principal, which may do this in the account, its home."""
    principal_id: UUID = await tx.value(
        "create_principal", kind=kind, name=name, grant_account=account_id, privileges=sorted(set(privileges))
    )
    return principal_id


async def grant(db: Database, principal_id: UUID, account_id: int, privileges: Iterable[Privilege]) -> None:
    """Lets a principal do this, and nothing more, in an account, be it its home or another. Raises NotFound."""
    await accounts.find(db, account_id)
    try:
        async with db.everywhere() as tx:
            await tx.run(
                "grant", principal_id=principal_id, grant_account=account_id, privileges=sorted(set(privileges))
            )
    except asyncpg.ForeignKeyViolationError:
        raise NotFound(f"there is no user {principal_id}") from None


async def revoke_grant(db: Database, principal_id: UUID, account_id: int) -> None:
    """Takes a principal's access to an account away. Raises NotFound, and Conflict when it is its home."""
    async with db.everywhere() as tx:
        home = await tx.value("grant_is_of_home", principal_id=principal_id, grant_account=account_id)
        if home is None:
            raise NotFound(f"this user has no access to account {account_id}")
        if home:
            raise Conflict(f"account {account_id} is the home of this user, who can be removed")
        await tx.run("revoke_grant", principal_id=principal_id, grant_account=account_id)
