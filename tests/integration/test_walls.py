"""No statement sees or writes what is not its account's (design, "Layers": row-level security, one gateway)."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import asyncpg
import pytest
import pytest_asyncio

from engine import accounts
from engine.activities import submission
from engine.database import Database
from engine.errors import DatabaseUnusable, UnknownTarget
from engine.operations.contacts_import import ContactsFileImport
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.settings import Settings
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk, until

#: The tables without a wall: needed before an account is known (sql/migrations), COPY's target, and pogo's own.
OPEN_TABLES = {
    "principal",
    "principal_grant",
    "token",
    "login",
    "signing_key",
    "organization",
    "organization_administrator",
    "lease",
    "import_row",
    "schedule",
    "hook_call",
}
MIGRATION_TABLES = "_pogo%"

WALLED = """
    SELECT relname FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace
        AND relname <> ALL($1) AND relname NOT LIKE $2
    ORDER BY relname
"""


@pytest_asyncio.fixture
async def application(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection as API and workers have it, past the gateway."""
    connection = await asyncpg.connect(settings.database_app_url)
    yield connection
    await connection.close()


@pytest_asyncio.fixture
async def walled(desk: Desk) -> list[str]:
    """The tables behind the wall."""
    return [row["relname"] for row in await desk.owner.fetch(WALLED, list(OPEN_TABLES), MIGRATION_TABLES)]


@pytest_asyncio.fixture
async def mine(desk: Desk) -> Desk:
    return await filled(desk)


@pytest_asyncio.fixture
async def theirs(new_desk: NewDesk) -> Desk:
    return await filled(await new_desk())


async def filled(desk: Desk) -> Desk:
    """An account with at least one row in every table behind the wall. A new table needs a line here."""
    target = await desk.new_list()
    people = await desk.make_contacts(2)
    people += await desk.make_contacts(1, first=3, deleted=True)
    (desk.settings.uploads / "walls.csv").write_text("email,first_name,what\nc1@example.org,Kim,?\n")
    await desk.owner.execute("INSERT INTO segment VALUES ($1, 1, 's', 's', '{}', now(), now());", desk.account_id)
    await desk.owner.execute(
        "INSERT INTO custom_field VALUES ($1, 1, gen_random_uuid(), 'f', 'f', 'f', 'string', now(), now())",
        desk.account_id,
    )
    await desk.owner.execute("INSERT INTO campaign VALUES ($1, gen_random_uuid(), now())", desk.account_id)
    for row in (
        "event VALUES ($1, 1)",
        "response VALUES ($1, 1, 1, 'yes', now())",
        "mark VALUES ($1, 'bounced', 0, 1, now())",
        "hook VALUES ($1, 1, 'h', 'h', 'https://example.org', 'whsec_', now())",
        "activity_result VALUES ($1, 1, 1, false, '{}')",
        "staged_import VALUES ($1, 1, 1, '{}', null, now())",
        "staged_contacts VALUES ($1, 1, 1, '[]')",
    ):
        await desk.owner.execute(f"INSERT INTO {row}", desk.account_id)
    await desk.add([*people, uuid4()], target)
    await desk.submit(ContactsFileImport(file="walls.csv", list_ids=(target.set_id,)))
    await desk.finish_everything()
    return desk


async def test_which_tables_have_no_wall(desk: Desk) -> None:
    """A new table is behind the wall unless it is named here, with its reason in the migration."""
    open_tables = await desk.owner.fetch(
        "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace = 'public'::regnamespace"
        " AND NOT (relrowsecurity AND relforcerowsecurity) AND relname NOT LIKE $1",
        MIGRATION_TABLES,
    )
    assert {row["relname"] for row in open_tables} == OPEN_TABLES


async def test_every_table_behind_the_wall_is_put_to_the_test(mine: Desk, walled: list[str]) -> None:
    assert len(walled) >= 12
    assert [table for table in walled if not await mine.rows(table)] == []


@pytest.mark.parametrize("setting", [None, "", "0"])
async def test_a_statement_without_its_account_finds_nothing(
    mine: Desk, walled: list[str], application: asyncpg.Connection, setting: str | None
) -> None:
    """Issue 2, section 2: whether the setting was never made, is empty as after a transaction, or nobody's."""
    if setting is not None:
        await application.execute(f"SET muster.account_id = '{setting}'")
    for table in walled:
        assert await application.fetch(f"SELECT * FROM {table}") == []
        assert await application.execute(f"UPDATE {table} SET account_id = account_id") == "UPDATE 0"
        assert await application.execute(f"DELETE FROM {table}") == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
            await application.execute(f"INSERT INTO {table} (account_id) VALUES ($1)", mine.account_id)
    assert [table for table in walled if not await mine.rows(table)] == []


async def test_an_account_sees_only_its_own_rows(mine: Desk, theirs: Desk, walled: list[str]) -> None:
    async with mine.db.account(mine.account_id) as tx:
        for table in walled:
            rows = await tx.select(f"SELECT account_id FROM {table}", ())
            assert {row["account_id"] for row in rows} == {mine.account_id}, table


async def test_an_account_writes_only_its_own_rows(
    mine: Desk, theirs: Desk, walled: list[str], application: asyncpg.Connection
) -> None:
    await application.execute(f"SET muster.account_id = '{mine.account_id}'")
    before = {table: sorted(map(str, await theirs.rows(table))) for table in walled}
    for table in walled:
        update = f"UPDATE {table} SET account_id = account_id WHERE account_id = $1"
        assert await application.execute(update, theirs.account_id) == "UPDATE 0"
        assert await application.execute(f"DELETE FROM {table} WHERE account_id = $1", theirs.account_id) == "DELETE 0"
        for refused in (
            f"INSERT INTO {table} (account_id) VALUES ($1)",
            f"UPDATE {table} SET account_id = $1",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
                await application.execute(refused, theirs.account_id)
    assert {table: sorted(map(str, await theirs.rows(table))) for table in walled} == before


async def test_named_statements_stay_behind_the_wall(mine: Desk, theirs: Desk) -> None:
    """Even one that names another account: the wall does not depend on what a statement says."""
    async with mine.db.account(mine.account_id) as tx:
        assert await tx.one("account", account_id=theirs.account_id) is None
        assert await tx.all("custom_fields", account_id=theirs.account_id) == []
        assert await tx.run("lower_unfinished", account_id=theirs.account_id, finished=1) == 0
    async with mine.db.everywhere() as tx:
        assert await tx.one("account", account_id=mine.account_id) is None


async def test_the_role_may_do_nothing_but_read_and_write_rows(application: asyncpg.Connection) -> None:
    for refused in (
        "CREATE TABLE mine (n int)",
        "ALTER TABLE contact DISABLE ROW LEVEL SECURITY",
        "ALTER TABLE contact NO FORCE ROW LEVEL SECURITY",
        "DROP POLICY account_wall ON contact",
        "TRUNCATE contact",
        "DROP TABLE contact",
        "CREATE POLICY all_of_it ON contact USING (true)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await application.execute(refused)


async def is_dropped(desk: Desk, database: str) -> bool:
    try:
        await desk.owner.execute(f"DROP DATABASE {database}")
    except asyncpg.ObjectInUseError:
        return False
    return True


class TestOpening:
    """The gateway refuses a role that the walls do not bind, and a database that has none."""

    async def test_the_owner_is_refused(self, database_url: str) -> None:
        with pytest.raises(DatabaseUnusable, match="owns Muster's tables or bypasses row-level security"):
            await Database.open(database_url)

    @pytest.mark.parametrize("power", ["BYPASSRLS", "SUPERUSER", "IN ROLE {owner}"])
    async def test_a_role_that_walls_do_not_bind_is_refused(self, desk: Desk, settings: Settings, power: str) -> None:
        owner, is_superuser = await desk.owner.fetchrow(
            "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user"
        )
        if not is_superuser:
            pytest.skip("only a superuser can make such a role")
        role = f"strong_{uuid4().hex}"
        await desk.owner.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'strong' {power.format(owner=owner)}")
        try:
            parts = urlsplit(str(settings.database_url))
            server = parts.netloc.rpartition("@")[2]
            with pytest.raises(DatabaseUnusable, match="bypasses row-level security"):
                await Database.open(parts._replace(netloc=f"{role}:strong@{server}").geturl())
        finally:
            await desk.owner.execute(f"DROP ROLE {role}")

    async def test_a_database_without_tables_is_refused(self, desk: Desk, settings: Settings) -> None:
        name = f"empty_{uuid4().hex}"
        await desk.owner.execute(f"CREATE DATABASE {name}")
        try:
            url = urlsplit(str(settings.database_app_url))._replace(path=f"/{name}").geturl()
            with pytest.raises(DatabaseUnusable, match="run `muster migrate`"):
                await Database.open(url)
        finally:
            await until(partial(is_dropped, desk, name), "the refused connection has ended")

    async def test_a_server_that_is_not_there_is_told(self) -> None:
        with pytest.raises(DatabaseUnusable, match="cannot connect to PostgreSQL"):
            await Database.open("postgresql://muster_app@127.0.0.1:1/muster")


class TestTransactions:
    """A unit of work is a transaction: all of it, or nothing, and nothing stays open."""

    @pytest_asyncio.fixture
    async def single(self, settings: Settings) -> AsyncIterator[Database]:
        """A gateway with one connection: what one unit of work leaves behind, the next one finds."""
        database = await Database.open(str(settings.database_app_url), connections=1)
        yield database
        await database.close()

    async def test_an_error_leaves_nothing(self, desk: Desk, single: Database) -> None:
        async def fail() -> None:
            async with single.account(desk.account_id) as tx:
                await catalog.create(tx, SetKind.LIST, "never")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        assert await self._lists(desk, single) == 0

    async def test_a_swallowed_error_is_not_committed_in_silence(self, desk: Desk, single: Database) -> None:
        async def swallow() -> None:
            async with single.account(desk.account_id) as tx:
                await catalog.create(tx, SetKind.LIST, "never")
                with suppress(asyncpg.PostgresError):
                    await tx.select("SELECT 1 / 0", ())

        with pytest.raises(RuntimeError, match="was rolled back, though its error was swallowed"):
            await swallow()
        assert await self._lists(desk, single) == 0

    async def test_a_cancelled_coroutine_leaves_no_open_transaction(self, desk: Desk, single: Database) -> None:
        inside = asyncio.Event()

        async def never_ends() -> None:
            async with single.account(desk.account_id) as tx:
                await catalog.create(tx, SetKind.LIST, "never")
                inside.set()
                await asyncio.Event().wait()

        await self._cancelled(never_ends(), inside)
        await self._assert_nothing_is_open(desk)
        assert await self._lists(desk, single) == 0

    async def test_one_that_is_cancelled_in_a_statement_leaves_none_either(self, desk: Desk, single: Database) -> None:
        inside = asyncio.Event()

        async def sleeps_in_the_database() -> None:
            async with single.account(desk.account_id) as tx:
                await catalog.create(tx, SetKind.LIST, "never")
                inside.set()
                await tx.select("SELECT pg_sleep(60)", ())

        await self._cancelled(sleeps_in_the_database(), inside)
        await self._assert_nothing_is_open(desk)
        assert await self._lists(desk, single) == 0

    async def test_the_next_unit_of_work_is_behind_its_own_wall(self, desk: Desk, single: Database) -> None:
        """The account of one transaction is not that of the next on the same connection."""
        async with single.account(desk.account_id) as tx:
            await catalog.create(tx, SetKind.LIST, "mine")
        other = await accounts.create(single, "other")
        async with single.account(other.account_id) as tx:
            assert await catalog.count(tx, SetKind.LIST) == 0
        async with single.everywhere() as tx:
            assert await tx.select("SELECT FROM contact_set", ()) == []

    async def test_a_refused_request_leaves_nothing_open(self, desk: Desk, single: Database) -> None:
        people, target = await desk.make_contacts(1), await desk.new_list()
        await desk.delete_list(target)
        with pytest.raises(UnknownTarget):
            await submission.submit(single, desk.settings, desk.principal, desk.adding(people, target))
        await self._assert_nothing_is_open(desk)
        assert await desk.rows("activity") == []

    async def test_no_account_takes_all_connections(self, desk: Desk, new_desk: NewDesk, settings: Settings) -> None:
        other, going_on = await new_desk(), asyncio.Event()
        database = await Database.open(str(settings.database_app_url), connections=3)

        async def hold() -> None:
            async with database.account(desk.account_id):
                await going_on.wait()

        holders = [asyncio.create_task(hold()) for _ in range(9)]
        assert await self._lists(other, database) == 0
        going_on.set()
        await asyncio.gather(*holders)
        await database.close()

    @staticmethod
    async def _lists(desk: Desk, database: Database) -> int:
        async with database.account(desk.account_id) as tx:
            return await catalog.count(tx, SetKind.LIST)

    @staticmethod
    async def _cancelled(coroutine: Coroutine[Any, Any, None], inside: asyncio.Event) -> None:
        task = asyncio.create_task(coroutine)
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    @staticmethod
    async def _assert_nothing_is_open(desk: Desk) -> None:
        async def nothing_is_open() -> bool:
            busy = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename = $1"
                " AND state <> 'idle'"
            )
            return await desk.owner.fetchval(busy, urlsplit(str(desk.settings.database_app_url)).username) == 0

        await until(nothing_is_open, "no transaction is open")
