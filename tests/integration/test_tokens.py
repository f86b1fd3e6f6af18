"""Who may ask: tokens, their privileges, and what is stored of them (contract v3.md 1.2)."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from engine import accounts, principals
from engine.database import Database
from engine.errors import Forbidden, Invalid, NotFound, Unauthorized
from engine.principals import Privilege
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk


async def test_a_token_speaks_for_its_account(desk: Desk, new_desk: NewDesk) -> None:
    other = await new_desk()
    for each in (desk, other):
        token = await principals.create_token(each.db, each.account_id, "a name")
        found = await principals.authenticate(each.db, token)
        assert (found.account_id, found.privileges) == (each.account_id, frozenset(Privilege))


@pytest.mark.parametrize("wrong", ["", "muster_", "x" * 1000, "a\0b", "ключ"])
async def test_what_is_no_token_is_refused(db: Database, wrong: str) -> None:
    with pytest.raises(Unauthorized):
        await principals.authenticate(db, wrong)


async def test_a_revoked_token_is_useless(desk: Desk) -> None:
    token = await principals.create_token(desk.db, desk.account_id, "a name")
    principal = await principals.authenticate(desk.db, token)
    await principals.revoke_token(desk.db, principal.principal_id)
    with pytest.raises(Unauthorized):
        await principals.authenticate(desk.db, token)
    with pytest.raises(NotFound):
        await principals.revoke_token(desk.db, principal.principal_id)
    another = await principals.create_token(desk.db, desk.account_id, "another")
    assert (await principals.authenticate(desk.db, another)).account_id == desk.account_id


async def test_an_expired_token_is_useless(desk: Desk) -> None:
    now = datetime.now(UTC)
    early, late = [
        await principals.create_token(desk.db, desk.account_id, "a name", expires_at=now + timedelta(seconds=seconds))
        for seconds in (-1, 3600)
    ]
    with pytest.raises(Unauthorized):
        await principals.authenticate(desk.db, early)
    assert (await principals.authenticate(desk.db, late)).account_id == desk.account_id


async def test_only_given_privileges_are_granted(desk: Desk) -> None:
    """Contract v3.md 1.2: four privileges; a missing one → 403."""
    token = await principals.create_token(desk.db, desk.account_id, "a name", [Privilege.CONTACTS_READ])
    found = await principals.authenticate(desk.db, token)
    found.require(Privilege.CONTACTS_READ)
    found.require(Privilege.LISTS_READ, Privilege.CONTACTS_READ)
    with pytest.raises(Forbidden, match="contacts:write"):
        found.require(Privilege.CONTACTS_WRITE)


async def test_only_a_hash_is_stored(desk: Desk) -> None:
    """Issue 2, section 3: random, only a hash stored, shown once."""
    token = await principals.create_token(desk.db, desk.account_id, "a name")
    assert token.startswith("muster_")
    [told] = [each for each in await principals.list_tokens(desk.db, desk.account_id) if each.name == "a name"]
    assert told.hint == token[-4:]
    assert token.removeprefix("muster_") not in repr(told)
    stored = await desk.owner.fetch("SELECT encode(token_hash, 'escape') || hint AS text FROM token")
    assert not any(token.removeprefix("muster_") in row["text"] for row in stored)


async def test_nothing_unknown_can_have_a_token(db: Database) -> None:
    with pytest.raises(NotFound):
        await principals.create_token(db, 2**62, "a name")
    with pytest.raises(NotFound):
        await principals.revoke_token(db, uuid4())
    with pytest.raises(NotFound):
        await accounts.find(db, 2**62)


@pytest.mark.parametrize("name", ["", "  ", "a\0b"])
async def test_an_account_needs_a_name(db: Database, name: str) -> None:
    with pytest.raises(Invalid):
        await accounts.create(db, name)
