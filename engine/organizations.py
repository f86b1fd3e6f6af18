"""Organizations: accounts that are reached under one name and one public key (contract convio.md 1, 3, 8).

A key is not secret: it says which organization is meant, and nothing of who asks. These tables have no wall, because
they are needed before an account is known.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Self
from uuid import UUID

import asyncpg

from engine import accounts
from engine.database import Database, Transaction
from engine.errors import Conflict, Forbidden, Invalid, NameTaken, NotFound, Unauthorized
from engine.principals import Principal, Privilege, secrets
from engine.principals.grants import create_principal
from engine.sets.catalog import name_key

#: An organization's name is a part of paths.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")
#: Without what clients do not send as it is (contract convio.md 9).
API_KEY = re.compile(r"""(?:(?![&:\\"'?=])[!-~]){1,64}""")
HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
#: Keys of an organization: that in use, and that which takes its place.
MOST_KEYS = 2
#: What the principal is called that is made for an account without users.
OWNER = "owner"


class Digest(StrEnum):
    """How redirects are signed."""

    MD5 = "md5"
    SHA1 = "sha1"


@dataclass(frozen=True, slots=True)
class Details:
    """What can be said of an organization; None leaves it as it is, or has a new one made up.

    api_keys: one or two. redirect_hosts: where browsers may be sent. redirect_secret: what signatures of redirects are
    made with. networks: where its callers are, as CIDR; everywhere when there is none.
    """

    api_keys: tuple[str, ...] | None = None
    redirect_hosts: tuple[str, ...] | None = None
    redirect_secret: str | None = field(default=None, repr=False)
    redirect_digest: Digest | None = None
    networks: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Organization:
    """A number of accounts under one name and one public key."""

    organization_id: int
    name: str
    api_keys: tuple[str, ...]
    redirect_hosts: frozenset[str]
    redirect_secret: str = field(repr=False)
    redirect_digest: Digest
    networks: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def of(cls, row: asyncpg.Record) -> Self:
        return cls(
            row["organization_id"],
            row["name"],
            tuple(row["api_keys"]),
            frozenset(row["redirect_hosts"]),
            row["redirect_secret"],
            Digest(row["redirect_digest"]),
            tuple(row["networks"]),
        )

    def admits(self, address: str) -> bool:
        """Whether a caller with this IP address may come in."""
        if not self.networks:
            return True
        try:
            caller = ip_address(address)
        except ValueError:
            return False
        caller = getattr(caller, "ipv4_mapped", None) or caller
        return any(caller in network for network in self.networks)

    def redirects_to(self, host: str) -> bool:
        """Whether browsers may be sent to this host."""
        return host.lower() in self.redirect_hosts


async def create(db: Database, name: str, details: Details | None = None) -> Organization:
    """A new organization. Raises Invalid, NameTaken, and Conflict when another has one of the keys."""
    if not NAME.fullmatch(name):
        raise Invalid("an organization's name has 1 to 63 letters, digits, points, underscores and hyphens")
    details = details or Details()
    complete = replace(
        details,
        api_keys=details.api_keys or (secrets.new_key_id(),),
        redirect_secret=details.redirect_secret or secrets.new_secret(),
    )
    async with db.everywhere() as tx:
        await tx.all("lock_organizations")
        if await tx.one("organization_of_name", name_key=name_key(name)):
            raise NameTaken(f"another organization is named {name!r}")
        organization_id = await tx.value("create_organization", name=name, name_key=name_key(name))
        return await _write(tx, organization_id, complete)


async def change(db: Database, organization_id: int, details: Details) -> Organization:
    """Says something else of an organization. Raises NotFound, Invalid, and Conflict when another has such a key."""
    async with db.everywhere() as tx:
        await tx.all("lock_organizations")
        return await _write(tx, organization_id, details)


async def find(db: Database, name: str) -> Organization:
    """The organization with this name, whatever its case. Raises NotFound."""
    async with db.everywhere() as tx:
        row = await tx.one("organization_of_name", name_key=name_key(name)) if NAME.fullmatch(name.strip()) else None
    if row is None:
        raise NotFound(f"there is no organization {name!r}")
    return Organization.of(row)


async def by_api_key(db: Database, api_key: str) -> Organization:
    """The organization that has this key. Raises Unauthorized."""
    async with db.everywhere() as tx:
        row = await tx.one("organization_of_key", api_key=api_key) if API_KEY.fullmatch(api_key) else None
    if row is None:
        raise Unauthorized("Unauthorized")
    return Organization.of(row)


async def everyone(db: Database) -> list[Organization]:
    """All organizations, by number."""
    async with db.everywhere() as tx:
        return [Organization.of(row) for row in await tx.all("organizations")]


async def add_account(db: Database, organization_id: int, account_id: int) -> None:
    """Puts an account into an organization, and takes it out of any other. Raises NotFound."""
    async with db.everywhere() as tx:
        if not await tx.value("is_organization", organization_id=organization_id):
            raise NotFound(f"there is no organization {organization_id}")
    async with db.account(account_id) as tx:
        if not await tx.run("put_into_organization", organization_id=organization_id):
            raise NotFound(f"there is no account {account_id}")


async def holds(db: Database, organization_id: int, account_id: int) -> bool:
    """Whether the account is one of the organization's."""
    async with db.account(account_id) as tx:
        return bool(await tx.value("organization_of_account") == organization_id)


async def owner(db: Database, account_id: int) -> UUID:
    """The principal who acts when the account does: its oldest user, made without a login if there is none.

    Raises NotFound.
    """
    await accounts.find(db, account_id)
    async with db.account(account_id) as tx:
        await tx.all("lock_names")
        found: UUID | None = await tx.value("owner_of_account", grant_account=account_id)
        return found or await create_principal(tx, "user", OWNER, account_id, Privilege)


async def add_administrator(db: Database, organization_id: int, principal_id: UUID) -> None:
    """Lets a user open sessions for the organization's accounts. Raises NotFound."""
    try:
        async with db.everywhere() as tx:
            await tx.run("add_administrator", organization_id=organization_id, principal_id=principal_id)
    except asyncpg.ForeignKeyViolationError:
        raise NotFound(f"there is no organization {organization_id}, or no user {principal_id}") from None


async def remove_administrator(db: Database, organization_id: int, principal_id: UUID) -> None:
    """Raises NotFound when the user is none."""
    async with db.everywhere() as tx:
        if not await tx.run("remove_administrator", organization_id=organization_id, principal_id=principal_id):
            raise NotFound("this user is no administrator of the organization")


async def require_administrator(db: Database, organization_id: int, principal_id: UUID) -> None:
    """Raises Forbidden unless the user may open sessions for the organization's accounts."""
    async with db.everywhere() as tx:
        if not await tx.value("is_administrator", organization_id=organization_id, principal_id=principal_id):
            raise Forbidden("this needs an administrator of the organization")


async def acting_for(db: Database, organization_id: int, administrator: Principal, account_id: int) -> Principal:
    """An administrator in an account of the organization, where it may do what the account's owner may.

    Raises Forbidden when it is no administrator, and NotFound when the account is none of the organization's.
    """
    await require_administrator(db, organization_id, administrator.principal_id)
    if not await holds(db, organization_id, account_id):
        raise NotFound(f"there is no account {account_id} in organization {organization_id}")
    return replace(administrator, account_id=account_id, privileges=frozenset(Privilege))


async def administrators(db: Database, organization_id: int) -> list[str]:
    """The names of those who may open sessions for the organization's accounts."""
    async with db.everywhere() as tx:
        return [row["name"] for row in await tx.all("administrators", organization_id=organization_id)]


async def _write(tx: Transaction, organization_id: int, details: Details) -> Organization:
    row = await tx.one(
        "change_organization",
        organization_id=organization_id,
        api_keys=None if details.api_keys is None else _api_keys(details.api_keys),
        redirect_hosts=None if details.redirect_hosts is None else _hosts(details.redirect_hosts),
        redirect_secret=None if details.redirect_secret is None else _secret(details.redirect_secret),
        redirect_digest=details.redirect_digest,
        networks=None if details.networks is None else _networks(details.networks),
    )
    if row is None:
        raise NotFound(f"there is no organization {organization_id}")
    if await tx.value("has_key_of_another", organization_id=organization_id):
        raise Conflict("another organization has one of these keys")
    return Organization.of(row)


def _api_keys(keys: Iterable[str]) -> list[str]:
    several = list(dict.fromkeys(keys))
    if not 1 <= len(several) <= MOST_KEYS or not all(map(API_KEY.fullmatch, several)):
        raise Invalid(
            "an organization has one or two keys, each of 1 to 64 visible ASCII characters but & : \\ \" ' ? ="
        )
    return several


def _hosts(hosts: Iterable[str]) -> list[str]:
    several = [host.lower() for host in dict.fromkeys(hosts)]
    if wrong := [host for host in several if not HOST.fullmatch(host)]:
        raise Invalid(f"{wrong[0]!r} is no name of a host, as www.example.org")
    return several


def _secret(secret: str) -> str:
    if not secret or not secret.isprintable():
        raise Invalid("a secret has printable characters")
    return secret


def _networks(networks: Iterable[str]) -> list[IPv4Network | IPv6Network]:
    try:
        return [ip_network(network) for network in networks]
    except ValueError as error:
        raise Invalid(f"{error}: networks are as 192.0.2.0/24") from None
