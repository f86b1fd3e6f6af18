"""The folder MUSTER_DATA: what lies where, and that one stack at a time uses it.

lock           held by every process of the stack that uses the folder; holds the pid of its head
stack.json     how to reach the running stack, for the other `muster` commands (mode 0600: it holds secrets)
access.json    the account and token that `muster up` made (mode 0600)
log/           one log a part
postgres/, valkey/, uploads/, exports/
run/           sockets of the servers, unless the path is too long for a socket
"""

import fcntl
import hashlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from deploy.unprivileged import SystemUser
from engine.errors import Unusable

#: Bytes that the path of a socket may have: macOS allows 103, Linux 107.
SOCKET_PATH_BYTES = 100

#: The longest name of a socket in the folder of sockets.
LONGEST_SOCKET = ".s.PGSQL.5432"

#: Where sockets go whose path would be too long.
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - the folder made in it is ours alone, or refused

#: Seconds to wait for the processes of a stack that crashed to end.
LEFTOVER_SECONDS = 60.0

#: Bytes after which a log is put aside when its part starts.
LOG_BYTES = 16 * 2**20


@dataclass(frozen=True, slots=True)
class DataFolder:
    """Where things lie below MUSTER_DATA. The root is absolute."""

    root: Path

    @property
    def postgres(self) -> Path:
        return self.root / "postgres"

    @property
    def valkey(self) -> Path:
        return self.root / "valkey"

    @property
    def stack_file(self) -> Path:
        return self.root / "stack.json"

    @property
    def access_file(self) -> Path:
        return self.root / "access.json"

    @property
    def sockets(self) -> Path:
        """The folder for sockets: elsewhere if its path is too long for one, or two hosts in a URL."""
        inside = self.root / "run"
        if len(os.fsencode(inside / LONGEST_SOCKET)) <= SOCKET_PATH_BYTES and "," not in str(inside):
            return inside
        return SHORT_FOLDER / f"muster-{hashlib.sha256(os.fsencode(self.root)).hexdigest()[:16]}"

    def log(self, part: str) -> Path:
        return self.root / "log" / f"{part}.log"

    def make(self) -> None:
        """Makes the folder and the one for logs. Raises Unusable when that is not permitted."""
        try:
            # Passable, so that servers under another user reach their folders; what is in it is closed.
            self.root.mkdir(mode=0o711, parents=True, exist_ok=True)
            (self.root / "log").mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Unusable(f"cannot use the data folder {self.root}: {error}; set MUSTER_DATA") from error

    def open_log(self, part: str) -> int:
        """A file descriptor to append to the part's log; a long log is put aside first."""
        log = self.log(part)
        with suppress(FileNotFoundError):
            if log.stat().st_size > LOG_BYTES:
                log.replace(log.with_suffix(".log.1"))
        return os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)

    def log_end(self, part: str, lines: int = 12) -> str:
        """The last lines of the part's log."""
        try:
            text = self.log(part).read_bytes()[-8192:].decode(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


def data_folder(path: Path) -> DataFolder:
    return DataFolder(path.expanduser().resolve())


def make_private(path: Path, user: SystemUser | None) -> None:
    """Makes a folder that only the user (None: oneself) enters. Raises Unusable if it is another's."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    wanted = os.geteuid() if user is None else user.uid
    if path.is_symlink() or status.st_uid not in (wanted, os.geteuid()):
        raise Unusable(f"{path} is not a folder of this user; remove it")
    if user is not None and status.st_uid != user.uid:
        os.chown(path, user.uid, user.gid)
    path.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Replaces a file at once, readable for its owner only."""
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


@contextmanager
def locked(folder: DataFolder) -> Iterator[int]:
    """Holds the folder for one stack; gives the lock's descriptor, to be inherited by all its processes.

    Raises Unusable, naming the process, when a stack has it; waits for the leftovers of one that crashed.
    """
    folder.make()
    descriptor = os.open(folder.root / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _lock(descriptor, folder)
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield descriptor
    finally:
        os.close(descriptor)


def is_in_use(folder: DataFolder) -> bool:
    """Whether a stack, or what is left of one, has the folder."""
    try:
        descriptor = os.open(folder.root / "lock", os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        return not _try_lock(descriptor)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, folder: DataFolder) -> None:
    deadline = time.monotonic() + LEFTOVER_SECONDS
    while not _try_lock(descriptor):
        head = os.pread(descriptor, 20, 0).decode()
        if _is_alive(head):
            raise Unusable(
                f"the data folder {folder.root} is in use by a running stack (process {head}): "
                "stop that one, or set MUSTER_DATA to another folder"
            )
        if time.monotonic() > deadline:
            raise Unusable(
                f"processes of an earlier stack (process {head}, gone) still use {folder.root}: "
                f"find them with lsof {folder.root}/lock and end them"
            )
        time.sleep(0.1)


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_alive(pid: str) -> bool:
    try:
        return psutil.Process(int(pid)).status() != psutil.STATUS_ZOMBIE
    except (psutil.NoSuchProcess, ValueError):
        return False
    except psutil.AccessDenied:
        return True
