"""What the tests share: a migrated database on a real PostgreSQL, and an account of its own for each test.

The server is the one of DATABASE_URL, or the embedded one, which each test process then starts for itself.
"""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import hypothesis
import pytest
import pytest_asyncio
from hypothesis import HealthCheck

from deploy.folder import data_folder, locked
from deploy.stack import running_database
from engine import accounts, principals
from engine.accounts import Account
from engine.database import Database
from engine.migrations import migrate
from engine.principals import Principal
from engine.settings import Settings, application_url

# Machines are slow at times, as when a fresh checkout has none of hypothesis' tables yet; fixtures are of accounts that
# each example may add to.
hypothesis.settings.register_profile(
    "muster", deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture]
)
hypothesis.settings.load_profile("muster")


def _quiet(_message: str) -> None:
    """The tests' terminal is not for the servers."""


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def database_url() -> AsyncIterator[str]:
    """The owner's URL of a migrated database that only this test process uses."""
    if url := os.environ.get("DATABASE_URL"):
        async with _fresh_database(url) as fresh:
            yield fresh
        return
    # Not pytest's folder: every run of pytest shuts that of all runs to others, so also to another run's PostgreSQL.
    with TemporaryDirectory(prefix="muster-test-") as data:
        folder = data_folder(Path(data))
        with locked(folder) as lock:
            async with running_database(Settings(), folder, lock, _quiet) as settings:
                assert settings.database_url is not None
                yield settings.database_url


@asynccontextmanager
async def _fresh_database(url: str) -> AsyncIterator[str]:
    name = f"muster_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    owner = await asyncpg.connect(url)
    try:
        await owner.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        await owner.execute(f"CREATE DATABASE {name}")
        fresh = urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        await migrate(fresh, application_url(fresh))
        yield fresh
        await owner.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await owner.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Settings on the test database, with uploads and exports in folders of this test."""
    uploads = tmp_path / "uploads"
    uploads.mkdir()
    return Settings(database_url=database_url, uploads=uploads, exports=tmp_path / "exports")


@pytest_asyncio.fixture
async def db(settings: Settings) -> AsyncIterator[Database]:
    """The gateway, as the application role."""
    assert settings.database_app_url is not None
    database = await Database.open(settings.database_app_url)
    yield database
    await database.close()


@pytest_asyncio.fixture
async def account(db: Database) -> Account:
    """A new account."""
    return await accounts.create(db, "test")


@pytest_asyncio.fixture
async def token(db: Database, account: Account) -> str:
    """A token of the account with every privilege."""
    return await principals.create_token(db, account.account_id, "test")


@pytest_asyncio.fixture
async def principal(db: Database, token: str) -> Principal:
    """Whom the token speaks for."""
    return await principals.authenticate(db, token)
