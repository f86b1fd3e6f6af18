"""The commands `muster account` and `muster token`: they act on the database, not over HTTP."""

from typing import Annotated
from uuid import UUID

import typer
from rich.markup import escape
from rich.table import Column, Table

from deploy.surroundings import OUTPUT, TERMINAL, on_database
from engine import accounts, organizations, principals
from engine.database import Database
from engine.principals import Privilege

account_commands = typer.Typer(
    no_args_is_help=True,
    help="Accounts: the tenants. Every list, contact and activity belongs to one.",
)
token_commands = typer.Typer(
    no_args_is_help=True,
    help="Tokens: what callers of the API show. Only a hash of a token is stored.",
)

AccountOption = Annotated[
    int, typer.Option("--account", min=1, max=2**63 - 1, help="Number of the account.", show_default=False)
]
PrivilegeOption = Annotated[
    list[Privilege] | None,
    typer.Option("--privilege", help="What it may do; repeat for several. By default everything."),
]


@account_commands.command("create")
def create_account(
    name: Annotated[str, typer.Argument(help="What to call it.", show_default=False)],
    organization: Annotated[
        str | None, typer.Option("--organization", help="Name of the organization it belongs to.", show_default=False)
    ] = None,
) -> None:
    """Make an account; prints its number.

    Uses DATABASE_URL, else the stack that runs on MUSTER_DATA, else starts
    the embedded PostgreSQL for a moment.
    """
    account = on_database(lambda db: _create_account(db, name, organization))
    TERMINAL.print(f"Account {account.name} has the number", markup=False)
    OUTPUT.print(account.account_id)


@account_commands.command("list")
def list_accounts() -> None:
    """Show all accounts: their numbers, names and organizations."""
    table = Table(Column("number", justify="right"), "name", "organization", "created", box=None, pad_edge=False)
    found, names = on_database(_list_accounts)
    for account in found:
        organization = names[account.organization_id] if account.organization_id else ""
        table.add_row(
            str(account.account_id), escape(account.name), organization, f"{account.created_at:%Y-%m-%d %H:%M}"
        )
    OUTPUT.print(table)


@token_commands.command("create")
def create_token(
    account: AccountOption,
    name: Annotated[str, typer.Option("--name", help="Who will use it, for people.")] = "token",
    privilege: PrivilegeOption = None,
) -> None:
    """Make a token for an account; prints it this once."""
    token = on_database(lambda db: principals.create_token(db, account, name, privilege or list(Privilege)))
    TERMINAL.print("This token is shown only now:")
    OUTPUT.print(token, markup=False)


@token_commands.command("list")
def list_tokens(account: AccountOption) -> None:
    """Show an account's tokens: their ids, names, last characters and privileges."""
    table = Table(
        Column("id", no_wrap=True), "name", "ends with", "created", "works", "privileges", box=None, pad_edge=False
    )
    for token in on_database(lambda db: principals.list_tokens(db, account)):
        works = "no" if token.revoked_at else f"until {token.expires_at:%Y-%m-%d}" if token.expires_at else "yes"
        created = f"{token.created_at:%Y-%m-%d %H:%M}"
        table.add_row(
            str(token.principal_id), escape(token.name), token.hint, created, works, " ".join(token.privileges)
        )
    OUTPUT.print(table)


@token_commands.command("revoke")
def revoke_token(
    token_id: Annotated[UUID, typer.Argument(help="The id that `muster token list` shows.", show_default=False)],
) -> None:
    """Make a token useless. API processes may remember it for MUSTER_TOKEN_CACHE_SECONDS."""
    on_database(lambda db: principals.revoke_token(db, token_id))
    TERMINAL.print(f"Revoked {token_id}")


async def _create_account(db: Database, name: str, organization: str | None) -> accounts.Account:
    # Asked first: an account that is made for one that does not exist would be in nobody's way, and in none.
    parent = await organizations.find(db, organization) if organization else None
    account = await accounts.create(db, name)
    if parent:
        await organizations.add_account(db, parent.organization_id, account.account_id)
    return account


async def _list_accounts(db: Database) -> tuple[list[accounts.Account], dict[int, str]]:
    names = {each.organization_id: each.name for each in await organizations.everyone(db)}
    return [account async for account in accounts.everyone(db)], names
