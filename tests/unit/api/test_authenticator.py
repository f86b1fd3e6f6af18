"""Who asks (contract v3.md 1.2, w50.md 1): what is shown, and how long it is believed."""

import asyncio
import base64
import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest

from api import auth
from api.auth import Authenticator
from engine import principals
from engine.errors import Unauthorized
from engine.principals import Access, Principal, Purpose, SigningKey

ACCESS = Access(UUID(int=1), 7, {7: frozenset(), 8: frozenset()})
PRINCIPAL = Principal(UUID(int=1), 7, frozenset())


class Clock:
    """Time that passes when told to."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Known:
    """What the database knows, and what it was asked for."""

    def __init__(self) -> None:
        self.good = {"good"}
        self.access = ACCESS
        self.asked: list[str] = []
        #: Set while the database answers.
        self.answers = asyncio.Event()
        self.answers.set()

    async def api_token(self, _db: object, token: str) -> Access:
        self.asked.append(token)
        await self.answers.wait()
        if token not in self.good:
            raise Unauthorized("Unauthorized")
        return self.access

    async def session(self, db: object, token: str, purpose: Purpose) -> Access:
        return await self.api_token(db, f"{purpose} {token}")

    async def log_in(self, db: object, name: str, password: str) -> Access:
        return await self.api_token(db, f"{name}: {password}")

    async def signing_key(self, db: object, key_id: str) -> SigningKey:
        await self.api_token(db, key_id)
        return SigningKey("a secret", PRINCIPAL, revoked=False)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Known:
    known = Known()
    for name in ("api_token", "session", "log_in", "signing_key"):
        monkeypatch.setattr(principals, name, getattr(known, name))
    return known


@pytest.fixture
def authenticator(clock: Clock, known: Known) -> Authenticator:
    database: Any = None
    return Authenticator(database, 5, clock)


def request(authorization: str | None) -> Any:
    return SimpleNamespace(headers={} if authorization is None else {"Authorization": authorization})


def basic(credentials: str | bytes) -> str:
    raw = credentials.encode() if isinstance(credentials, str) else credentials
    return f"Basic {base64.b64encode(raw).decode()}"


@pytest.mark.parametrize("header", ["Bearer good", "bearer good", "BEARER  good "])
async def test_a_known_token(authenticator: Authenticator, header: str) -> None:
    """Contract v3.md 1.2, w50.md 1."""
    assert await authenticator.bearer(request(header)) == PRINCIPAL
    assert await authenticator.basic_or_bearer(request(header)) == PRINCIPAL


@pytest.mark.parametrize(
    "header", [None, "", "good", "Bearer", "Bearer ", "Basic good", "Bearer bad", "Bearer gööd", "Bearer \udcff"]
)
async def test_everything_else_is_unauthorized(authenticator: Authenticator, header: str | None) -> None:
    """Contract v3.md 1.2, w50.md 1: 401."""
    for shown in (authenticator.bearer, authenticator.basic_or_bearer):
        with pytest.raises(Unauthorized):
            await shown(request(header))


@pytest.mark.parametrize("name_and_password", ["ada:s3cret", "ada:", ":", "ada:a:b: c", "ädä:gehéim"])
async def test_a_name_and_a_password(authenticator: Authenticator, known: Known, name_and_password: str) -> None:
    """Contract w50.md 1: HTTP Basic, in UTF-8; a password may have colons."""
    name, _, password = name_and_password.partition(":")
    known.good = {f"{name}: {password}"}
    header = basic(name_and_password)
    assert await authenticator.basic_or_bearer(request(header)) == PRINCIPAL
    assert await authenticator.basic_or_bearer(request(header.replace("Basic", "basic"))) == PRINCIPAL
    assert known.asked == [f"{name}: {password}"]
    with pytest.raises(Unauthorized):
        await authenticator.bearer(request(header))


@pytest.mark.parametrize(
    "header",
    ["Basic", "Basic ", "Basic !", "Basic YQ", "Basic YTpi YTpi", basic("no colon"), basic(b"\xff:x"), "Basic é"],
)
async def test_what_is_no_name_and_password_asks_nobody(
    authenticator: Authenticator, known: Known, header: str
) -> None:
    with pytest.raises(Unauthorized):
        await authenticator.basic_or_bearer(request(header))
    assert known.asked == []


async def test_passwords_are_not_kept(authenticator: Authenticator, known: Known) -> None:
    known.good = {"ada: s3cret"}
    header = basic("ada:s3cret")
    await authenticator.basic_or_bearer(request(header))
    [key] = authenticator._users._found
    assert isinstance(key, bytes)
    assert len(key) == 64
    assert not any(known_text in key for known_text in (b"s3cret", header.removeprefix("Basic ").encode()))


async def test_a_token_is_asked_for_once_in_a_while(authenticator: Authenticator, known: Known, clock: Clock) -> None:
    for _ in range(3):
        await authenticator.principal("good")
    assert known.asked == ["good"]
    clock.now += 4.9
    known.good.clear()
    assert await authenticator.principal("good") == PRINCIPAL, "a revoked one is believed for as long"
    clock.now += 0.1
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await authenticator.principal("good")
    assert known.asked == ["good"] * 3, "a refusal is not remembered: a new token works at once"


@pytest.mark.parametrize(("seconds", "believed"), [(2.0, 2.0), (1000.0, 5.0), (math.inf, 5.0)])
async def test_no_token_is_believed_after_its_end(
    authenticator: Authenticator, known: Known, clock: Clock, seconds: float, believed: float
) -> None:
    known.access = replace(ACCESS, seconds=seconds)
    await authenticator.principal("good")
    clock.now += believed - 0.1
    await authenticator.principal("good")
    assert len(known.asked) == 1
    clock.now += 0.1
    await authenticator.principal("good")
    assert len(known.asked) == 2


async def test_sessions_are_remembered_by_purpose(authenticator: Authenticator, known: Known) -> None:
    """Contract convio.md 3.1: a token of one kind is none of the other."""
    known.good = {"session good"}
    for _ in range(2):
        assert await authenticator.session("good", Purpose.SESSION) is ACCESS
        with pytest.raises(Unauthorized):
            await authenticator.session("good", Purpose.SIGN_ON)
    assert known.asked == ["session good", "sign_on good", "sign_on good"]


async def test_a_session_is_asked_for_while_it_can_slide(known: Known, clock: Clock) -> None:
    """Also when much is remembered: what is not asked for does not slide."""
    database: Any = None
    authenticator = Authenticator(database, 3600, clock)
    known.good = {"session good"}
    for seconds, again in ((1800.0, 60.0), (10.0, 5.0)):
        known.asked.clear()
        known.access = replace(ACCESS, seconds=seconds)
        clock.now += 3600
        for passed in (0.0, again - 0.1, 0.1):
            clock.now += passed
            await authenticator.session("good", Purpose.SESSION)
        assert len(known.asked) == 2


async def test_keys_are_remembered(authenticator: Authenticator, known: Known) -> None:
    """Contract ivvy.md 2."""
    for _ in range(2):
        assert (await authenticator.key("good")).secret == "a secret"
        with pytest.raises(Unauthorized):
            await authenticator.key("bad")
    assert known.asked == ["good", "bad", "bad"]


async def test_many_at_once_ask_once(authenticator: Authenticator, known: Known) -> None:
    """A password takes long to check."""
    known.good = {"ada: s3cret"}
    known.answers.clear()
    header = basic("ada:s3cret")
    asking = [asyncio.create_task(authenticator.basic_or_bearer(request(header))) for _ in range(10)]
    await asyncio.sleep(0)
    asking[0].cancel()
    await asyncio.sleep(0)
    known.answers.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(answers[0], asyncio.CancelledError)
    assert answers[1:] == [PRINCIPAL] * 9
    assert known.asked == ["ada: s3cret"]


async def test_without_a_memory_everybody_asks(known: Known, clock: Clock) -> None:
    database: Any = None
    authenticator = Authenticator(database, 0, clock)
    await asyncio.gather(*(authenticator.principal("good") for _ in range(3)))
    assert known.asked == ["good"] * 3


async def test_a_failure_that_nobody_waits_for_is_nobodys(
    authenticator: Authenticator, known: Known, caplog: pytest.LogCaptureFixture
) -> None:
    known.answers.clear()
    asking = asyncio.create_task(authenticator.principal("bad"))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    known.answers.set()
    for _ in range(3):
        await asyncio.sleep(0)
    assert len(authenticator._tokens) == 0
    assert not caplog.records


async def test_no_more_tokens_are_remembered_than_fit(authenticator: Authenticator, known: Known) -> None:
    known.good = {str(number) for number in range(auth.MOST_REMEMBERED + 1)}
    for token in sorted(known.good):
        await authenticator.principal(token)
    assert len(authenticator._tokens) <= auth.MOST_REMEMBERED
