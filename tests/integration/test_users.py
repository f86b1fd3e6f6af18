"""Users: names and passwords, and what they may do in which account (issue 4; contract greenrope.md 1.1, 1.2)."""

from uuid import UUID, uuid4

import pytest

from engine import organizations, principals
from engine.database import Database
from engine.errors import Conflict, Forbidden, Invalid, NameTaken, NotFound, Unauthorized
from engine.principals import Privilege, Purpose
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk

READ, WRITE = Privilege.CONTACTS_READ, Privilege.CONTACTS_WRITE


def a_name() -> str:
    return f"{uuid4().hex}@Example.org"


async def a_user(desk: Desk, name: str | None = None, password: str = "secret", *privileges: Privilege) -> UUID:
    return await principals.create_user(
        desk.db, desk.account_id, name or a_name(), password, privileges or tuple(Privilege)
    )


async def test_a_user_logs_in_by_name_and_password(desk: Desk) -> None:
    """Contract greenrope.md 1.1: the login's own account is the default; names are compared without case."""
    name = a_name()
    user = await a_user(desk, f" {name} ", "s3crét pass", READ)
    for spelled in (name, name.upper(), f"  {name.lower()} "):
        access = await principals.log_in(desk.db, spelled, "s3crét pass")
        assert (access.principal_id, access.home, access.name) == (user, desk.account_id, name)
        assert access.grants == {desk.account_id: {READ}}
        assert access.principal() == access.principal(desk.account_id)
        assert access.principal().privileges == {READ}


@pytest.mark.parametrize(
    "password", ["", "secre", "Secret", " secret", "secret ", "secret\0", "secret\0x", "x" * 2000, "\ud800", "sécret"]
)
async def test_any_other_password_is_wrong(desk: Desk, password: str) -> None:
    """Contract greenrope.md 1.1."""
    name = a_name()
    await a_user(desk, name, "secret")
    with pytest.raises(Unauthorized):
        await principals.log_in(desk.db, name, password)


@pytest.mark.parametrize("name", ["", " ", "nobody", "a\0b", "\ud800", "x" * 1_000_000, "%", "'; drop table login; --"])
async def test_unknown_and_hostile_names_are_refused(db: Database, name: str) -> None:
    with pytest.raises(Unauthorized):
        await principals.log_in(db, name, "secret")


@pytest.mark.parametrize("name", ["", "  ", "a\0b", "\ud800", "x" * 255, "a\nb", "a\u202eb"])
async def test_a_name_is_of_visible_characters(desk: Desk, name: str) -> None:
    with pytest.raises(Invalid, match="a user needs a name"):
        await a_user(desk, name or "  ")


@pytest.mark.parametrize("password", ["", "12345", "x" * 1025])
async def test_passwords_have_a_least_and_a_greatest_length(desk: Desk, password: str) -> None:
    name = a_name()
    with pytest.raises(Invalid, match="a password has 6 to 1024 bytes"):
        await a_user(desk, name, password)
    user = await a_user(desk, name, "x" * 1024)
    with pytest.raises(Invalid, match="a password has 6 to 1024 bytes"):
        await principals.set_password(desk.db, user, password)
    assert (await principals.log_in(desk.db, name, "x" * 1024)).principal_id == user


async def test_a_name_is_of_one_user_in_all_accounts(desk: Desk, new_desk: NewDesk) -> None:
    name, other = a_name(), await new_desk()
    await a_user(desk, name)
    for each in (desk, other):
        with pytest.raises(NameTaken):
            await a_user(each, f" {name.upper()}")
    assert await principals.list_users(other.db, other.account_id) == []


async def test_only_a_hash_of_a_password_is_stored(desk: Desk) -> None:
    same = "the same password"
    users = [await a_user(desk, password=same) for _ in range(2)]
    stored = {await desk.owner.fetchval("SELECT password_hash FROM login WHERE principal_id = $1", u) for u in users}
    assert len(stored) == 2, "each has a salt of its own"
    assert all(each.startswith("$argon2id$") and same not in each for each in stored)


async def test_another_password_ends_the_sessions(desk: Desk) -> None:
    name = a_name()
    user = await a_user(desk, name)
    token = await principals.open_session(desk.db, user, Purpose.SESSION, 3600)
    await principals.set_password(desk.db, user, "another one")
    assert (await principals.log_in(desk.db, name, "another one")).principal_id == user
    for attempt in (
        principals.log_in(desk.db, name, "secret"),
        principals.session(desk.db, token, Purpose.SESSION),
    ):
        with pytest.raises(Unauthorized):
            await attempt


async def test_shared_access_to_another_account(desk: Desk, new_desk: NewDesk) -> None:
    """Contract greenrope.md 1.2: a grant reaches another account, with rights of its own there."""
    name, other = a_name(), await new_desk()
    user = await a_user(desk, name)
    with pytest.raises(Forbidden, match=f"no access to account {other.account_id}"):
        (await principals.log_in(desk.db, name, "secret")).principal(other.account_id)
    await principals.grant(desk.db, user, other.account_id, [READ, WRITE])
    await principals.grant(desk.db, user, other.account_id, [READ])
    access = await principals.log_in(desk.db, name, "secret")
    assert access.home == desk.account_id
    assert access.principal(other.account_id).privileges == {READ}
    assert access.principal().privileges == frozenset(Privilege)
    [seen] = await principals.list_users(other.db, other.account_id)
    assert (seen.principal_id, seen.name, seen.home, seen.privileges) == (user, name, False, (READ,))

    await principals.revoke_grant(desk.db, user, other.account_id)
    assert set((await principals.log_in(desk.db, name, "secret")).grants) == {desk.account_id}
    with pytest.raises(NotFound):
        await principals.revoke_grant(desk.db, user, other.account_id)


async def test_the_home_stays(desk: Desk) -> None:
    name = a_name()
    user = await a_user(desk, name)
    with pytest.raises(Conflict, match="is the home"):
        await principals.revoke_grant(desk.db, user, desk.account_id)
    await principals.grant(desk.db, user, desk.account_id, [READ])
    access = await principals.log_in(desk.db, name, "secret")
    assert access.home == desk.account_id
    assert access.principal().privileges == {READ}


async def test_a_removed_user_is_gone_and_its_name_is_free(desk: Desk) -> None:
    name = a_name()
    user = await a_user(desk, name)
    token = await principals.open_session(desk.db, user, Purpose.SESSION, 3600)
    await principals.remove_user(desk.db, user)
    for attempt in (
        principals.log_in(desk.db, name, "secret"),
        principals.session(desk.db, token, Purpose.SESSION),
    ):
        with pytest.raises(Unauthorized):
            await attempt
    for change in (
        principals.remove_user(desk.db, user),
        principals.set_password(desk.db, user, "another one"),
        principals.find_user(desk.db, name),
    ):
        with pytest.raises(NotFound):
            await change
    with pytest.raises(Forbidden):
        await principals.open_session(desk.db, user, Purpose.SESSION, 3600)
    assert await principals.list_users(desk.db, desk.account_id) == []
    assert await a_user(desk, name) != user


async def test_users_need_an_account_and_grants_a_principal(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await principals.create_user(desk.db, 2**62, a_name(), "secret")
    with pytest.raises(NotFound):
        await principals.grant(desk.db, uuid4(), desk.account_id, [READ])
    with pytest.raises(NotFound):
        await principals.grant(desk.db, await a_user(desk), 2**62, [READ])


async def test_the_owner_of_an_account_is_its_oldest_user(desk: Desk, new_desk: NewDesk) -> None:
    """Contract convio.md 3, 5: a token names the owner of the address book."""
    other = await new_desk()
    guest = await a_user(other)
    await principals.grant(desk.db, guest, desk.account_id, [READ])
    first = await a_user(desk)
    await a_user(desk)
    assert await organizations.owner(desk.db, desk.account_id) == first


async def test_an_account_without_users_is_given_an_owner_once(desk: Desk) -> None:
    owner = await organizations.owner(desk.db, desk.account_id)
    assert await organizations.owner(desk.db, desk.account_id) == owner
    token = await principals.open_session(desk.db, owner, Purpose.SIGN_ON, 60)
    access = await principals.session(desk.db, token, Purpose.SIGN_ON)
    assert access.principal().privileges == frozenset(Privilege)
    assert access.home == desk.account_id
    with pytest.raises(NotFound):
        await organizations.owner(desk.db, 2**62)
