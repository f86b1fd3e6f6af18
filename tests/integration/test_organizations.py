"""Organizations: accounts under one public key, and who may open sessions for them (contract convio.md 1, 3, 8)."""

import asyncio
from ipaddress import ip_network
from uuid import uuid4

import pytest
import pytest_asyncio

from engine import accounts, organizations, principals
from engine.database import Database
from engine.errors import Conflict, Forbidden, Invalid, NameTaken, NotFound, Unauthorized
from engine.organizations import Details, Digest, Organization
from engine.principals import Principal, Privilege
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk


def a_name() -> str:
    return f"O{uuid4().hex}"


@pytest_asyncio.fixture
async def organization(db: Database) -> Organization:
    return await organizations.create(db, a_name())


async def test_one_is_found_by_name_and_by_key(db: Database) -> None:
    """Contract convio.md 1, 2: the name is a part of the path; a site may hold a second key."""
    name, keys = a_name(), (f"{uuid4()}~!", uuid4().hex)
    made = await organizations.create(
        db, name, Details(keys, ("www.Example.org",), "SITE_SECRET", Digest.SHA1, ("192.0.2.0/24", "2001:db8::/32"))
    )
    assert (made.name, made.api_keys, made.redirect_digest) == (name, keys, "sha1")
    assert made.redirect_hosts == {"www.example.org"}
    assert made.redirect_secret == "SITE_SECRET"
    assert made.networks == (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))
    assert "SITE_SECRET" not in repr(made)
    assert await organizations.find(db, name.lower()) == made
    for key in keys:
        assert await organizations.by_api_key(db, key) == made
    assert made in await organizations.everyone(db)


async def test_without_details_it_has_a_key_and_a_secret_of_its_own(db: Database, organization: Organization) -> None:
    other = await organizations.create(db, a_name())
    assert len({*organization.api_keys, *other.api_keys}) == 2
    assert organization.redirect_secret != other.redirect_secret
    assert (organization.redirect_hosts, organization.networks) == (frozenset(), ())


async def test_details_are_changed_one_by_one(db: Database, organization: Organization) -> None:
    changed = await organizations.change(db, organization.organization_id, Details(redirect_hosts=("a.test",)))
    assert changed.redirect_hosts == {"a.test"}
    assert (changed.api_keys, changed.redirect_secret) == (organization.api_keys, organization.redirect_secret)
    changed = await organizations.change(db, organization.organization_id, Details(redirect_hosts=()))
    assert changed == organization
    with pytest.raises(NotFound):
        await organizations.change(db, 2**62, Details())


@pytest.mark.parametrize(
    "wrong",
    [
        Details(api_keys=("a b",)),
        Details(api_keys=("",)),
        Details(api_keys=("a", "b", "c")),
        Details(api_keys=("x" * 65,)),
        Details(api_keys=("a\0b",)),
        *(Details(api_keys=(f"a{character}b",)) for character in "&:\\\"'?="),
        Details(redirect_hosts=("http://a.test",)),
        Details(redirect_hosts=("a.test/x",)),
        Details(redirect_hosts=("a\0b",)),
        Details(redirect_hosts=("",)),
        Details(redirect_secret="a\0b"),
        Details(networks=("192.0.2.1/24",)),
        Details(networks=("everywhere",)),
    ],
)
async def test_wrong_details_are_refused(db: Database, organization: Organization, wrong: Details) -> None:
    with pytest.raises(Invalid):
        await organizations.change(db, organization.organization_id, wrong)
    with pytest.raises(Invalid):
        await organizations.create(db, a_name(), wrong)
    assert await organizations.find(db, organization.name) == organization


@pytest.mark.parametrize("name", ["", " ", "a/b", "a b", "a\0b", "..", ".a", "x" * 64, "ä", "\ud800", "a\n"])
async def test_a_name_is_a_part_of_paths(db: Database, name: str) -> None:
    with pytest.raises(Invalid):
        await organizations.create(db, name)
    with pytest.raises(NotFound):
        await organizations.find(db, name)


@pytest.mark.parametrize("key", ["", "unknown", "a\0b", "\ud800", "x" * 1_000_000, "ä"])
async def test_unknown_keys_are_refused(db: Database, key: str) -> None:
    """Contract convio.md 3, 1."""
    with pytest.raises(Unauthorized):
        await organizations.by_api_key(db, key)


async def test_names_and_keys_are_of_one_organization(db: Database, organization: Organization) -> None:
    with pytest.raises(NameTaken):
        await organizations.create(db, organization.name.upper())
    taken = Details(api_keys=(uuid4().hex, organization.api_keys[0]))
    with pytest.raises(Conflict):
        await organizations.create(db, a_name(), taken)
    other = await organizations.create(db, a_name())
    with pytest.raises(Conflict):
        await organizations.change(db, other.organization_id, taken)
    assert await organizations.by_api_key(db, organization.api_keys[0]) == organization


async def test_two_that_want_one_key_at_once(db: Database) -> None:
    wanted = Details(api_keys=(uuid4().hex,))
    made = await asyncio.gather(*(organizations.create(db, a_name(), wanted) for _ in range(4)), return_exceptions=True)
    assert sorted(type(each).__name__ for each in made) == ["Conflict"] * 3 + ["Organization"]


async def test_an_account_is_of_one_organization(
    db: Database, desk: Desk, new_desk: NewDesk, organization: Organization
) -> None:
    first, second = organization.organization_id, (await organizations.create(db, a_name())).organization_id
    stranger = await new_desk()
    await organizations.add_account(db, first, desk.account_id)
    assert await organizations.holds(db, first, desk.account_id)
    await organizations.add_account(db, second, desk.account_id)
    assert not await organizations.holds(db, first, desk.account_id)
    assert await organizations.holds(db, second, desk.account_id)
    assert not await organizations.holds(db, second, stranger.account_id)
    assert not await organizations.holds(db, second, 2**62)
    for unknown in ((2**62, desk.account_id), (first, 2**62)):
        with pytest.raises(NotFound):
            await organizations.add_account(db, *unknown)


async def test_who_may_open_sessions_for_its_accounts(db: Database, desk: Desk, organization: Organization) -> None:
    """Contract convio.md 3.1: getSingleSignOnToken needs an API administrator."""
    name, its_id = uuid4().hex, organization.organization_id
    user = await principals.create_user(db, desk.account_id, name, "secret")
    with pytest.raises(Forbidden):
        await organizations.require_administrator(db, its_id, user)
    for _ in range(2):
        await organizations.add_administrator(db, its_id, user)
    await organizations.require_administrator(db, its_id, user)
    assert await organizations.administrators(db, its_id) == [name]
    await organizations.remove_administrator(db, its_id, user)
    with pytest.raises(Forbidden):
        await organizations.require_administrator(db, its_id, user)
    with pytest.raises(NotFound):
        await organizations.remove_administrator(db, its_id, user)
    for unknown in ((2**62, user), (its_id, uuid4())):
        with pytest.raises(NotFound):
            await organizations.add_administrator(db, *unknown)


async def test_an_administrator_acts_in_its_accounts(db: Database, desk: Desk, organization: Organization) -> None:
    """Contract convio.md 5: addAddressBookContact for a constituent; in no other account, and nobody else."""
    its_id = organization.organization_id
    home = await accounts.create(db, "administration")
    user = await principals.create_user(db, home.account_id, uuid4().hex, "secret", [])
    administrator = Principal(user, home.account_id, frozenset())
    await organizations.add_account(db, its_id, desk.account_id)
    with pytest.raises(Forbidden):
        await organizations.acting_for(db, its_id, administrator, desk.account_id)
    await organizations.add_administrator(db, its_id, user)
    acting = await organizations.acting_for(db, its_id, administrator, desk.account_id)
    assert acting == Principal(user, desk.account_id, frozenset(Privilege))
    for elsewhere in (home.account_id, 0, 2**62):
        with pytest.raises(NotFound):
            await organizations.acting_for(db, its_id, administrator, elsewhere)


@pytest.mark.parametrize(
    ("address", "admitted"),
    [
        ("192.0.2.7", True),
        ("::ffff:192.0.2.7", True),
        ("192.0.3.7", False),
        ("2001:db8::1", True),
        ("2001:db9::1", False),
        ("", False),
        ("192.0.2", False),
        ("localhost", False),
    ],
)
async def test_callers_come_from_its_networks(
    db: Database, organization: Organization, address: str, admitted: bool
) -> None:
    """Contract convio.md 3, 6: a filter of addresses, when one is set."""
    assert organization.admits(address)
    filtered = await organizations.change(
        db, organization.organization_id, Details(networks=("192.0.2.0/24", "2001:db8::/32"))
    )
    assert filtered.admits(address) is admitted


async def test_browsers_are_sent_to_its_hosts_only(db: Database, organization: Organization) -> None:
    """Contract convio.md 8."""
    assert not organization.redirects_to("www.example.org")
    open_to = await organizations.change(db, organization.organization_id, Details(redirect_hosts=("WWW.example.org",)))
    assert open_to.redirects_to("www.EXAMPLE.org")
    assert not any(map(open_to.redirects_to, ("", "example.org", "evil.www.example.org", "www.example.org.evil.test")))
