"""The one-machine stack: the embedded servers that no URL replaces, then the API and the workers.

Every part is a real process under a guard. Servers start first and stop last. API and workers never get the
owner's URL.
"""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import aiohttp
from pydantic import BaseModel, ConfigDict, ValidationError

from deploy.embedded import (
    make_sockets_folder,
    postgres_url,
    prepare_postgres,
    prepare_valkey,
    remove_sockets_folder,
    valkey_url,
)
from deploy.folder import DataFolder, is_in_use, write_private
from deploy.parts import Part, RunningPart, Say
from deploy.unprivileged import SystemUser, server_user
from engine.errors import Unusable, unusable_alone
from engine.migrations import migrate
from engine.settings import Settings, application_url, environment_name

#: Signals that ask the whole stack to stop.
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

#: Ports that are tried, from the default on, when nobody asked for a certain one.
PORTS_TRIED = 100

#: Seconds that the API, and the workers, get to finish what they are at.
API_GRACE, WORKER_GRACE = 15.0, 45.0

#: The queues of the workers, each with the number of its processes; None is the setting's.
QUEUES: tuple[tuple[str, int | None], ...] = (("activities", None), ("bulk", 1))


class StackFile(BaseModel):
    """How the other `muster` commands reach a running stack."""

    model_config = ConfigDict(frozen=True)

    database_url: str
    database_app_url: str
    redis_url: str
    address: str


class Stack:
    """The parts that run, in the stages they were started in. Belongs to the task that made it."""

    def __init__(self, folder: DataFolder, lock: int, say: Say) -> None:
        self.folder = folder
        self.lock = lock
        self._say = say
        self._task = asyncio.current_task()
        self._stages: list[list[RunningPart]] = []
        self._keepers: list[asyncio.Task[None]] = []
        self._ending = False

    async def start(self, parts: Iterable[Part]) -> None:
        """Starts parts side by side and waits until all are ready. Raises Unusable."""
        stage = [RunningPart(part, self.folder, self.lock) for part in parts]
        self._stages.append(stage)
        if stage:
            self._say(f"Starting {', '.join(part.part.name for part in stage)}")
        with unusable_alone():
            async with asyncio.TaskGroup() as starts:
                for part in stage:
                    starts.create_task(part.start())

    def keep_running(self) -> None:
        """From now on, starts again what ends."""
        for part in self._parts():
            self._keepers.append(asyncio.create_task(part.keep_running(self._say)))

    async def stop(self) -> None:
        """Stops the stages, the last one first."""
        self._ending = True
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)
        for stage in reversed(self._stages):
            await asyncio.gather(*(part.stop() for part in stage))

    def interrupt(self) -> None:
        """Cancels the stack's task, which then stops the stack; when that is under way, kills what runs."""
        # Told last: the terminal may be gone.
        if self._ending or self._task is None:
            for part in self._parts():
                part.kill()
            self._say("Stopping at once")
        else:
            self._ending = True
            self._task.cancel()
            self._say("Stopping; interrupt again to stop at once")

    def _parts(self) -> list[RunningPart]:
        return [part for stage in self._stages for part in stage]


@asynccontextmanager
async def running_database(settings: Settings, folder: DataFolder, lock: int, say: Say) -> AsyncIterator[Settings]:
    """The embedded PostgreSQL alone, migrated; gives the settings with its URLs."""
    async with _stopped_at_the_end(Stack(folder, lock, say)) as stack:
        parts, urls = await _database(stack, settings)
        await stack.start(parts)
        yield await _migrated(settings.model_copy(update=urls))


@asynccontextmanager
async def running_stack(settings: Settings, folder: DataFolder, lock: int, say: Say) -> AsyncIterator[StackFile]:
    """The whole stack, ready for requests; gives how to reach it. Raises Unusable if a part fails."""
    stack = Stack(folder, lock, say)
    with _heeding_signals(stack):
        async with _stopped_at_the_end(stack):
            yield await _start_all(stack, settings, say)


def find_running(folder: DataFolder) -> StackFile | None:
    """How to reach the stack that runs on the folder, if one does."""
    if not is_in_use(folder):
        return None
    try:
        return StackFile.model_validate_json(folder.stack_file.read_bytes())
    except (OSError, ValidationError):
        return None


def local_address(settings: Settings) -> str:
    """Where the API of these settings is reached from this machine."""
    return _local_url(settings.host, settings.port)


@asynccontextmanager
async def _stopped_at_the_end(stack: Stack) -> AsyncIterator[Stack]:
    try:
        yield stack
    finally:
        await stack.stop()
        stack.folder.stack_file.unlink(missing_ok=True)
        remove_sockets_folder(stack.folder)


@contextmanager
def _heeding_signals(stack: Stack) -> Iterator[None]:
    """Stops the stack in order on the first signal, and at once on the next."""
    loop = asyncio.get_running_loop()
    for number in STOP_SIGNALS:
        loop.add_signal_handler(number, stack.interrupt)
    try:
        yield
    finally:
        for number in STOP_SIGNALS:
            loop.remove_signal_handler(number)


async def _start_all(stack: Stack, settings: Settings, say: Say) -> StackFile:
    settings = _with_folders(settings, stack.folder)
    database_parts, database_urls = await _database(stack, settings)
    broker_parts, broker_urls = _broker(stack, settings)
    await stack.start([*database_parts, *broker_parts])
    settings = await _migrated(settings.model_copy(update=database_urls | broker_urls))
    settings = _with_ports(settings, say)
    await stack.start([_api(settings), *_workers(settings)])
    stack.keep_running()
    reach = _reach(settings)
    write_private(stack.folder.stack_file, reach.model_dump_json())
    return reach


async def _database(stack: Stack, settings: Settings) -> tuple[list[Part], dict[str, str]]:
    """The embedded PostgreSQL, if it is needed, and its URLs."""
    if settings.database_url is not None:
        return [], {}
    if settings.database_app_url is not None:
        raise Unusable("DATABASE_APP_URL is set without DATABASE_URL, which migrations need: set both, or none")
    user = _shelter(stack.folder)
    part = await prepare_postgres(stack.folder, user, stack.lock)
    url = postgres_url(stack.folder)
    return [part], {"database_url": url, "database_app_url": application_url(url)}


def _broker(stack: Stack, settings: Settings) -> tuple[list[Part], dict[str, str]]:
    """The embedded Valkey, if it is needed, and its URL."""
    if settings.redis_url is not None:
        return [], {}
    part = prepare_valkey(stack.folder, _shelter(stack.folder))
    return [part], {"redis_url": valkey_url(stack.folder)}


def _shelter(folder: DataFolder) -> SystemUser | None:
    """Whom the embedded servers run as, with their folder for sockets made ready."""
    data = next((data for data in (folder.postgres, folder.valkey) if data.exists()), folder.postgres)
    user = server_user(data)
    make_sockets_folder(folder, user)
    return user


async def _migrated(settings: Settings) -> Settings:
    assert settings.database_url is not None
    assert settings.database_app_url is not None
    await migrate(settings.database_url, settings.database_app_url)
    return settings


def _workers(settings: Settings) -> list[Part]:
    parts = []
    ports = _free_ports(settings.host, settings.metrics_port, count=len(QUEUES))
    for (queue, processes), port in zip(QUEUES, ports, strict=True):
        own = settings.model_copy(
            update={"metrics_port": port, "worker_processes": processes or settings.worker_processes}
        )
        parts.append(_muster_part(f"work-{queue}", ("work", "--queue", queue), own, port, WORKER_GRACE))
    return parts


def _api(settings: Settings) -> Part:
    return _muster_part("api", ("serve",), settings, settings.port, API_GRACE)


def _muster_part(name: str, arguments: tuple[str, ...], settings: Settings, port: int, grace: float) -> Part:
    ready_url = f"{_local_url(settings.host, port)}/readyz"
    return Part(
        name=name,
        command=(sys.executable, "-P", "-m", "deploy.cli", *arguments),
        ready=lambda: _answers(ready_url),
        environment=_environment(settings),
        grace=grace,
        advice="If its log does not tell what to do, please report it.",
    )


def _environment(settings: Settings) -> dict[str, str]:
    """The settings as API and workers read them: all but the owner's URL."""
    environment = dict(os.environ)
    for field, value in settings.model_copy(update={"database_url": None}):
        environment.pop(environment_name(field), None)
        if value is not None:
            environment[environment_name(field)] = str(value)
    return environment


def _with_folders(settings: Settings, folder: DataFolder) -> Settings:
    """The settings with absolute folders, which are the same in every part; uploads and exports get theirs."""
    folders = {name: getattr(settings, name).expanduser().resolve() for name in ("uploads", "exports")}
    for path in folders.values():
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return settings.model_copy(update={"data": folder.root, **folders})


def _with_ports(settings: Settings, say: Say) -> Settings:
    """Settles the API's port: the one asked for, or, if nobody asked, the first free one from the default on.

    Says so when that is not the default. Raises Unusable when the one asked for is taken.
    """
    if "port" not in settings.model_fields_set or settings.port == 0:
        [port] = _free_ports(settings.host, settings.port, count=1)
        if settings.port not in (0, port):
            say(f"Port {settings.port} is taken; the API gets {port} (MUSTER_PORT chooses another)")
        return settings.model_copy(update={"port": port})
    if not _is_free(settings.host, settings.port):
        raise Unusable(f"port {settings.port} of {settings.host} is taken: set MUSTER_PORT to another, or to 0")
    return settings


def _free_ports(host: str, first: int, count: int) -> list[int]:
    """Free ports from the first on; 0 leaves the choice to the system."""
    if first == 0:
        return _any_ports(host, count)
    free = [port for port in range(first, min(first + PORTS_TRIED, 65536)) if _is_free(host, port)]
    if len(free) < count:
        raise Unusable(f"no free port of {host} from {first} on: set MUSTER_PORT and MUSTER_METRICS_PORT")
    return free[:count]


def _any_ports(host: str, count: int) -> list[int]:
    sockets = [_bound(host, 0) for _ in range(count)]
    ports = [int(bound.getsockname()[1]) for bound in sockets]
    for bound in sockets:
        bound.close()
    return ports


def _is_free(host: str, port: int) -> bool:
    try:
        _bound(host, port).close()
    except OSError:
        return False
    return True


def _bound(host: str, port: int) -> socket.socket:
    family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    bound = socket.socket(family, kind, protocol)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def _reach(settings: Settings) -> StackFile:
    assert settings.database_url is not None
    assert settings.database_app_url is not None
    assert settings.redis_url is not None
    return StackFile(
        database_url=settings.database_url,
        database_app_url=settings.database_app_url,
        redis_url=settings.redis_url,
        address=local_address(settings),
    )


def _local_url(host: str, port: int) -> str:
    reachable = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - what was listened on
    return f"http://[{reachable}]:{port}" if ":" in reachable else f"http://{reachable}:{port}"


async def _answers(url: str) -> bool:
    with suppress(aiohttp.ClientError, TimeoutError):
        timeout = aiohttp.ClientTimeout(total=5)
        async with aiohttp.ClientSession(timeout=timeout) as session, session.get(url) as response:
            return response.status == 200
    return False
