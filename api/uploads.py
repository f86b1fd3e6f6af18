"""Uploads: forms whose file, and bodies, that go straight to the disk, never into memory.

A stored file is safe (fsync) before anybody is told of it. Whatever goes wrong while a form is being received, nothing
of it stays.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from api import reading
from api.errors import BodyTooLong, UnsupportedMediaType
from engine.errors import Invalid, MusterError, Unusable

FORM = "multipart/form-data"
#: Bytes gathered before they are written, and read at once.
WRITE_BYTES = 1 << 20
READ_BYTES = 1 << 18
#: Most bytes of a field that is not a file, and most parts of a form.
FIELD_BYTES = 64 * 1024
MOST_PARTS = 100

#: Content-Transfer-Encodings that change nothing.
PLAIN = frozenset({"", "7bit", "8bit", "binary"})

#: What aiohttp raises for a body that is no form, or that ends too early.
BROKEN_FORM = (
    ValueError,
    AssertionError,
    RuntimeError,
    HttpProcessingError,
    web.RequestPayloadError,
    ConnectionError,
)


@dataclass(frozen=True, slots=True)
class Form:
    """A received form: its fields in order, and its one file, stored at `path` and called `file_name` by the sender."""

    fields: tuple[tuple[str, str], ...]
    path: Path
    file_name: str

    def values(self, name: str) -> list[str]:
        return [value for field, value in self.fields if field == name]


async def received(request: web.Request, folder: Path, ending: str, most_bytes: int) -> Form:
    """Receives a form with one file, in the part `file`, whose name has this ending.

    Raises UnsupportedMediaType when it is no form or the file's name ends otherwise, Invalid, and Unusable when there
    is no room for it.
    """
    if request.content_type != FORM:
        raise UnsupportedMediaType(f"Content-Type must be {FORM}")
    path = folder / f"{uuid4()}{ending}"
    try:
        with _whole_or_gone(path):
            return await _receive(request, path, ending, most_bytes)
    except BROKEN_FORM as error:
        raise Invalid(f"body is not a whole form: {_reason(error)}") from error


@asynccontextmanager
async def body(request: web.Request, folder: Path, most_bytes: int) -> AsyncIterator[Path]:
    """The JSON body on the disk, for as long as the block runs.

    Raises UnsupportedMediaType, Invalid, and Unusable when there is no room for it.
    """
    reading.insist_on_json(request)
    path = folder / f"{uuid4()}.body"
    try:
        with _whole_or_gone(path), _new_file(path) as file:
            file.write(await _gathered(request.content.iter_chunked(READ_BYTES), file, most_bytes, "body"))
        yield path
    except reading.BROKEN_BODY as error:
        raise reading.broken(error) from error
    finally:
        discard(path)


async def fields(request: web.Request, most_bytes: int) -> list[tuple[str, str]]:
    """The parts of a form in their order, as texts; files, too, which are small. Raises BodyTooLong, and Invalid."""
    too_long = BodyTooLong(f"body is too long: at most {most_bytes:,} bytes may be sent")
    if (request.content_length or 0) > most_bytes:
        raise too_long
    found, left = list[tuple[str, str]](), most_bytes
    async with reading.arriving():
        try:
            async for part in _parts(request):
                data = await _data(part, left)
                if data is None:
                    raise too_long
                left -= len(data)
                found.append((part.name or "", _text(part, data)))
        except BROKEN_FORM as error:
            raise Invalid(f"body is not a whole form: {_reason(error)}") from error
    return found


async def stored(folder: Path, ending: str, pieces: Iterable[bytes]) -> Path:
    """A new file of these pieces. Raises Unusable when there is no room for it."""
    path = folder / f"{uuid4()}{ending}"
    with _whole_or_gone(path):
        await asyncio.to_thread(_write_all, path, pieces)
    return path


def discard(path: Path) -> None:
    """Removes a stored file that nobody is told of, if it is there."""
    with suppress(OSError):
        path.unlink()


@contextmanager
def kept_unless_refused(path: Path) -> Iterator[None]:
    """Removes the file of a refused request. After any other error the activity may be committed, and needs it."""
    try:
        yield
    except MusterError:
        discard(path)
        raise


@contextmanager
def _whole_or_gone(path: Path) -> Iterator[None]:
    """Removes the file when making it fails."""
    try:
        yield
    except BaseException as error:
        discard(path)
        if isinstance(error, OSError) and not isinstance(error, ConnectionError):
            raise Unusable(f"the upload cannot be stored: {error.strerror}") from error
        raise


async def _receive(request: web.Request, path: Path, ending: str, most_bytes: int) -> Form:
    fields: list[tuple[str, str]] = []
    file_name = None
    async for part in _parts(request):
        if part.name != "file":
            fields.append((part.name or "", await _field(part)))
        elif file_name is not None:
            raise Invalid("file is given twice: send one")
        else:
            file_name = _file_name(part, ending)
            await _store(part, path, most_bytes)
    if file_name is None:
        raise Invalid("file is missing")
    return Form(tuple(fields), path, file_name)


async def _parts(request: web.Request) -> AsyncIterator[BodyPartReader]:
    reader = await request.multipart()
    for _ in range(MOST_PARTS):
        part = await reader.next()
        if part is None:
            return
        if isinstance(part, MultipartReader):
            raise Invalid("body is not a plain form: a part of it has parts")
        if part.headers.get("Content-Transfer-Encoding", "").lower() not in PLAIN:
            raise Invalid("body is not a plain form: send its parts as they are, without transfer encoding")
        yield part
    raise Invalid(f"body has more than {MOST_PARTS} parts")


async def _field(part: BodyPartReader) -> str:
    data = await _data(part, FIELD_BYTES)
    if data is None:
        raise Invalid(f"{part.name} is too long: at most {FIELD_BYTES:,} bytes may be given")
    return _text(part, data)


async def _data(part: BodyPartReader, most_bytes: int) -> bytes | None:
    """What is in the part; None if it is more than that."""
    data = bytearray()
    while chunk := await part.read_chunk(READ_BYTES):
        data += chunk
        if len(data) > most_bytes:
            return None
    return bytes(data)


def _text(part: BodyPartReader, data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise Invalid(f"{part.name} is not text in UTF-8") from None


def _reason(error: BaseException) -> str:
    """What aiohttp says is wrong, in one line."""
    return " ".join(str(getattr(error, "message", "") or error).split())[:200] or type(error).__name__


def _file_name(part: BodyPartReader, ending: str) -> str:
    name = (part.filename or "").replace("\\", "/").rpartition("/")[2]
    if not name.lower().endswith(ending):
        raise UnsupportedMediaType(f"file must have a name that ends in {ending}")
    if len(name) > 255 or not name.isprintable():
        raise Invalid("file does not have a valid name: at most 255 printable characters may be given")
    return name


async def _store(part: BodyPartReader, path: Path, most_bytes: int) -> None:
    with _new_file(path) as file:
        rest = await _gathered(_chunks(part), file, most_bytes, "file")
        await asyncio.to_thread(_finish, file, rest)


async def _chunks(part: BodyPartReader) -> AsyncIterator[bytes]:
    while chunk := await part.read_chunk(READ_BYTES):
        yield chunk


async def _gathered(chunks: AsyncIterator[bytes], file: BinaryIO, most_bytes: int, what: str) -> bytes:
    """Writes chunks as they come, but the last of them, which it answers."""
    size, gathered = 0, bytearray()
    async for chunk in chunks:
        size += len(chunk)
        if size > most_bytes:
            raise Invalid(f"{what} is too long: at most {most_bytes:,} bytes may be sent")
        gathered += chunk
        if len(gathered) >= WRITE_BYTES:
            await asyncio.to_thread(file.write, bytes(gathered))
            gathered.clear()
    return bytes(gathered)


@contextmanager
def _new_file(path: Path) -> Iterator[BinaryIO]:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        yield file


def _write_all(path: Path, pieces: Iterable[bytes]) -> None:
    with _new_file(path) as file:
        file.writelines(pieces)
        _finish(file, b"")


def _finish(file: BinaryIO, rest: bytes) -> None:
    """Writes the rest and makes sure that file and name survive a crash."""
    file.write(rest)
    file.flush()
    os.fsync(file.fileno())
    folder = os.open(Path(file.name).parent, os.O_RDONLY)
    try:
        with suppress(OSError):  # some network file systems cannot
            os.fsync(folder)
    finally:
        os.close(folder)
