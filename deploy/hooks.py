"""The commands `muster hook`: they act on the database, not over HTTP."""

import asyncio
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from deploy.administration import AccountOption
from deploy.surroundings import OUTPUT, TERMINAL, open_database, surroundings
from engine import accounts, hooks
from engine.hooks import Hook

hook_commands = typer.Typer(
    no_args_is_help=True,
    help="Hooks: addresses of other programs that are told of contacts. Each call is signed with the hook's secret.",
)

#: Hooks that are listed; more are seen page by page over the API.
MOST = 1000


@hook_commands.command("create")
def create_hook(
    account: AccountOption,
    name: Annotated[str, typer.Argument(help="What it is called by.", show_default=False)],
    url: Annotated[str, typer.Argument(help="Where it goes: http:// or https://.", show_default=False)],
) -> None:
    """Make a hook for an account; prints its number and, this once, its secret."""
    made = asyncio.run(_create(account, name, url))
    TERMINAL.print(f"Hook {made.name} has this number, and this secret, which is shown only now:", markup=False)
    OUTPUT.print(made.hook_no, made.secret, markup=False)


@hook_commands.command("list")
def list_hooks(account: AccountOption) -> None:
    """Show an account's hooks."""
    table = Table(Column("id", no_wrap=True), "name", "url", "created", box=None, pad_edge=False)
    for hook in asyncio.run(_list(account)):
        table.add_row(str(hook.hook_no), escape(hook.name), escape(hook.url), f"{hook.created_at:%Y-%m-%d %H:%M}")
    OUTPUT.print(table)


@hook_commands.command("delete")
def delete_hook(
    account: AccountOption,
    hook_id: Annotated[int, typer.Argument(help="The id that `muster hook list` shows.", show_default=False)],
) -> None:
    """Delete a hook; calls of it that were not made yet are given up."""
    asyncio.run(_delete(account, hook_id))
    TERMINAL.print(f"Deleted hook {hook_id}")


async def _create(account_id: int, name: str, url: str) -> Hook:
    async with open_database(surroundings()) as database:
        await accounts.find(database, account_id)
        async with database.account(account_id) as tx:
            return await hooks.create(tx, name, url)


async def _list(account_id: int) -> list[Hook]:
    async with open_database(surroundings()) as database:
        await accounts.find(database, account_id)
        async with database.account(account_id) as tx:
            return await hooks.page(tx, limit=MOST)


async def _delete(account_id: int, hook_id: int) -> None:
    async with open_database(surroundings()) as database, database.account(account_id) as tx:
        await hooks.delete(tx, hook_id)
