"""The servers under measurement: a whole stack on a fresh data folder, and its tenants.

Every benchmark gets a stack of its own, started as `muster up` starts it, so that none finds what another left. It is
always the embedded one. What is set up here is outside the clock.
"""

import os
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from tempfile import TemporaryDirectory
from unittest.mock import patch
from urllib.parse import urlsplit
from uuid import UUID

import asyncpg

from api.client import Client
from deploy import stack
from deploy.folder import data_folder, locked
from deploy.stack import StackFile, running_stack
from engine import accounts, principals
from engine.database import Database
from engine.errors import Unusable
from engine.sets import catalog, system
from engine.sets.catalog import SetKind
from engine.sets.chunks import bits_of
from engine.settings import Settings

#: Connections of the harness as the application role.
CONNECTIONS = 4


@dataclass(frozen=True, slots=True)
class Servers:
    """A running stack, reached over HTTP, as the owner and as the application role."""

    settings: Settings
    stack: StackFile
    owner: "asyncpg.Connection[asyncpg.Record]"
    db: Database

    @property
    def app_role(self) -> str:
        return str(urlsplit(self.stack.database_app_url).username)


@dataclass(frozen=True, slots=True)
class Tenant:
    """An account with a token."""

    account_id: int
    token: str


@asynccontextmanager
async def with_workers(settings: Settings) -> AsyncIterator[Servers]:
    """One API process, the workers of `muster up`: two for activities, one for bulk."""
    async with _running(settings) as servers:
        yield servers


@asynccontextmanager
async def without_workers(settings: Settings) -> AsyncIterator[Servers]:
    """One API process and nobody who does what is submitted."""
    with patch.object(stack, "QUEUES", ()):
        async with _running(settings) as servers:
            yield servers


@asynccontextmanager
async def _running(settings: Settings) -> AsyncIterator[Servers]:
    parent = settings.data.expanduser().resolve()
    parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="bench-", dir=parent, ignore_cleanup_errors=True) as root:
        folder = data_folder(parent / root)
        fresh = settings.model_copy(
            update={
                "data": folder.root,
                "uploads": folder.root / "uploads",
                "exports": folder.root / "exports",
                "port": 0,
                "metrics_port": 0,
                **dict.fromkeys(("database_url", "database_app_url", "redis_url")),
            }
        )
        with locked(folder) as lock:
            async with running_stack(fresh, folder, lock, lambda _: None) as reach, _connected(fresh, reach) as servers:
                yield servers


@asynccontextmanager
async def _connected(settings: Settings, reach: StackFile) -> AsyncIterator[Servers]:
    owner = await asyncpg.connect(reach.database_url)
    db = await Database.open(reach.database_app_url, connections=CONNECTIONS)
    try:
        await _check_durable(owner)
        yield Servers(settings, reach, owner, db)
    finally:
        await db.close()
        await owner.close()


async def _check_durable(owner: "asyncpg.Connection[asyncpg.Record]") -> None:
    for setting in ("fsync", "synchronous_commit", "full_page_writes"):
        if (value := await owner.fetchval(f"SHOW {setting}")) != "on":
            raise Unusable(f"{setting} is {value}: figures of a database that may lose data say nothing")


@asynccontextmanager
async def client(servers: Servers, tenant: Tenant) -> AsyncIterator[Client]:
    async with Client.open(servers.stack.address, tenant.token) as opened:
        yield opened


async def new_tenant(servers: Servers) -> Tenant:
    account = await accounts.create(servers.db, "bench")
    return Tenant(account.account_id, await principals.create_token(servers.db, account.account_id, "bench"))


async def new_lists(servers: Servers, tenant: Tenant, names: Iterable[str]) -> dict[UUID, int]:
    """Empty lists: their ids and numbers."""
    return await _new_sets(servers, tenant, SetKind.LIST, names)


async def new_tags(servers: Servers, tenant: Tenant, names: Iterable[str]) -> dict[UUID, int]:
    """Tags that nobody has: their ids and numbers."""
    return await _new_sets(servers, tenant, SetKind.TAG, names)


async def _new_sets(servers: Servers, tenant: Tenant, kind: SetKind, names: Iterable[str]) -> dict[UUID, int]:
    async with servers.db.account(tenant.account_id) as tx:
        made = [await catalog.create(tx, kind, name) for name in names]
    return {each.set_id: each.set_no for each in made}


async def new_contacts(servers: Servers, tenant: Tenant, count: int) -> None:
    """Contacts 1 to `count`, all active, subscribed over a thousand days; written by the owner in one go."""
    async with as_owner(servers, tenant) as owner:
        await owner.execute(
            "INSERT INTO contact (account_id, contact_no, email, email_key, first_name, last_name, created_at,"
            " updated_at, opt_in_source, opt_in_date)"
            " SELECT $1, n, 'contact' || n || '@example.org', 'contact' || n || '@example.org', 'First ' || n % 997,"
            " 'Last ' || n % 9973, now(), now(), 'Account', now() - make_interval(days => (n % 1000)::int)"
            " FROM generate_series(1, $2::bigint) n",
            tenant.account_id,
            count,
        )
        await owner.execute("UPDATE account SET last_contact_no = $2 WHERE account_id = $1", tenant.account_id, count)
    for set_no in (system.EXISTS, system.ACTIVE):
        await fill_set(servers, tenant, set_no, range(1, count + 1))


async def fill_set(servers: Servers, tenant: Tenant, set_no: int, contact_nos: Iterable[int]) -> None:
    """Members of an empty set."""
    chunks = bits_of(contact_nos)
    async with as_owner(servers, tenant) as owner:
        await owner.execute(
            "INSERT INTO set_chunk (account_id, set_no, chunk, bits)"
            " SELECT $1, $2, chunk, bits FROM unnest($3::int[], $4::varbit[]) c(chunk, bits)",
            *(tenant.account_id, set_no, list(chunks), list(chunks.values())),
        )
        await owner.execute(
            "UPDATE contact_set SET member_count = (SELECT coalesce(sum(bit_count(bits)), 0) FROM set_chunk"
            " WHERE account_id = $1 AND set_no = $2) WHERE account_id = $1 AND set_no = $2",
            *(tenant.account_id, set_no),
        )


async def contact_ids(servers: Servers, tenant: Tenant, most: int) -> Sequence[UUID]:
    async with as_owner(servers, tenant) as owner:
        rows = await owner.fetch(
            "SELECT contact_id FROM contact WHERE account_id = $1 ORDER BY contact_no LIMIT $2",
            *(tenant.account_id, most),
        )
    return [row["contact_id"] for row in rows]


async def make_table(servers: Servers, name: str, columns: str, walled: bool = True) -> None:
    """A table of a baseline; behind the wall unless COPY has to get in."""
    await servers.owner.execute(f"CREATE {'' if walled else 'UNLOGGED'} TABLE {name} ({columns})")
    await servers.owner.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {servers.app_role}")
    if walled:
        await servers.owner.execute(
            f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY; ALTER TABLE {name} FORCE ROW LEVEL SECURITY;"
            f"CREATE POLICY account_wall ON {name} USING"
            " (account_id = nullif(current_setting('muster.account_id', true), '')::bigint)"
        )


async def settle(servers: Servers) -> float:
    """Has the server do now what it would do soon, in the middle of a measurement; answers the machine's load.

    Tables that are still empty are left alone, as the server itself would do.
    """
    tables = await servers.owner.fetch(
        "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
        " AND pg_relation_size(oid) > 0"
    )
    await servers.owner.execute(f"VACUUM (ANALYZE) {', '.join(row['relname'] for row in tables)}")
    await servers.owner.execute("CHECKPOINT")
    return load()


def load() -> float:
    """The machine's load over the last minute: what else went on while something was measured."""
    return round(os.getloadavg()[0], 2)


@asynccontextmanager
async def as_owner(servers: Servers, tenant: Tenant) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """The owner's connection behind the tenant's wall."""
    async with servers.owner.transaction():
        await servers.owner.execute(f"SET LOCAL muster.account_id = '{tenant.account_id}'")
        yield servers.owner
