"""The way to receivers of calls: an HTTP session that connects to addresses of the public internet only.

The address is judged when a socket to it is made, behind every look-up of a name: no name can turn into another address
after it was judged, and an address that stands in the URL itself is judged as well.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from ipaddress import ip_address
from typing import Any

from aiohttp import ClientSession, ClientTimeout, DummyCookieJar, TCPConnector
from aiohttp.abc import AbstractResolver, ResolveResult

from engine.addresses import NOT_PUBLIC, is_public

#: Seconds a receiver has to take the connection, and for all; less than a call is put off for (engine/hook_calls.py).
TIMEOUT = ClientTimeout(total=10.0, sock_connect=5.0)
#: Bytes of a line of the answer's head; nothing else of it is read.
LINE_BYTES = 8190
#: Names that are looked up at once, in threads of their own: one that nobody answers for blocks its thread.
LOOK_UPS = 16


class PrivateAddress(OSError):
    """The address is not of the public internet, and no setting allows it."""


def open_session(*, private_addresses: bool) -> ClientSession:
    """A session that sends no cookies, knows no proxy, and connects anew for each request."""
    connector = TCPConnector(
        resolver=Names(),
        limit=0,
        force_close=True,
        socket_factory=_to_any if private_addresses else _to_public,
    )
    return ClientSession(
        connector=connector,
        cookie_jar=DummyCookieJar(),
        timeout=TIMEOUT,
        auto_decompress=False,
        max_line_size=LINE_BYTES,
        max_field_size=LINE_BYTES,
        headers={"User-Agent": "Muster"},
    )


class Names(AbstractResolver):
    """Looks names up as the system does."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(LOOK_UPS, "names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        look_up = partial(socket.getaddrinfo, host, port, family, socket.SOCK_STREAM)
        found = await asyncio.get_running_loop().run_in_executor(self._threads, look_up)
        flags = socket.AI_NUMERICHOST | socket.AI_NUMERICSERV
        return [
            ResolveResult(hostname=host, host=str(to[0]), port=port, family=kind, proto=protocol, flags=flags)
            for kind, _, protocol, _, to in found
        ]

    async def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _to_public(target: tuple[Any, ...]) -> socket.socket:
    if not is_public(ip_address(target[4][0])):
        # The same words for all addresses of a name, so that of several refusals one is raised.
        raise PrivateAddress(NOT_PUBLIC)
    return _to_any(target)


def _to_any(target: tuple[Any, ...]) -> socket.socket:
    family, kind, protocol = target[:3]
    return socket.socket(family, kind, protocol)
