"""What a command finds around it: the settings, the running stack, access to an account, the terminal.

This is where the environment is read; everything else is handed what it needs.
"""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from rich.console import Console

from api.client import Client
from deploy.folder import DataFolder, data_folder, locked, write_private
from deploy.stack import find_running, local_address, running_database
from engine import accounts, principals
from engine.database import Database, Transaction
from engine.errors import Invalid, Unauthorized, Unusable
from engine.settings import Settings, environment_name

T = TypeVar("T")

#: Columns of output that is no terminal's: nothing in a table is cut off.
WIDE = 400
#: For people; what a program may read goes to `OUTPUT`.
TERMINAL = Console(stderr=True, highlight=False, soft_wrap=True)
OUTPUT = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else WIDE)

#: Connections that an administrative command needs.
CONNECTIONS = 2

#: The account and token that `muster up` makes.
OWN_NAME = "demo"


class Access(BaseModel):
    """The account and token that `muster up` made on this data folder, and uses again."""

    model_config = ConfigDict(frozen=True)

    account_id: int
    token: str


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The settings and their data folder."""

    settings: Settings
    folder: DataFolder


def say(message: str) -> None:
    """Tells the person at the terminal."""
    TERMINAL.print(message, markup=False)


def surroundings() -> Surroundings:
    """The settings from the environment. Raises Invalid, naming the variable, when one makes no sense."""
    try:
        settings = Settings()
    except ValidationError as error:
        raise Invalid("; ".join(_complaint(problem["loc"], problem["msg"]) for problem in error.errors())) from None
    return Surroundings(settings, data_folder(settings.data))


def connected_settings(around: Surroundings) -> Settings:
    """Settings whose servers are named: by the environment, or by the stack that runs on the data folder.

    Raises Unusable when neither names them.
    """
    settings = around.settings
    if settings.database_app_url and settings.redis_url:
        return settings
    running = find_running(around.folder)
    if running is None:
        given = {"DATABASE_URL": settings.database_app_url, "REDIS_URL": settings.redis_url}
        missing = [name for name, url in given.items() if not url]
        raise Unusable(
            f"{' and '.join(missing)} {'is' if len(missing) == 1 else 'are'} not set, and no stack runs on "
            f"{around.folder.root}: set {'it' if len(missing) == 1 else 'them'}, or start everything with `muster up`"
        )
    urls = {
        "database_app_url": settings.database_app_url or running.database_app_url,
        "redis_url": settings.redis_url or running.redis_url,
    }
    return settings.model_copy(update=urls)


@asynccontextmanager
async def owned_database(around: Surroundings) -> AsyncIterator[Settings]:
    """Settings with the owner's URL: the environment's, the running stack's, or the embedded PostgreSQL's.

    That one is started for as long as it is needed.
    """
    running = find_running(around.folder)
    if around.settings.database_url:
        yield around.settings
    elif running is not None:
        urls = {"database_url": running.database_url, "database_app_url": running.database_app_url}
        yield around.settings.model_copy(update=urls)
    else:
        with locked(around.folder) as lock:
            async with running_database(around.settings, around.folder, lock, say) as settings:
                yield settings


@asynccontextmanager
async def open_database(around: Surroundings) -> AsyncIterator[Database]:
    """The database as the application role, wherever `owned_database` finds it.

    Raises Unusable where there is none: what asks for a database's content makes no new one.
    """
    if around.settings.database_app_url:
        async with opened(around.settings.database_app_url) as database:
            yield database
        return
    if not (around.settings.database_url or around.folder.postgres.exists() or find_running(around.folder)):
        raise Unusable(
            f"there is no database in {around.folder.root}: `muster up` or `muster migrate` makes one; "
            "or set MUSTER_DATA or DATABASE_URL to use another"
        )
    async with owned_database(around) as settings:
        assert settings.database_app_url is not None
        async with opened(settings.database_app_url) as database:
            yield database


def on_database(work: Callable[[Database], Awaitable[T]]) -> T:
    """What an administrative command does on the database of its surroundings. Raises as `open_database` and it do."""

    async def run() -> T:
        async with open_database(surroundings()) as database:
            return await work(database)

    return asyncio.run(run())


def in_account(account_id: int, work: Callable[[Transaction], Awaitable[T]]) -> T:
    """The same in one transaction of an account. Raises NotFound when there is no such account."""

    async def run(database: Database) -> T:
        await accounts.find(database, account_id)
        async with database.account(account_id) as tx:
            return await work(tx)

    return on_database(run)


@asynccontextmanager
async def opened(app_url: str) -> AsyncIterator[Database]:
    database = await Database.open(app_url, connections=CONNECTIONS)
    try:
        yield database
    finally:
        await database.close()


async def own_access(database: Database, folder: DataFolder) -> Access:
    """The account and token of this data folder; made the first time, and again when they do not work."""
    try:
        access = Access.model_validate_json(folder.access_file.read_bytes())
        await principals.authenticate(database, access.token)
    except (OSError, ValidationError, Unauthorized):
        account = await accounts.create(database, OWN_NAME)
        token = await principals.create_token(database, account.account_id, OWN_NAME)
        access = Access(account_id=account.account_id, token=token)
        write_private(folder.access_file, access.model_dump_json())
    return access


@asynccontextmanager
async def open_client(url: str | None, token: str | None) -> AsyncIterator[Client]:
    """The API at the URL, by default that of the stack on the data folder; the token likewise.

    Raises Unusable when no stack runs on it and nothing else was asked for.
    """
    around = surroundings()
    running = find_running(around.folder)
    if running is None and not (url or token):
        raise Unusable(
            f"no stack runs on {around.folder.root}: start one with `muster up`, "
            "or set MUSTER_URL and MUSTER_TOKEN to use another"
        )
    address = local_address(around.settings) if running is None else running.address
    async with Client.open(url or address, token or _token(around)) as client:
        yield client


def _token(around: Surroundings) -> str:
    try:
        return Access.model_validate_json(around.folder.access_file.read_bytes()).token
    except (OSError, ValidationError):
        raise Unauthorized("no token: give --token or set MUSTER_TOKEN (`muster token create` makes one)") from None


def _complaint(location: tuple[int | str, ...], message: str) -> str:
    name = str(location[0])
    variable = environment_name(name) if name in Settings.model_fields else name
    return f"{variable}: {message} (it is {os.environ.get(variable, 'not set')!r})"
