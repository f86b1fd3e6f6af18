"""The commands `muster user` and `muster key`: they act on the database, not over HTTP."""

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Column, Table

from deploy.administration import AccountOption, PrivilegeOption
from deploy.surroundings import OUTPUT, TERMINAL, on_database
from engine import principals
from engine.database import Database
from engine.errors import Conflict, Invalid, NotFound
from engine.principals import Privilege

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
    password, privileges = _asked_password(), privilege or list(Privilege)
    user_id = on_database(lambda db: principals.create_user(db, account, name, password, privileges))
    TERMINAL.print(f"User {name} has the id", markup=False)
    OUTPUT.print(user_id)


@user_commands.command("list")
def list_users(account: AccountOption) -> None:
    """Show who has access to an account: ids, names, whether it is their own account, privileges there."""
    table = Table(Column("id", no_wrap=True), "name", "own account", "created", "privileges", box=None, pad_edge=False)
    for user in on_database(lambda db: principals.list_users(db, account)):
        created = f"{user.created_at:%Y-%m-%d %H:%M}"
        own = "yes" if user.home else "no"
        table.add_row(str(user.principal_id), escape(user.name), own, created, " ".join(user.privileges))
    OUTPUT.print(table)


@user_commands.command("password")
def set_password(name: UserName) -> None:
    """Give a user another password, read from standard input, and end all sessions."""
    password = _asked_password()
    _with_user(name, lambda db, user_id: principals.set_password(db, user_id, password))
    TERMINAL.print(f"{name} has another password", markup=False)


@user_commands.command("grant")
def grant(name: UserName, account: AccountOption, privilege: PrivilegeOption = None) -> None:
    """Let a user do this, and nothing more, in an account: its own or another (shared access)."""
    privileges = privilege or list(Privilege)
    _with_user(name, lambda db, user_id: principals.grant(db, user_id, account, privileges))
    TERMINAL.print(f"{name} has access to account {account}", markup=False)


@user_commands.command("revoke")
def revoke(name: UserName, account: AccountOption) -> None:
    """Take a user's access to another account away. API processes may remember it for MUSTER_TOKEN_CACHE_SECONDS."""
    _with_user(name, lambda db, user_id: principals.revoke_grant(db, user_id, account))
    TERMINAL.print(f"{name} has no access to account {account} any more", markup=False)


@user_commands.command("remove")
def remove_user(name: UserName) -> None:
    """Take a user's name, sessions and access away; what it did stays as it is."""
    _with_user(name, principals.remove_user)
    TERMINAL.print(f"Removed {name}", markup=False)


@key_commands.command("create")
def create_key(
    account: AccountOption,
    name: Annotated[str, typer.Option("--name", help="Who will use it, for people.")] = "key",
    privilege: PrivilegeOption = None,
) -> None:
    """Make a signed key for an account; prints its id, and its secret this once."""
    key_id, secret = on_database(lambda db: principals.create_key(db, account, name, privilege or list(Privilege)))
    TERMINAL.print("The key and its secret, which is shown only now:")
    OUTPUT.print(f"{key_id}\n{secret}", markup=False)


@key_commands.command("list")
def list_keys(account: AccountOption) -> None:
    """Show an account's keys: their ids, names and privileges."""
    table = Table(Column("key", no_wrap=True), "name", "created", "works", "privileges", box=None, pad_edge=False)
    for key in on_database(lambda db: principals.list_keys(db, account)):
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
    on_database(lambda db: principals.revoke_key(db, account, key_id))
    TERMINAL.print(f"Revoked {key_id}", markup=False)


def _asked_password() -> str:
    """A password, typed twice on a terminal, or the first line of standard input: everybody can read arguments.

    Raises Invalid when there is none.
    """
    if sys.stdin.isatty():
        return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    password = sys.stdin.readline().removesuffix("\n").removesuffix("\r")
    if not password:
        raise Invalid("give the password on standard input: one line")
    return password


def _with_user(name: str, work: Callable[[Database, UUID], Awaitable[None]]) -> None:
    """Does something with the id of the user with this name."""
    on_database(lambda db: of_user(db, name, lambda user_id: work(db, user_id)))


async def of_user(db: Database, name: str, work: Callable[[UUID], Awaitable[None]]) -> None:
    """Does something with the id of the user with this name, by which it tells what is wrong.

    Raises as `find_user` and the work do.
    """
    try:
        await work(await principals.find_user(db, name))
    except (NotFound, Conflict) as error:
        raise type(error)(f"{name}: {error.message}") from error
