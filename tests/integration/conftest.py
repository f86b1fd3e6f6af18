"""Accounts at work, on a real PostgreSQL."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg
import pytest
import pytest_asyncio

from engine import accounts, logs, principals
from engine.database import Database
from engine.principals import Principal
from engine.settings import Settings
from tests.integration.desk import Desk

#: Opens the desk of one more account.
NewDesk = Callable[[], Awaitable[Desk]]


@pytest.fixture(scope="session", autouse=True)
def _plain_logs() -> None:
    """As in production; for people a traceback comes with all its variables, which takes longer than the test."""
    logs.configure(Settings(log_level="warning"))


@asynccontextmanager
async def open_desk(db: Database, settings: Settings, principal: Principal) -> AsyncIterator[Desk]:
    """The desk of a principal's account."""
    owner = await asyncpg.connect(settings.database_url)
    try:
        await owner.execute(f"SET muster.account_id = '{principal.account_id}'")
        yield Desk(db, settings, principal, owner)
    finally:
        await owner.close()


@pytest_asyncio.fixture
async def desk(db: Database, settings: Settings, principal: Principal) -> AsyncIterator[Desk]:
    """A new account at work."""
    async with open_desk(db, settings, principal) as desk:
        yield desk


@pytest_asyncio.fixture
async def new_desk(db: Database, settings: Settings) -> AsyncIterator[NewDesk]:
    """For tests of several accounts."""
    async with AsyncExitStack() as stack:

        async def open_one() -> Desk:
            account = await accounts.create(db, "another")
            token = await principals.create_token(db, account.account_id, "another")
            return await stack.enter_async_context(open_desk(db, settings, await principals.authenticate(db, token)))

        yield open_one
