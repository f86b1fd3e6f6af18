"""An API of this test's own, in front of the database that all tests share."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest_asyncio

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.integration.conftest import desk, new_desk
from tests.integration.desk import Desk

__all__ = ["desk", "new_desk"]

#: A new token of the account with these privileges.
NewToken = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture
async def front(settings: Settings, desk: Desk, token: str) -> AsyncIterator[Front]:
    async with open_front(settings, desk, token) as front:
        yield front


@pytest_asyncio.fixture
async def new_token(db: Database, desk: Desk) -> NewToken:
    async def create(*privileges: Privilege) -> str:
        return await principals.create_token(db, desk.account_id, "limited", privileges)

    return create
