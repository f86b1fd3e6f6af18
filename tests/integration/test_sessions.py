"""Sessions end by the database's clock, and slide with their use (contract convio.md 3, greenrope.md 1.1)."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest
import pytest_asyncio

from engine import principals
from engine.errors import Conflict, Forbidden, Unauthorized
from engine.operations.retention import Retention
from engine.principals import Privilege, Purpose
from engine.principals.secrets import hash_of
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk

HALF_AN_HOUR = 1800
SESSION, SIGN_ON = Purpose.SESSION, Purpose.SIGN_ON


@pytest_asyncio.fixture
async def user(desk: Desk) -> UUID:
    return await principals.create_user(desk.db, desk.account_id, uuid4().hex, "secret")


async def let_pass(desk: Desk, token: str, seconds: float) -> None:
    """As if the session were older by so many seconds."""
    await desk.owner.execute(
        "UPDATE token SET expires_at = expires_at - $2::interval WHERE token_hash = $1",
        hash_of(token),
        timedelta(seconds=seconds),
    )


async def left(desk: Desk, token: str) -> float:
    """Seconds until the session ends, in whole tens of seconds."""
    seconds = await desk.owner.fetchval(
        "SELECT extract(epoch FROM expires_at - now()) FROM token WHERE token_hash = $1", hash_of(token)
    )
    return round(float(seconds), -1)


async def test_a_session_is_of_its_principal_for_its_purpose(desk: Desk, user: UUID) -> None:
    """Contract convio.md 3.1, greenrope.md 1.1: a token of one kind is none of another."""
    for purpose in Purpose:
        token = await principals.open_session(desk.db, user, purpose, 60)
        access = await principals.session(desk.db, token, purpose)
        assert (access.principal_id, access.home) == (user, desk.account_id)
        assert 50 < access.seconds <= 60
        for another in set(Purpose) - {purpose}:
            with pytest.raises(Unauthorized):
                await principals.session(desk.db, token, another)
        with pytest.raises(Unauthorized):
            await principals.authenticate(desk.db, token)


async def test_an_api_token_is_no_session(desk: Desk) -> None:
    token = await principals.create_token(desk.db, desk.account_id, "API")
    for purpose in Purpose:
        await principals.close_session(desk.db, token, purpose)
        with pytest.raises(Unauthorized):
            await principals.session(desk.db, token, purpose)
    assert (await principals.authenticate(desk.db, token)).account_id == desk.account_id


@pytest.mark.parametrize("shown", ["", "muster_", "x" * 100_000, "a\0b", "\ud800", "ключ"])
async def test_what_is_no_token_is_refused(desk: Desk, shown: str) -> None:
    with pytest.raises(Unauthorized):
        await principals.session(desk.db, shown, SESSION)
    await principals.close_session(desk.db, shown, SESSION)


async def test_one_that_does_not_slide_ends_at_its_time(desk: Desk, user: UUID) -> None:
    """Contract convio.md 3: 30 minutes fixed."""
    token = await principals.open_session(desk.db, user, SIGN_ON, HALF_AN_HOUR)
    await let_pass(desk, token, HALF_AN_HOUR - 60)
    assert (await principals.session(desk.db, token, SIGN_ON)).seconds <= 60
    assert await left(desk, token) == 60
    await let_pass(desk, token, 60)
    with pytest.raises(Unauthorized):
        await principals.session(desk.db, token, SIGN_ON)


async def test_one_that_slides_ends_so_long_after_its_use(desk: Desk, user: UUID) -> None:
    """Contract convio.md 3: 30 minutes sliding."""
    token = await principals.open_session(desk.db, user, SESSION, HALF_AN_HOUR, slides=True)
    for _ in range(3):
        await let_pass(desk, token, HALF_AN_HOUR - 20)
        await principals.session(desk.db, token, SESSION)
        assert await left(desk, token) == HALF_AN_HOUR
    await let_pass(desk, token, HALF_AN_HOUR)
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await principals.session(desk.db, token, SESSION)


async def test_it_slides_once_a_minute_at_most(desk: Desk, user: UUID) -> None:
    """So that not every request writes."""
    token = await principals.open_session(desk.db, user, SESSION, HALF_AN_HOUR, slides=True)
    await let_pass(desk, token, 40)
    await principals.session(desk.db, token, SESSION)
    assert await left(desk, token) == HALF_AN_HOUR - 40
    await let_pass(desk, token, 30)
    await principals.session(desk.db, token, SESSION)
    assert await left(desk, token) == HALF_AN_HOUR


async def test_a_closed_session_is_useless(desk: Desk, user: UUID) -> None:
    """Contract convio.md 3.1: logout."""
    closed, other = [await principals.open_session(desk.db, user, SESSION, HALF_AN_HOUR, slides=True) for _ in range(2)]
    await principals.close_session(desk.db, other, SIGN_ON)
    for _ in range(2):
        await principals.close_session(desk.db, closed, SESSION)
    with pytest.raises(Unauthorized):
        await principals.session(desk.db, closed, SESSION)
    assert (await principals.session(desk.db, other, SESSION)).principal_id == user


async def test_a_token_that_was_made_up_before(desk: Desk, user: UUID) -> None:
    """Contract convio.md 3.1: it is of one session, also once that was closed."""
    token = uuid4().hex
    assert await principals.open_session(desk.db, user, SESSION, 60, token=token) == token
    assert (await principals.session(desk.db, token, SESSION)).principal_id == user
    for _ in range(2):
        with pytest.raises(Conflict):
            await principals.open_session(desk.db, user, SESSION, 60, token=token)
        await principals.close_session(desk.db, token, SESSION)


async def test_a_session_may_be_at_home_in_a_shared_account(desk: Desk, new_desk: NewDesk, user: UUID) -> None:
    """Design: a principal's grants are of accounts; a session is opened for one of them."""
    other = await new_desk()
    with pytest.raises(Forbidden):
        await principals.open_session(desk.db, user, SESSION, 60, account_id=other.account_id)
    await principals.grant(desk.db, user, other.account_id, [Privilege.CONTACTS_READ])
    token = await principals.open_session(desk.db, user, SESSION, 60, account_id=other.account_id)
    access = await principals.session(desk.db, token, SESSION)
    assert access.home == other.account_id
    assert access.principal().privileges == {Privilege.CONTACTS_READ}
    assert access.principal(desk.account_id).account_id == desk.account_id
    await principals.revoke_grant(desk.db, user, other.account_id)
    with pytest.raises(Unauthorized):
        await principals.session(desk.db, token, SESSION)


async def test_nobody_unknown_has_a_session(desk: Desk) -> None:
    with pytest.raises(Forbidden):
        await principals.open_session(desk.db, uuid4(), SESSION, 60)


async def test_only_ended_sessions_are_pruned(desk: Desk, user: UUID) -> None:
    """API tokens are listed for ever, and so are those that have expired."""
    ended, living = [await principals.open_session(desk.db, user, SESSION, 60) for _ in range(2)]
    api = await principals.create_token(desk.db, desk.account_id, "API")
    for token in (ended, api):
        await desk.owner.execute(
            "UPDATE token SET expires_at = now() - interval '1 second' WHERE token_hash = $1", hash_of(token)
        )
    submitted = await desk.submit(Retention())
    await desk.deliver(submitted.messages)
    kept = {row["token_hash"] for row in await desk.owner.fetch("SELECT token_hash FROM token")}
    assert hash_of(ended) not in kept
    assert {hash_of(living), hash_of(api)} <= kept
