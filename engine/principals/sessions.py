"""Sessions: tokens that a login has made. They end by themselves, by the database's clock.

Only the hash of a token is stored; those that have ended are pruned by retention.
"""

from collections.abc import Sequence
from dataclasses import replace
from enum import StrEnum
from uuid import UUID

import asyncpg

from engine.database import Database
from engine.errors import Conflict, Forbidden, Unauthorized
from engine.principals import secrets
from engine.principals.model import Access

#: Ended sessions that are deleted in one transaction.
PRUNED_AT_ONCE = 10_000


class Purpose(StrEnum):
    """What a session is for: a token for one is none for the others."""

    #: Of a visitor who has logged in.
    SESSION = "session"
    #: For another program, which acts for who has logged in.
    SIGN_ON = "sign_on"
    #: Of a program that has logged in by itself.
    PROGRAM = "program"


async def open_session(
    db: Database,
    principal_id: UUID,
    purpose: Purpose,
    seconds: float,
    *,
    slides: bool = False,
    account_id: int | None = None,
    token: str | None = None,
) -> str:
    """A new session that ends after `seconds`; answers its token, which nothing shows again.

    slides: it ends so long after it was last used.
    account_id: the account that is meant when none is named, if it is not the principal's home.
    token: one that was made up before anybody had logged in.

    Raises Forbidden when the principal has no access to the account, or is not there at all, and Conflict when the
    given token was used before.
    """
    token = token or secrets.new_token()
    try:
        async with db.everywhere() as tx:
            opened = await tx.run(
                "open_session",
                token_hash=secrets.hash_of(token),
                principal_id=principal_id,
                hint=secrets.hint_of(token),
                purpose=purpose,
                seconds=seconds,
                slides=slides,
                session_account=account_id,
            )
    except asyncpg.UniqueViolationError:
        raise Conflict("there was a session with this token before") from None
    if not opened:
        raise Forbidden(f"there is no access to account {account_id}" if account_id else "there is no access any more")
    return token


async def session(db: Database, token: str, purpose: Purpose) -> Access:
    """Whose session it is. One that slides ends later for it, which is written once a minute at most.

    Raises Unauthorized when it is unknown, closed, has ended, or is for another purpose.
    """
    token_hash = secrets.hash_of(token)
    async with db.everywhere() as tx:
        rows = await tx.all("access_of_token", token_hash=token_hash, purpose=purpose)
        if rows and rows[0]["to_slide"]:
            await tx.run("slide_session", token_hash=token_hash)
    return _at_home(Access.of(rows), rows)


async def close_session(db: Database, token: str, purpose: Purpose) -> None:
    """Ends a session, if it is one for this purpose that has not ended."""
    async with db.everywhere() as tx:
        await tx.run("close_session", token_hash=secrets.hash_of(token), purpose=purpose)


async def prune_sessions(db: Database) -> None:
    """Deletes all sessions that have ended."""
    deleted = PRUNED_AT_ONCE
    while deleted == PRUNED_AT_ONCE:
        async with db.everywhere() as tx:
            deleted = await tx.run("prune_sessions", limit=PRUNED_AT_ONCE)


def _at_home(access: Access, rows: Sequence[asyncpg.Record]) -> Access:
    """The access with the session's own account as its home. Raises Unauthorized when there is no grant any more."""
    home = rows[0]["session_account"]
    if home is None:
        return access
    if home not in access.grants:
        raise Unauthorized("Unauthorized")
    return replace(access, home=home)
