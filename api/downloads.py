"""Downloads: files that go from the disk to the client piece by piece, whole or a range of them.

Nothing may go wrong unseen once the answer has begun: a file that cannot be read further ends the connection, so that
nobody takes what has come for all of it.
"""

import asyncio
import os
import re
import zlib
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.utils import formatdate
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import structlog
from aiohttp import web

from api.errors import RangeNotSatisfiable
from engine.errors import NotFound

log = structlog.get_logger()

#: Bytes read, and packed, at once.
PIECE_BYTES = 1 << 18
#: CSV of contacts becomes a ninth of itself with 1, at 360 MB a second; a tenth with 6, at 170.
GZIP_LEVEL = 1
#: For zlib: a gzip header and trailer around the largest window.
GZIP_WINDOW = 16 + zlib.MAX_WBITS

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*", re.IGNORECASE)
_GZIP = re.compile(r"(?:^|,)\s*(?:x-)?gzip\s*(?:;\s*q=([0-9.]+)\s*)?(?=,|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Download:
    """An open file that never changes, and what a client should call it."""

    file: BinaryIO
    name: str
    content_type: str

    @property
    def size(self) -> int:
        return os.fstat(self.file.fileno()).st_size

    @property
    def tag(self) -> str:
        """What tells one state of the file from another, in a strong ETag."""
        found = os.fstat(self.file.fileno())
        return f"{found.st_mtime_ns:x}-{found.st_size:x}"

    @property
    def last_modified(self) -> str:
        return formatdate(int(os.fstat(self.file.fileno()).st_mtime), usegmt=True)


async def sent(request: web.Request, path: Path, content_type: str) -> web.StreamResponse:
    """Answers a GET or HEAD with the file: all of it, with gzip for those who take it, or the range asked for.

    Raises NotFound when there is no such file, and RangeNotSatisfiable.
    """
    with await asyncio.to_thread(_opened, path) as file:
        download = Download(file, path.name, content_type)
        part = _range(request, download)
        response = _begun(request, download, part)
        with _cut_short(request, path):
            await response.prepare(request)
            if request.method != "HEAD":
                await _send(response, download, part)
        return response


def _opened(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise NotFound("there is no such file any more") from None


def _begun(request: web.Request, download: Download, part: range | None) -> web.StreamResponse:
    headers = {
        "Content-Type": download.content_type,
        "Content-Disposition": f'attachment; filename="{download.name}"',
        "Accept-Ranges": "bytes",
        "ETag": f'"{download.tag}"',
        "Last-Modified": download.last_modified,
        "Vary": "Accept-Encoding",
    }
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{download.size}"
        headers["Content-Length"] = str(len(part))
        return web.StreamResponse(status=HTTPStatus.PARTIAL_CONTENT, headers=headers)
    if "Range" not in request.headers and _takes_gzip(request):
        return web.StreamResponse(headers=headers | {"Content-Encoding": "gzip", "ETag": f'"{download.tag}-gzip"'})
    return web.StreamResponse(headers=headers | {"Content-Length": str(download.size)})


async def _send(response: web.StreamResponse, download: Download, part: range | None) -> None:
    pieces = _read(download.file, part or range(download.size))
    if response.headers.get("Content-Encoding") == "gzip":
        pieces = _packed(pieces)
    async for piece in pieces:
        await response.write(piece)
    await response.write_eof()


async def _read(file: BinaryIO, part: range) -> AsyncIterator[bytes]:
    """The pieces of a range of the file. Raises OSError when it has become shorter."""
    file.seek(part.start)
    left = len(part)
    while left:
        piece = await asyncio.to_thread(file.read, min(PIECE_BYTES, left))
        if not piece:
            raise OSError("the file is shorter than it was")
        left -= len(piece)
        yield piece


async def _packed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_WINDOW)
    async for piece in pieces:
        if packed := await asyncio.to_thread(packer.compress, piece):
            yield packed
    yield packer.flush()


@contextmanager
def _cut_short(request: web.Request, path: Path) -> Iterator[None]:
    """Ends the connection when the answer cannot be sent to its end."""
    try:
        yield
    except ConnectionError:
        pass  # the client has gone
    except OSError:
        log.exception("download_failed", file=str(path))
        if request.transport is not None:
            request.transport.abort()


def _range(request: web.Request, download: Download) -> range | None:
    """The bytes asked for; None for all of them.

    Also for what asks for several ranges or makes no sense, and if the client has a part of another file.
    """
    asked = _RANGE.fullmatch(request.headers.get("Range", ""))
    if request.method != "GET" or asked is None or not _is_still(request, download):
        return None
    first, last = asked.groups()
    if not first and not last:
        return None
    return _within(download.size, first, last)


def _within(size: int, first: str, last: str) -> range | None:
    start = int(first) if first else max(0, size - int(last))
    stop = min(size, int(last) + 1) if first and last else size
    if first and last and int(last) < start:
        return None
    if start >= size:
        raise RangeNotSatisfiable("the file has no such bytes", size)
    return range(start, stop)


def _is_still(request: web.Request, download: Download) -> bool:
    """Whether the client's part is of this file, as far as it says (If-Range)."""
    condition = request.headers.get("If-Range")
    return condition is None or condition in (f'"{download.tag}"', download.last_modified)


def _takes_gzip(request: web.Request) -> bool:
    asked = _GZIP.search(request.headers.get("Accept-Encoding", ""))
    if asked is None:
        return False
    with suppress(ValueError):
        return float(asked.group(1) or 1) > 0
    return False
