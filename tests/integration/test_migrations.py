"""Bringing a database up to date (issue 2, section 1: `muster migrate`)."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from engine import accounts
from engine.database import Database
from engine.errors import DatabaseUnusable
from engine.migrations import migrate
from engine.queries import MIGRATIONS_FOLDER
from engine.sets.chunks import bits_of
from engine.settings import application_url

TABLES = "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY relname"


@pytest_asyncio.fixture
async def fresh_urls(database_url: str) -> AsyncIterator[list[str]]:
    """The owner's URLs of new, empty databases of one server."""
    names = [f"fresh_{uuid4().hex}" for _ in range(2)]
    owner = await asyncpg.connect(database_url)
    for name in names:
        await owner.execute(f"CREATE DATABASE {name}")
    yield [urlsplit(database_url)._replace(path=f"/{name}").geturl() for name in names]
    for name in names:
        await owner.execute(f"DROP DATABASE {name}")
    await owner.close()


async def tables(url: str) -> list[str]:
    owner = await asyncpg.connect(url)
    try:
        return [row["relname"] for row in await owner.fetch(TABLES)]
    finally:
        await owner.close()


async def test_several_at_once_and_again(fresh_urls: list[str], database_url: str) -> None:
    """A deployment may start several migrators; what is up to date stays as it is."""
    fresh_url, app_url = fresh_urls[0], application_url(fresh_urls[0])
    await asyncio.gather(*(migrate(fresh_url, app_url) for _ in range(3)))
    found = await tables(fresh_url)
    assert found == await tables(database_url)
    await migrate(fresh_url, app_url)
    assert await tables(fresh_url) == found
    database = await Database.open(app_url)
    account = await accounts.create(database, "first")
    await database.close()
    assert account.account_id == 1


async def test_several_databases_of_one_server_at_once(fresh_urls: list[str]) -> None:
    """They share the application role, which each of them makes ready."""
    for _ in range(4):
        await asyncio.gather(*(migrate(url, application_url(url)) for url in fresh_urls))


async def test_a_server_that_is_not_there_is_told() -> None:
    url = "postgresql://muster@127.0.0.1:1/muster"
    with pytest.raises(DatabaseUnusable, match="cannot connect to PostgreSQL as its owner"):
        await migrate(url, application_url(url))


async def test_levels_of_before_were_set_by_hand(fresh_urls: list[str]) -> None:
    """Migration 02: they stay when levels are computed."""
    url = fresh_urls[0]
    first, second = (sorted(MIGRATIONS_FOLDER.glob("*.sql"))[place].read_text() for place in (0, 1))
    owner = await asyncpg.connect(url)
    bits = bits_of([1, 5, 9])[0]
    try:
        await owner.execute(applied(first))
        await owner.execute("SET muster.account_id = '1'; INSERT INTO account (account_id, name) VALUES (1, 'one')")
        for set_no, contact_nos in ((-4, [1]), (-7, [5, 9]), (-1, [1, 2, 5, 9])):
            chunk = bits_of(contact_nos)[0]
            await owner.execute("INSERT INTO set_chunk VALUES (1, $1, 0, $2)", set_no, chunk)
        await owner.execute(applied(second))
        assert await owner.fetchval("SELECT bits FROM set_chunk WHERE set_no = -9") == bits
        assert await owner.fetchval("SELECT member_count FROM contact_set WHERE set_no = -9") == 3
        await owner.execute(second.partition("-- migrate: rollback")[2])
        assert await owner.fetchval("SELECT count(*) FROM set_chunk WHERE set_no = -9") == 0
    finally:
        await owner.close()


def applied(migration: str) -> str:
    return migration.partition("-- migrate: apply")[2].partition("-- migrate: rollback")[0]
