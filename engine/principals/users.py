"""Users: principals with a name and a password. A name is of one user in all accounts, whatever its case."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Self
from uuid import UUID

import asyncpg

from engine import accounts
from engine.database import Database
from engine.errors import Invalid, NameTaken, NotFound, Unauthorized
from engine.principals import passwords
from engine.principals.grants import create_principal
from engine.principals.model import Access, Privilege
from engine.sets.catalog import name_key

#: Characters of a user's name: those of the longest e-mail address.
LONGEST_NAME = 254


@dataclass(frozen=True, slots=True)
class User:
    """Who has access to an account by name and password. home: whether it is the user's own account."""

    principal_id: UUID
    name: str
    home: bool
    privileges: tuple[str, ...]
    created_at: datetime

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(**{**dict(row), "privileges": tuple(row["privileges"])})


async def create_user(
    db: Database, account_id: int, name: str, password: str, privileges: Iterable[Privilege] = tuple(Privilege)
) -> UUID:
    """A new user, whose home is the account. Raises NotFound, Invalid, NameTaken, and Busy."""
    if not _may_be_a_name(name):
        raise Invalid(f"a user needs a name of 1 to {LONGEST_NAME} characters, without control characters")
    await accounts.find(db, account_id)
    password_hash = await passwords.hashed(password)
    try:
        async with db.everywhere() as tx:
            principal_id = await create_principal(tx, "user", name.strip(), account_id, privileges)
            await tx.run(
                "create_login",
                principal_id=principal_id,
                name=name.strip(),
                name_key=name_key(name),
                password_hash=password_hash,
            )
    except asyncpg.UniqueViolationError:
        raise NameTaken(f"another user is named {name.strip()!r}") from None
    return principal_id


async def log_in(db: Database, name: str, password: str) -> Access:
    """Who has this name and this password.

    Raises Unauthorized, which takes as long for a name that nobody has as for a wrong password, and Busy.
    """
    async with db.everywhere() as tx:
        login = await tx.one("login_of_name", name_key=name_key(name) if _may_be_a_name(name) else "")
    stored: str | None = None if login is None else login["password_hash"]
    if not await passwords.matches(stored, password) or login is None:
        raise Unauthorized("Unauthorized")
    return await _access(db, login["principal_id"])


async def set_password(db: Database, principal_id: UUID, password: str) -> None:
    """Gives a user another password, and ends the sessions. Raises NotFound, Invalid, and Busy."""
    password_hash = await passwords.hashed(password)
    async with db.everywhere() as tx:
        if not await tx.run("set_password", principal_id=principal_id, password_hash=password_hash):
            raise NotFound(f"there is no user {principal_id}")
        await tx.run("close_sessions", principal_id=principal_id)


async def remove_user(db: Database, principal_id: UUID) -> None:
    """Takes a user's name, sessions and grants away. Who asked for what can still be told. Raises NotFound."""
    async with db.everywhere() as tx:
        if not await tx.run("delete_login", principal_id=principal_id):
            raise NotFound(f"there is no user {principal_id}")
        await tx.run("delete_grants", principal_id=principal_id)
        await tx.run("delete_administrations", principal_id=principal_id)
        await tx.run("close_sessions", principal_id=principal_id)


async def list_users(db: Database, account_id: int) -> list[User]:
    """Who has access to the account, oldest first. Raises NotFound."""
    await accounts.find(db, account_id)
    async with db.everywhere() as tx:
        return [User.of(row) for row in await tx.all("users_of_account", grant_account=account_id)]


async def user_of(db: Database, account_id: int, principal_id: UUID) -> User:
    """One who has access to the account. Raises NotFound."""
    async with db.everywhere() as tx:
        row = await tx.one("user_of_account", grant_account=account_id, principal_id=principal_id)
    if row is None:
        raise NotFound(f"there is no user {principal_id}")
    return User.of(row)


async def own_user(db: Database, account_id: int, principal_id: UUID) -> User:
    """One whose home the account is, so that it may say who the user is. Raises NotFound."""
    user = await user_of(db, account_id, principal_id)
    if not user.home:
        raise NotFound(f"user {principal_id} is of another account")
    return user


async def find_user(db: Database, name: str) -> UUID:
    """The user with this name. Raises NotFound."""
    async with db.everywhere() as tx:
        login = await tx.one("login_of_name", name_key=name_key(name)) if _may_be_a_name(name) else None
    if login is None:
        raise NotFound("there is no user of this name")
    principal_id: UUID = login["principal_id"]
    return principal_id


async def access_of_user(db: Database, name: str) -> Access:
    """What the user with this name may do, and where. Raises NotFound."""
    return await _access(db, await find_user(db, name))


async def _access(db: Database, principal_id: UUID) -> Access:
    async with db.everywhere() as tx:
        return Access.of(await tx.all("access_of_principal", principal_id=principal_id))


def _may_be_a_name(name: str) -> bool:
    """A text that the database can hold and people can tell from others."""
    return 0 < len(name.strip()) <= LONGEST_NAME and all(map(_is_visible, name.strip()))


def _is_visible(character: str) -> bool:
    return character == " " or character.isprintable()
