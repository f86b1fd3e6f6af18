"""Real servers and workers for tests in which something dies."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import pytest_asyncio

from engine.database import Database
from engine.principals import Principal
from engine.settings import Settings
from tests.faults import bulk as bulks
from tests.faults.bulk import Bulk
from tests.faults.servers import Servers, running_servers
from tests.faults.worker import Worker, wait_until
from workers.doorbell import Doorbell

#: Starts a worker for some queues with a number of processes and waits until it is ready.
StartWorker = Callable[..., Worker]


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """In a folder that is not pytest's, for the reason in tests/conftest.py."""
    with TemporaryDirectory(prefix="muster-test-") as data, running_servers(Path(data)) as servers:
        yield servers


@pytest.fixture
def settings(servers: Servers, tmp_path: Path) -> Settings:
    """What runs out and what is looked for comes soon."""
    servers.broker.flushall()
    return Settings(
        database_url=servers.database_url,
        redis_url=servers.redis_url,
        uploads=tmp_path,
        exports=tmp_path / "exports",
        metrics_port=0,
        lease_seconds=2,
        sweep_seconds=0.3,
        max_attempts=3,
    )


@pytest.fixture
def doorbell(servers: Servers) -> Iterator[Doorbell]:
    with Doorbell(servers.redis_url) as doorbell:
        yield doorbell


@pytest_asyncio.fixture
async def bulk(db: Database, settings: Settings, principal: Principal, doorbell: Doorbell) -> AsyncIterator[Bulk]:
    yield await bulks.prepare(db, settings, principal, doorbell)


@pytest.fixture
def start_worker(settings: Settings, tmp_path: Path) -> Iterator[StartWorker]:
    workers: list[Worker] = []

    def start(*, queues: tuple[str, ...] = ("activities",), processes: int = 1, **changes: object) -> Worker:
        own = settings.model_copy(update=changes)
        worker = Worker(own, tmp_path / f"worker{len(workers)}.log", queues, processes)
        workers.append(worker)
        wait_until(worker.is_ready, "the worker is ready")
        return worker

    yield start
    for worker in workers:
        worker.destroy()
