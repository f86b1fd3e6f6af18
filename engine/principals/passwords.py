"""Passwords are kept as argon2id hashes, which take long to make: so in threads, and few at once.

Who has shown the right one to a process before need not wait there behind those who guess.
"""

import asyncio
import hashlib
import secrets
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache, cached_property
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from engine.errors import Busy, Invalid

T = TypeVar("T")

#: Lengths of a password, in bytes of UTF-8.
SHORTEST = 6
LONGEST = 1024
#: Hashes that are made at once. OWASP's least: each holds a core for 20 ms, and 19 MiB.
AT_ONCE = 2
ROUNDS = 2
MEMORY_KIB = 19 * 1024
#: Those that are made or wait, half a second's work: who guesses passwords must not fill the memory.
MOST = 64
#: Passwords that were right which a process remembers; when there are more, all are checked again.
MOST_REMEMBERED = 10_000


class Hashing:
    """Makes and checks hashes for one process."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=ROUNDS, memory_cost=MEMORY_KIB, parallelism=1)
        self._threads = ThreadPoolExecutor(AT_ONCE, "hashing")
        self._under_way = 0
        #: Of passwords that were right, with what was stored of them: hashes that only this process can make.
        self._right = set[bytes]()
        self._pepper = secrets.token_bytes()

    @cached_property
    def _nobodys(self) -> str:
        """Checked for names that nobody has."""
        return self._hasher.hash(secrets.token_bytes())

    async def hash(self, secret: bytes) -> str:
        return await self._in_turn(lambda: self._hasher.hash(secret))

    async def verify(self, stored: str | None, secret: bytes) -> bool:
        shown = hashlib.blake2b(f"{stored}\0".encode() + secret, key=self._pepper).digest()
        if shown in self._right:
            return True
        is_right = await self._in_turn(lambda: self._is(stored, secret))
        if is_right:
            self._remember(shown)
        return is_right

    def _remember(self, shown: bytes) -> None:
        if len(self._right) >= MOST_REMEMBERED:
            self._right.clear()
        self._right.add(shown)

    def _is(self, stored: str | None, secret: bytes) -> bool:
        # Also when it is not needed: its first use takes twice as long.
        nobodys = self._nobodys
        try:
            self._hasher.verify(nobodys if stored is None else stored, secret)
        except VerifyMismatchError:
            return False
        return stored is not None

    async def _in_turn(self, work: Callable[[], T]) -> T:
        if self._under_way >= MOST:
            raise Busy("too many log in at once; try again later")
        self._under_way += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._under_way -= 1


async def hashed(password: str) -> str:
    """What is stored of a password. Raises Invalid for one that is too short or too long, and Busy."""
    secret = _bytes(password)
    if not SHORTEST <= len(secret) <= LONGEST:
        raise Invalid(f"a password has {SHORTEST} to {LONGEST} bytes")
    return await _hashing().hash(secret)


async def matches(stored: str | None, password: str) -> bool:
    """Whether the password is the one that was hashed; it takes as long when nothing was. Raises Busy."""
    secret = _bytes(password)
    # None that is stored is so short, so it matches nothing; and nobody makes us hash megabytes.
    return await _hashing().verify(stored, secret if len(secret) <= LONGEST else b"")


def _bytes(password: str) -> bytes:
    return password.encode(errors="surrogatepass")


@cache
def _hashing() -> Hashing:
    return Hashing()
