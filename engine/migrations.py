"""Brings a database up to date: the tables, and the role that API and workers connect as.

Runs with the owner's connection, and only here. Migrations are the raw SQL files of `sql/migrations`.
"""

import asyncio
from urllib.parse import unquote, urlsplit

import asyncpg
from pogo_core.util import migrate as pogo

from engine.database import CANNOT_CONNECT
from engine.errors import DatabaseUnusable
from engine.queries import MIGRATIONS_FOLDER, statements

#: Key of the advisory lock that keeps two migrators apart.
MIGRATION_LOCK = 0x6D7573746572
#: Roles belong to the whole server and that lock to one database: what is raised when another database's migrator makes
#: or changes the role at the same moment, and how often and with which pause in seconds it is tried again then.
ROLE_RACES = (asyncpg.InternalServerError, asyncpg.DuplicateObjectError, asyncpg.UniqueViolationError)
ROLE_TRIES, ROLE_PAUSE = 20, 0.05


async def migrate(owner_url: str, app_url: str) -> None:
    """Applies what is missing and makes the role of `app_url` able to work, but not to see through the walls.

    The role is made, with the password in `app_url`, when it does not exist. Raises DatabaseUnusable.
    """
    try:
        connection = await asyncpg.connect(owner_url)
    except CANNOT_CONNECT as error:
        raise DatabaseUnusable(f"cannot connect to PostgreSQL as its owner: {error}") from error
    try:
        await connection.execute(f"SELECT pg_advisory_lock({MIGRATION_LOCK})")
        await pogo.apply(connection, MIGRATIONS_FOLDER, schema_name="public")
        await _insist_on_role(connection, app_url)
    finally:
        await connection.close()


async def _insist_on_role(connection: "asyncpg.Connection[asyncpg.Record]", app_url: str) -> None:
    for _ in range(ROLE_TRIES):
        try:
            return await _prepare_role(connection, app_url)
        except ROLE_RACES:
            await asyncio.sleep(ROLE_PAUSE)
    return await _prepare_role(connection, app_url)


async def _prepare_role(connection: "asyncpg.Connection[asyncpg.Record]", app_url: str) -> None:
    parts = urlsplit(app_url)
    role, password = unquote(parts.username or ""), unquote(parts.password or "")
    try:
        if not await connection.fetchval(statements()["role_exists"].sql, role):
            await connection.execute(await connection.fetchval(statements()["create_role"].sql, role, password))
        for statement in await connection.fetch(statements()["prepare_role"].sql, role):
            await connection.execute(statement["ddl"])
    except asyncpg.InsufficientPrivilegeError as error:
        raise DatabaseUnusable(
            f"the owner may not make or change the role {role!r}: {error}; grant it CREATEROLE, or make a role yourself"
            " and name it in DATABASE_APP_URL"
        ) from error
