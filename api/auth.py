"""Who asks: tokens in the Authorization header, remembered for a moment so that not every request asks the database."""

from collections.abc import Callable
from time import monotonic

from aiohttp import web

from engine import principals
from engine.database import Database
from engine.errors import Unauthorized
from engine.principals import Principal

#: Tokens remembered at once; when there are more, all are asked for again.
MOST_REMEMBERED = 10_000


class Authenticator:
    """Finds out for whom a token speaks. A revoked one is believed for `seconds` more at most."""

    def __init__(self, db: Database, seconds: float, now: Callable[[], float] = monotonic) -> None:
        self._db = db
        self._seconds = seconds
        self._now = now
        self._remembered: dict[str, tuple[Principal, float]] = {}

    async def bearer(self, request: web.Request) -> Principal:
        """The principal of `Authorization: Bearer {token}`. Raises Unauthorized."""
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.isascii():
            raise Unauthorized("Unauthorized")
        return await self.principal(token.strip())

    async def principal(self, token: str) -> Principal:
        """Raises Unauthorized when the token is unknown, revoked or expired."""
        now = self._now()
        principal, until = self._remembered.get(token, (None, 0.0))
        if principal is None or until <= now:
            self._remembered.pop(token, None)
            principal = await principals.authenticate(self._db, token)
            self._remember(token, principal, now + self._seconds)
        return principal

    def _remember(self, token: str, principal: Principal, until: float) -> None:
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        self._remembered[token] = principal, until
