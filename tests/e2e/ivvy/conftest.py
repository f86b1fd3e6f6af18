"""A client with a key of an account of this test's own."""

import pytest_asyncio

from engine.database import Database
from tests.e2e.api.front import Front
from tests.e2e.ivvy.client import Ivvy, new_client


@pytest_asyncio.fixture
async def ivvy_client(db: Database, front: Front) -> Ivvy:
    return await new_client(db, front)
