"""Accounts: the tenants. Every row of every table behind the wall belongs to one."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime

from engine.database import Database, Transaction
from engine.errors import Invalid, NotFound
from engine.sets import catalog

#: What comes by the clock in every account (engine/activities/clock.py).
SCHEDULED = ("retention",)


@dataclass(frozen=True, slots=True)
class Account:
    """One tenant."""

    account_id: int
    name: str
    created_at: datetime
    organization_id: int | None


@dataclass(frozen=True, slots=True)
class Secret:
    """What an account makes ids and links with that must not be guessed. Nobody outside ever sees it."""

    account_id: int
    key: bytes = field(repr=False)


async def create(db: Database, name: str) -> Account:
    """A new account with its system sets and what comes by the clock."""
    if not name.strip() or "\0" in name:
        raise Invalid("an account needs a name")
    async with db.everywhere() as tx:
        account_id = await tx.value("next_account_id")
    async with db.account(account_id) as tx:
        row = await tx.one("create_account", name=name.strip())
        assert row is not None
        await catalog.create_system_sets(tx)
        await tx.run("create_schedules", kinds=SCHEDULED)
    return Account(**row)


async def find(db: Database, account_id: int) -> Account:
    """The account with this number. Raises NotFound."""
    async with db.account(account_id) as tx:
        row = await tx.one("account")
    if row is None:
        raise NotFound(f"there is no account {account_id}")
    return Account(**row)


async def secret(tx: Transaction) -> Secret:
    """The account's secret. Raises NotFound when there is no such account."""
    key = await tx.value("account_secret")
    if key is None:
        raise NotFound(f"there is no account {tx.account_id}")
    return Secret(tx.account_id, key)


async def everyone(db: Database) -> AsyncIterator[Account]:
    """All accounts, by number. Each is asked for behind its own wall, so this is nothing for requests."""
    async with db.everywhere() as tx:
        rows = await tx.all("account_ids")
    for row in rows:
        yield await find(db, row["account_id"])


async def last_contact_number(tx: Transaction) -> int:
    """The greatest contact number handed out so far."""
    return int(await tx.value("last_contact_number"))


async def reserve_contact_numbers(db: Database, account_id: int, count: int) -> int:
    """Hands out `count` contact numbers in a row; answers the first. Numbers that stay unused are gaps."""
    async with db.account(account_id) as tx:
        return int(await tx.value("reserve_contact_numbers", count=count))
