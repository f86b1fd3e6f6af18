"""Signed keys (contract ivvy.md 2)."""

from uuid import uuid4

import pytest

from engine import principals
from engine.errors import NotFound, Unauthorized
from engine.principals import Privilege
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk


async def test_a_key_speaks_for_a_principal_of_the_account(desk: Desk) -> None:
    key_id, secret = await principals.create_key(desk.db, desk.account_id, "their system", [Privilege.CONTACTS_READ])
    key = await principals.signing_key(desk.db, key_id)
    assert (key.secret, key.revoked) == (secret, False)
    assert key.principal.account_id == desk.account_id
    assert key.principal.privileges == {Privilege.CONTACTS_READ}
    assert len(secret) >= 43
    assert secret not in repr(key)
    [told] = await principals.list_keys(desk.db, desk.account_id)
    assert (told.key_id, told.name, told.privileges) == (key_id, "their system", (Privilege.CONTACTS_READ,))
    assert secret not in repr(told)


async def test_a_revoked_key_is_known_as_such(desk: Desk, new_desk: NewDesk) -> None:
    """Contract ivvy.md 2.2, 4: a revoked key has an error of its own. Only its account revokes it."""
    key_id, _ = await principals.create_key(desk.db, desk.account_id, "a name")
    other = await new_desk()
    with pytest.raises(NotFound):
        await principals.revoke_key(other.db, other.account_id, key_id)
    assert not (await principals.signing_key(desk.db, key_id)).revoked
    await principals.revoke_key(desk.db, desk.account_id, key_id)
    assert (await principals.signing_key(desk.db, key_id)).revoked
    with pytest.raises(NotFound):
        await principals.revoke_key(desk.db, desk.account_id, key_id)
    [told] = await principals.list_keys(desk.db, desk.account_id)
    assert told.revoked_at is not None
    assert await principals.list_keys(other.db, other.account_id) == []


@pytest.mark.parametrize("key_id", ["", "MK", "x" * 1_000_000, "a\0b", "\ud800", "ключ", "%"])
async def test_unknown_keys_are_refused(desk: Desk, key_id: str) -> None:
    with pytest.raises(Unauthorized):
        await principals.signing_key(desk.db, key_id)


async def test_nothing_unknown_can_have_a_key(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await principals.create_key(desk.db, 2**62, "a name")
    with pytest.raises(NotFound):
        await principals.revoke_key(desk.db, desk.account_id, uuid4().hex)
