"""Who asks (contract v3.md 1.2)."""

from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from api import auth
from api.auth import Authenticator
from engine import principals
from engine.errors import Unauthorized
from engine.principals import Principal

PRINCIPAL = Principal(UUID(int=1), 7, frozenset())


class Clock:
    """Time that passes when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Tokens:
    """The tokens that the database knows, and which were asked for."""

    def __init__(self) -> None:
        self.known = {"good"}
        self.asked: list[str] = []

    async def authenticate(self, _db: object, token: str) -> Principal:
        self.asked.append(token)
        if token not in self.known:
            raise Unauthorized("Unauthorized")
        return PRINCIPAL


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Tokens:
    tokens = Tokens()
    monkeypatch.setattr(principals, "authenticate", tokens.authenticate)
    return tokens


@pytest.fixture
def authenticator(clock: Clock, tokens: Tokens) -> Authenticator:
    database: Any = None
    return Authenticator(database, 5, clock)


def request(authorization: str | None) -> Any:
    return SimpleNamespace(headers={} if authorization is None else {"Authorization": authorization})


@pytest.mark.parametrize("header", ["Bearer good", "bearer good", "BEARER  good "])
async def test_a_known_token(authenticator: Authenticator, header: str) -> None:
    """Contract v3.md 1.2."""
    assert await authenticator.bearer(request(header)) is PRINCIPAL


@pytest.mark.parametrize(
    "header", [None, "", "good", "Bearer", "Bearer ", "Basic good", "Bearer bad", "Bearer gööd", "Bearer \udcff"]
)
async def test_everything_else_is_unauthorized(authenticator: Authenticator, header: str | None) -> None:
    """Contract v3.md 1.2: 401."""
    with pytest.raises(Unauthorized):
        await authenticator.bearer(request(header))


async def test_a_token_is_asked_for_once_in_a_while(authenticator: Authenticator, tokens: Tokens, clock: Clock) -> None:
    for _ in range(3):
        await authenticator.principal("good")
    assert tokens.asked == ["good"]
    clock.now += 4.9
    tokens.known.clear()
    assert await authenticator.principal("good") is PRINCIPAL, "a revoked one is believed for as long"
    clock.now += 0.1
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await authenticator.principal("good")
    assert tokens.asked == ["good"] * 3, "a refusal is not remembered: a new token works at once"


async def test_no_more_tokens_are_remembered_than_fit(authenticator: Authenticator, tokens: Tokens) -> None:
    tokens.known = {str(number) for number in range(auth.MOST_REMEMBERED + 1)}
    for token in sorted(tokens.known):
        await authenticator.principal(token)
    assert len(authenticator._remembered) <= auth.MOST_REMEMBERED
