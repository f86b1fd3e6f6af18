"""The load generator: a process of its own that sends prepared requests over a number of connections.

It speaks just enough HTTP/1.1 for the servers measured here, with uvloop, and costs about 15 µs a request, so that it
is never what is measured. Both sides of a comparison get the same.
"""

import asyncio
import json
import pickle
import sys
import time
from asyncio.subprocess import PIPE
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import urlsplit

import uvloop

from engine.errors import Unusable

HEAD_END = b"\r\n\r\n"
#: Where `tests` is found.
ROOT = Path(__file__).parent.parent.parent


class Sent(NamedTuple):
    """When the first request was sent and the last answer came, by time.monotonic()."""

    begun: float
    ended: float

    @property
    def seconds(self) -> float:
        return self.ended - self.begun


class Connection(asyncio.Protocol):
    """Sends the next request as soon as the last is answered."""

    def __init__(self, requests: Iterator[bytes], expected: int, failures: list[str]) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._requests = requests
        self._expected = b"HTTP/1.1 %d " % expected
        self._failures = failures
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's is one in all but its class.
        self._transport = cast("asyncio.Transport", transport)

    def send_next(self) -> None:
        request = next(self._requests, None)
        if request is None:
            self._transport.close()
        else:
            self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._received += data
        if _is_whole(self._received):
            answer, self._received = self._received, b""
            if not answer.startswith(self._expected):
                self._failures.append(answer.decode())
            self.send_next()

    def connection_lost(self, error: Exception | None) -> None:
        if error is not None or self._received:
            self._failures.append(f"the connection broke: {error}")
        self.done.set_result(None)


def get(path: str, **headers: str) -> bytes:
    return _head("GET", path, headers) + HEAD_END


def post(path: str, body: bytes, **headers: str) -> bytes:
    own = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return _head("POST", path, {**own, **headers}) + HEAD_END + body


async def run(address: str, requests: Sequence[bytes], connections: int, expected: int) -> Sent:
    """Sends the requests from another process. Raises Unusable when an answer has not the expected status."""
    parts = urlsplit(address)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.load"), stdin=PIPE, stdout=PIPE, cwd=ROOT
    )
    task = (parts.hostname, parts.port, requests, connections, expected)
    output, _ = await process.communicate(pickle.dumps(task))
    if process.returncode:
        raise Unusable("the load generator failed; see above")
    begun, ended, failures = json.loads(output)
    if failures:
        raise Unusable(f"{len(failures)} requests failed, the first with {failures[0]}")
    return Sent(begun, ended)


def _head(method: str, path: str, headers: dict[str, str]) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: bench", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join(lines).encode()


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(HEAD_END)
    if not end:
        return False
    _, _, length = head.lower().partition(b"\r\ncontent-length:")
    return len(body) >= int(length.split(b"\r\n", 1)[0])


async def _send(
    host: str, port: int, requests: Sequence[bytes], connections: int, expected: int
) -> tuple[float, float, list[str]]:
    loop = asyncio.get_running_loop()
    waiting, failures = iter(requests), list[str]()
    opened = [
        (await loop.create_connection(lambda: Connection(waiting, expected, failures), host, port))[1]
        for _ in range(connections)
    ]
    begun = time.monotonic()
    for connection in opened:
        connection.send_next()
    await asyncio.gather(*(connection.done for connection in opened))
    return begun, time.monotonic(), failures


def main() -> None:
    print(json.dumps(uvloop.run(_send(*pickle.load(sys.stdin.buffer)))))


if __name__ == "__main__":
    main()
