"""The commands `muster user` and `muster key`: they act on the database, not over HTTP."""

import asyncio
from collections.abc import Sequence
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Column, Table

from deploy import passwords
from deploy.administration import AccountOption, PrivilegeOption
from deploy.surroundings import OUTPUT, TERMINAL, open_database, surroundings
from engine import principals
from engine.principals import Key, Privilege, User

user_commands = typer.Typer(
    no_args_is_help=True,
    help="Users: who logs in by name and password. Passwords are read from standard input, or asked for.",
)
key_commands = typer.Typer(
    no_args_is_help=True,
    help="Signed keys: whoever has one signs requests with its secret, which is never sent.",
)

UserName = Annotated[str, typer.Argument(help="What the user logs in with, whatever its case.", show_default=False)]


@user_commands.command("create")
def create_user(name: UserName, account: AccountOption, privilege: PrivilegeOption = None) -> None:
    """Make a user, whose own account this is; prints its id. The password is read from standard input."""
    user_id = asyncio.run(_create_user(account, name, passwords.asked_for(), privilege or list(Privilege)))
    TERMINAL.print(f"User {name} has the id", markup=False)
    OUTPUT.print(user_id)


@user_commands.command("list")
def list_users(account: AccountOption) -> None:
    """Show who has access to an account: ids, names, whether it is their own account, privileges there."""
    table = Table(Column("id", no_wrap=True), "name", "own account", "created", "privileges", box=None, pad_edge=False)
    for user in asyncio.run(_list_users(account)):
        created = f"{user.created_at:%Y-%m-%d %H:%M}"
        own = "yes" if user.home else "no"
        table.add_row(str(user.principal_id), escape(user.name), own, created, " ".join(user.privileges))
    OUTPUT.print(table)


@user_commands.command("password")
def set_password(name: UserName) -> None:
    """Give a user another password, read from standard input, and end all sessions."""
    asyncio.run(_set_password(name, passwords.asked_for()))
    TERMINAL.print(f"{name} has another password", markup=False)


@user_commands.command("grant")
def grant(name: UserName, account: AccountOption, privilege: PrivilegeOption = None) -> None:
    """Let a user do this, and nothing more, in an account: its own or another (shared access)."""
    asyncio.run(_grant(name, account, privilege or list(Privilege)))
    TERMINAL.print(f"{name} has access to account {account}", markup=False)


@user_commands.command("revoke")
def revoke(name: UserName, account: AccountOption) -> None:
    """Take a user's access to another account away. API processes may remember it for MUSTER_TOKEN_CACHE_SECONDS."""
    asyncio.run(_revoke(name, account))
    TERMINAL.print(f"{name} has no access to account {account} any more", markup=False)


@user_commands.command("remove")
def remove_user(name: UserName) -> None:
    """Take a user's name, sessions and access away; what it did stays as it is."""
    asyncio.run(_remove_user(name))
    TERMINAL.print(f"Removed {name}", markup=False)


@key_commands.command("create")
def create_key(
    account: AccountOption,
    name: Annotated[str, typer.Option("--name", help="Who will use it, for people.")] = "key",
    privilege: PrivilegeOption = None,
) -> None:
    """Make a signed key for an account; prints its id, and its secret this once."""
    key_id, secret = asyncio.run(_create_key(account, name, privilege or list(Privilege)))
    TERMINAL.print("The key and its secret, which is shown only now:")
    OUTPUT.print(f"{key_id}\n{secret}", markup=False)


@key_commands.command("list")
def list_keys(account: AccountOption) -> None:
    """Show an account's keys: their ids, names and privileges."""
    table = Table(Column("key", no_wrap=True), "name", "created", "works", "privileges", box=None, pad_edge=False)
    for key in asyncio.run(_list_keys(account)):
        created = f"{key.created_at:%Y-%m-%d %H:%M}"
        table.add_row(
            key.key_id, escape(key.name), created, "no" if key.revoked_at else "yes", " ".join(key.privileges)
        )
    OUTPUT.print(table)


@key_commands.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key that `muster key list` shows.", show_default=False)],
    account: AccountOption,
) -> None:
    """Make a key useless. API processes may remember it for MUSTER_TOKEN_CACHE_SECONDS."""
    asyncio.run(_revoke_key(account, key_id))
    TERMINAL.print(f"Revoked {key_id}", markup=False)


async def _create_user(account_id: int, name: str, password: str, privileges: Sequence[Privilege]) -> UUID:
    async with open_database(surroundings()) as database:
        return await principals.create_user(database, account_id, name, password, privileges)


async def _list_users(account_id: int) -> list[User]:
    async with open_database(surroundings()) as database:
        return await principals.list_users(database, account_id)


async def _set_password(name: str, password: str) -> None:
    async with open_database(surroundings()) as database:
        await principals.set_password(database, await principals.find_user(database, name), password)


async def _grant(name: str, account_id: int, privileges: Sequence[Privilege]) -> None:
    async with open_database(surroundings()) as database:
        await principals.grant(database, await principals.find_user(database, name), account_id, privileges)


async def _revoke(name: str, account_id: int) -> None:
    async with open_database(surroundings()) as database:
        await principals.revoke_grant(database, await principals.find_user(database, name), account_id)


async def _remove_user(name: str) -> None:
    async with open_database(surroundings()) as database:
        await principals.remove_user(database, await principals.find_user(database, name))


async def _create_key(account_id: int, name: str, privileges: Sequence[Privilege]) -> tuple[str, str]:
    async with open_database(surroundings()) as database:
        return await principals.create_key(database, account_id, name, privileges)


async def _list_keys(account_id: int) -> list[Key]:
    async with open_database(surroundings()) as database:
        return await principals.list_keys(database, account_id)


async def _revoke_key(account_id: int, key_id: str) -> None:
    async with open_database(surroundings()) as database:
        await principals.revoke_key(database, account_id, key_id)
