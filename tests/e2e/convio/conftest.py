"""A site, and an address book of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from uuid import uuid4

import pytest
import pytest_asyncio

from engine import organizations, principals
from engine.database import Database
from engine.organizations import Details, Organization
from engine.principals import Principal, Privilege, Purpose
from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.e2e.convio.book import Book
from tests.integration.desk import Desk

#: The book for a user with these privileges only.
Limited = Callable[..., Awaitable[Book]]
#: The book behind a front with these settings.
Served = Callable[..., Awaitable[Book]]
#: Puts another account into the site, and answers a token of its owner for single sign-on.
Join = Callable[[Desk], Awaitable[str]]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """What is changed is seen at once."""
    return settings.model_copy(update={"token_cache_seconds": 0})


@pytest_asyncio.fixture
async def site(desk: Desk) -> Organization:
    details = Details(api_keys=(f"K{desk.account_id}", f"R{desk.account_id}"), redirect_hosts=("www.example.org",))
    return await organizations.create(desk.db, f"site-{desk.account_id}", details)


@pytest.fixture
def join(site: Organization) -> Join:
    async def join(desk: Desk) -> str:
        await organizations.add_account(desk.db, site.organization_id, desk.account_id)
        return await sign_on(desk.db, desk.principal)

    return join


async def sign_on(db: Database, principal: Principal) -> str:
    return await principals.open_session(db, principal.principal_id, Purpose.SIGN_ON, 60)


@pytest_asyncio.fixture
async def book(front: Front, site: Organization, join: Join) -> Book:
    token = await join(front.desk)
    return Book(front, site, {"api_key": site.api_keys[0], "v": "1.0", "sso_auth_token": token})


@pytest_asyncio.fixture
async def served(book: Book, settings: Settings, token: str) -> AsyncIterator[Served]:
    async with AsyncExitStack() as stack:

        async def served(**changes: object) -> Book:
            changed = settings.model_copy(update=changes)
            front = await stack.enter_async_context(open_front(changed, book.front.desk, token))
            return replace(book, front=front)

        yield served


@pytest.fixture
def limited(book: Book) -> Limited:

    async def limited(*privileges: Privilege) -> Book:
        desk = book.front.desk
        user = await principals.create_user(desk.db, desk.account_id, uuid4().hex, "a good password", privileges)
        token = await principals.open_session(desk.db, user, Purpose.SIGN_ON, 60)
        return book.with_(sso_auth_token=token)

    return limited
