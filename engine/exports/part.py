"""The file of an export while it is being made.

Each claim writes a file of its own, so that a worker that lost its claim can damage nothing: a successor copies what is
committed and goes on in its own. A checksum tells whether that is still what was written, since only a whole file is
made sure of (fsync); if it is not, the file is made from the beginning.
"""

import asyncio
import os
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

#: Bytes gathered before they are written, and copied at once.
WRITE_BYTES = 1 << 20
PART_ENDING = ".part"


@dataclass(frozen=True, slots=True)
class Written:
    """What of a file is committed: its name, its first bytes and their CRC-32."""

    file: str = ""
    size: int = 0
    checksum: int = 0


NOTHING = Written()


def path_of(folder: Path, activity_id: UUID) -> Path:
    """Where the finished export of an activity is."""
    return folder / f"{activity_id}.csv"


class Part:
    """A file under way, to which CSV with LF as line ends is written; in the file they are CRLF (RFC 4180)."""

    def __init__(self, file: BinaryIO, name: str) -> None:
        self._file = file
        self.name = name
        self._size, self._checksum = 0, 0
        self._gathered: list[bytes] = []
        self._gathered_size = 0
        #: The piece that is being written while the next one comes: a quarter of an export's time otherwise.
        self._writing: asyncio.Task[None] | None = None
        #: Whether the next byte is in a quoted cell, whose line ends stay as they are.
        self._quoted = False

    async def write(self, data: bytes) -> None:
        """Takes more of the file; whole rows in the end, any pieces on the way."""
        self._gathered.append(data)
        self._gathered_size += len(data)
        if self._gathered_size >= WRITE_BYTES:
            await self._put()

    async def written(self) -> Written:
        """What was written so far, all of which is in the file now."""
        await self._put()
        await self._settle()
        return Written(self.name, self._size, self._checksum)

    def copy(self, folder: Path, committed: Written) -> Written:
        """Begins with what is committed; answers it, or NOTHING when it is not there any more as it was written."""
        for path in (folder / committed.file, path_of(folder, UUID(committed.file.partition(".")[0]))):
            with suppress(OSError), path.open("rb") as source:
                self._copy(source, committed.size)
                if (self._size, self._checksum) == (committed.size, committed.checksum):
                    return Written(self.name, self._size, self._checksum)
        self._begin()
        return NOTHING

    def finish(self, folder: Path, activity_id: UUID) -> None:
        """Makes the file safe, and the activity's export; parts of earlier claims go."""
        os.fsync(self._file.fileno())
        (folder / self.name).replace(path_of(folder, activity_id))
        _sync(folder)
        discard_parts(folder, activity_id, kept=())

    async def end(self) -> None:
        """Leaves nothing under way, whatever has become of it."""
        if self._writing is not None:
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _put(self) -> None:
        await self._settle()
        gathered, self._gathered, self._gathered_size = self._gathered, [], 0
        self._writing = asyncio.create_task(asyncio.to_thread(self._append_rows, gathered))

    async def _settle(self) -> None:
        if self._writing is not None:
            await self._writing
            self._writing = None

    def _append_rows(self, gathered: Sequence[bytes]) -> None:
        self._append(self._with_crlf(b"".join(gathered)))

    def _append(self, data: bytes) -> None:
        self._file.write(data)
        self._file.flush()
        self._size += len(data)
        self._checksum = zlib.crc32(data, self._checksum)

    def _with_crlf(self, data: bytes) -> bytes:
        pieces = data.split(b'"')
        for place in range(self._quoted, len(pieces), 2):
            pieces[place] = pieces[place].replace(b"\n", b"\r\n")
        self._quoted ^= len(pieces) % 2 == 0
        return b'"'.join(pieces)

    def _copy(self, source: BinaryIO, size: int) -> None:
        self._begin()
        while self._size < size and (data := source.read(min(WRITE_BYTES, size - self._size))):
            self._append(data)

    def _begin(self) -> None:
        self._file.seek(0)
        self._file.truncate()
        self._size, self._checksum = 0, 0


@asynccontextmanager
async def opened(folder: Path, activity_id: UUID, fence: int) -> AsyncIterator[Part]:
    """The file of one claim of an activity. It stays as it is if the claim ends early."""
    name = f"{activity_id}.{fence}{PART_ENDING}"
    with await asyncio.to_thread(_new_file, folder / name) as file:
        part = Part(file, name)
        try:
            yield part
        finally:
            await part.end()


def _new_file(path: Path) -> BinaryIO:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path.open("wb")


def discard_parts(folder: Path, activity_id: UUID, kept: tuple[str, ...]) -> None:
    """Removes the files of an activity's claims but those with these names."""
    for path in folder.glob(f"{activity_id}.*{PART_ENDING}"):
        if path.name not in kept:
            path.unlink(missing_ok=True)


def _sync(folder: Path) -> None:
    """Makes sure that a new name survives a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
