"""Imports of which a few rows are many batches."""

from typing import Any

import pytest
import pytest_asyncio

from engine import operations
from engine.activities.operation import BatchedOperation
from engine.sets.catalog import NamedSet
from engine.settings import Settings
from tests.integration.desk import Desk
from tests.integration.imports.importing import BATCH, KIND
from tests.integration.watched import WatchedBatches, go_on


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """A few rows are many batches."""
    return settings.model_copy(update={"import_batch_rows": BATCH})


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replaces the import of files by one that calls hooks between and inside its transactions."""
    inner = operations.OPERATIONS[KIND]
    assert isinstance(inner, BatchedOperation)

    def install(before: Any = go_on, after: Any = go_on) -> None:
        monkeypatch.setitem(operations.OPERATIONS, KIND, WatchedBatches(inner, before=before, after=after))

    return install


@pytest_asyncio.fixture
async def target(desk: Desk) -> NamedSet:
    return await desk.new_list()
