"""Embedded servers that a test may stop, freeze and start again."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import redis

from deploy.embedded import (
    make_sockets_folder,
    postgres_url,
    prepare_postgres,
    prepare_valkey,
    remove_sockets_folder,
    valkey_url,
)
from deploy.folder import DataFolder, data_folder, locked
from deploy.parts import Part, RunningPart
from deploy.unprivileged import server_user
from engine.migrations import migrate
from engine.settings import application_url

Result = TypeVar("Result")


class Servers:
    """A PostgreSQL, migrated, and a Valkey. They are run by an event loop of their own, whatever loop a test has."""

    def __init__(self, folder: DataFolder, lock: int) -> None:
        self._folder = folder
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.database_url = postgres_url(folder)
        self.redis_url = valkey_url(folder)
        postgres, valkey = self._run(self._prepare(lock))
        self.postgres = RunningPart(postgres, folder, lock)
        self.valkey = RunningPart(valkey, folder, lock)
        self.start(self.postgres)
        self.start(self.valkey)
        self._run(self._migrate())

    @property
    def broker(self) -> redis.Redis:
        return redis.Redis.from_url(self.redis_url)

    def start(self, server: RunningPart) -> None:
        self._run(server.start())

    def stop(self, server: RunningPart) -> None:
        self._run(server.stop())

    def close(self) -> None:
        self.stop(self.valkey)
        self.stop(self.postgres)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        remove_sockets_folder(self._folder)

    async def _migrate(self) -> None:
        await migrate(self.database_url, application_url(self.database_url))
        owner = await asyncpg.connect(self.database_url)
        # A tenth of what it is in earnest: the locks of a frozen worker are gone as soon as its lease.
        await owner.execute("ALTER ROLE muster_app SET idle_in_transaction_session_timeout = '1500ms'")
        await owner.close()

    async def _prepare(self, lock: int) -> tuple[Part, Part]:
        user = server_user(self._folder.postgres)
        make_sockets_folder(self._folder, user)
        return await prepare_postgres(self._folder, user, lock), prepare_valkey(self._folder, user)

    def _run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(timeout=60)


@contextmanager
def running_servers(path: Path) -> Iterator[Servers]:
    """Servers with their data in the folder, stopped at the end."""
    folder = data_folder(path)
    with locked(folder) as lock:
        servers = Servers(folder, lock)
        try:
            yield servers
        finally:
            servers.close()
