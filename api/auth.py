"""Who asks: what requests show, remembered for a moment so that not every request asks the database."""

import asyncio
import base64
import binascii
import hashlib
import math
import secrets
from asyncio import Task
from collections.abc import Callable, Coroutine, Hashable
from time import monotonic
from typing import Any, Generic, TypeVar

from aiohttp import web

from engine import principals
from engine.database import Database
from engine.errors import Unauthorized
from engine.principals import Access, Principal, Purpose, SigningKey

T = TypeVar("T")

#: Answers remembered at once, of each kind; when there are more, all are asked for again.
MOST_REMEMBERED = 10_000
#: Seconds that a session is remembered at most: it slides only when it is asked for.
SESSION_SECONDS = 60.0


class Memory(Generic[T]):
    """What was found, or is being found, a moment ago: many who ask for the same at once ask the database once."""

    def __init__(self, seconds: float, now: Callable[[], float], lasts: Callable[[T], float]) -> None:
        self._seconds = seconds
        self._now = now
        #: How many seconds something that was found may be believed.
        self._lasts = lasts
        self._found: dict[Hashable, tuple[Task[T], float]] = {}

    def __len__(self) -> int:
        return len(self._found)

    async def get(self, key: Hashable, find: Callable[[], Coroutine[Any, Any, T]]) -> T:
        """What is known by the key, else what `find` finds. What it raises is not remembered."""
        now = self._now()
        task, until = self._found.get(key, (None, 0.0))
        if task is None or until <= now:
            task = asyncio.create_task(find())
            task.add_done_callback(lambda done: self._settle(key, done, now))
            self._remember(key, task, now + self._seconds)
        # Who gives up waiting does not stop the others.
        return task.result() if task.done() else await asyncio.shield(task)

    def _settle(self, key: Hashable, done: Task[T], asked: float) -> None:
        """Forgets what could not be found, and remembers nothing for longer than it lasts, from when it was asked."""
        found = not done.cancelled() and done.exception() is None
        task, until = self._found.get(key, (None, 0.0))
        if task is not done:
            return
        if found:
            self._found[key] = done, min(until, asked + self._lasts(done.result()))
        else:
            del self._found[key]

    def _remember(self, key: Hashable, task: Task[T], until: float) -> None:
        if len(self._found) >= MOST_REMEMBERED:
            self._found.clear()
        self._found[key] = task, until


class Authenticator:
    """Finds out who asks. What was revoked is believed for `seconds` more at most, and nothing after its end."""

    def __init__(self, db: Database, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._db = db
        self._tokens = Memory[Access](seconds, now, lambda access: access.seconds)
        self._users = Memory[Access](seconds, now, lambda access: access.seconds)
        self._sessions = Memory[Access](seconds, now, lambda access: min(SESSION_SECONDS, access.seconds / 2))
        self._keys = Memory[SigningKey](seconds, now, lambda _: math.inf)
        #: Passwords are remembered by a hash that only this process can make.
        self._pepper = secrets.token_bytes()

    async def bearer(self, request: web.Request) -> Principal:
        """The principal of `Authorization: Bearer {token}`. Raises Unauthorized."""
        scheme, shown = _shown(request)
        if scheme != "bearer":
            raise Unauthorized("Unauthorized")
        return await self.principal(shown)

    async def basic_or_bearer(self, request: web.Request) -> Principal:
        """The principal of a user's name and password, or of an API token, at home. Raises Unauthorized, and Busy."""
        scheme, shown = _shown(request)
        if scheme != "basic":
            return await self.bearer(request)
        name, password = _name_and_password(shown)
        key = hashlib.blake2b(shown.encode(), key=self._pepper).digest()
        return (await self._users.get(key, lambda: principals.log_in(self._db, name, password))).principal()

    async def principal(self, token: str) -> Principal:
        """Whom an API token speaks for, at home. Raises Unauthorized when it is unknown, revoked or expired."""
        return (await self._tokens.get(token, lambda: principals.api_token(self._db, token))).principal()

    async def session(self, token: str, purpose: Purpose) -> Access:
        """Whose session it is. Raises Unauthorized when it is unknown, closed, has ended, or is for another purpose."""
        return await self._sessions.get((token, purpose), lambda: principals.session(self._db, token, purpose))

    async def key(self, key_id: str) -> SigningKey:
        """The key that a request is signed with, be it revoked. Raises Unauthorized when there is none."""
        return await self._keys.get(key_id, lambda: principals.signing_key(self._db, key_id))


def _shown(request: web.Request) -> tuple[str, str]:
    """The scheme in lower case, and the credentials, of the Authorization header. Raises Unauthorized."""
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if not shown.isascii():
        raise Unauthorized("Unauthorized")
    return scheme.lower(), shown.strip()


def _name_and_password(shown: str) -> tuple[str, str]:
    """What Basic credentials say. Raises Unauthorized."""
    try:
        name, colon, password = base64.b64decode(shown, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Unauthorized("Unauthorized") from None
    if not colon:
        raise Unauthorized("Unauthorized")
    return name, password
