"""Tokens with some privileges only."""

from collections.abc import Awaitable, Callable

import pytest_asyncio

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from tests.integration.desk import Desk

#: A new token of the account with these privileges.
NewToken = Callable[..., Awaitable[str]]


@pytest_asyncio.fixture
async def new_token(db: Database, desk: Desk) -> NewToken:
    async def create(*privileges: Privilege) -> str:
        return await principals.create_token(db, desk.account_id, "limited", privileges)

    return create
