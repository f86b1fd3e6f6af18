"""What the end-to-end tests share: folders for stacks, one stack that all leave as it is, and APIs of a test's own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from engine.settings import Settings
from tests.e2e.api.front import Front, open_front
from tests.e2e.stack import Up, fresh_folder, up
from tests.integration.conftest import desk, new_desk
from tests.integration.desk import Desk

__all__ = ["desk", "new_desk"]


@pytest.fixture
def data() -> Iterator[Path]:
    with fresh_folder() as data:
        yield data


@pytest.fixture(scope="session")
def shared() -> Iterator[Up]:
    """A stack for tests that leave it as it is."""
    with fresh_folder() as data, up(data) as stack:
        yield stack


@pytest_asyncio.fixture
async def front(settings: Settings, desk: Desk, token: str) -> AsyncIterator[Front]:
    """An API in front of the database that all tests share, with a client of an account of this test's own."""
    async with open_front(settings, desk, token) as front:
        yield front
