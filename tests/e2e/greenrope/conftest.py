"""A user of an account of this test's own, logged in."""

from collections.abc import Awaitable, Callable, Collection
from uuid import uuid4

import pytest_asyncio

from engine import principals
from engine.database import Database
from engine.principals import Privilege
from tests.e2e.api.front import Front
from tests.e2e.greenrope.rope import PASSWORD, Rope, logged_in

#: A new user whose home is an account, logged in; with these privileges only.
NewUser = Callable[..., Awaitable[Rope]]


@pytest_asyncio.fixture
async def new_user(db: Database, front: Front) -> NewUser:
    async def create(account_id: int, privileges: Collection[Privilege] = tuple(Privilege)) -> Rope:
        email = f"user-{uuid4().hex}@example.org"
        principal_id = await principals.create_user(db, account_id, email, PASSWORD, privileges)
        return await logged_in(front, email, PASSWORD, principal_id)

    return create


@pytest_asyncio.fixture
async def rope(front: Front, new_user: NewUser) -> Rope:
    """The owner of the front's account."""
    return await new_user(front.desk.account_id)
