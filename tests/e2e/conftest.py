"""What the end-to-end tests share: folders for stacks, and one stack that all leave as it is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.stack import Up, fresh_folder, up


@pytest.fixture
def data() -> Iterator[Path]:
    with fresh_folder() as data:
        yield data


@pytest.fixture(scope="session")
def shared() -> Iterator[Up]:
    """A stack for tests that leave it as it is."""
    with fresh_folder() as data, up(data) as stack:
        yield stack
