"""The commands `muster hook`: they act on the database, not over HTTP."""

from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Column, Table

from deploy.administration import AccountOption
from deploy.surroundings import OUTPUT, TERMINAL, in_account, surroundings
from engine import hooks
from engine.addresses import NOT_PUBLIC, names_private

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
    made = in_account(account, lambda tx: hooks.create(tx, name, url))
    TERMINAL.print(f"Hook {made.name} has this number, and this secret, which is shown only now:", markup=False)
    OUTPUT.print(made.hook_no, made.secret, markup=False)
    # No refusal: the workers, who make the calls, may be of other settings.
    if names_private(url) and not surroundings().settings.hooks_to_private_addresses:
        TERMINAL.print(f"Workers with the same settings do not call it: {NOT_PUBLIC}", markup=False)


@hook_commands.command("list")
def list_hooks(account: AccountOption) -> None:
    """Show an account's hooks."""
    table = Table(Column("id", no_wrap=True), "name", "url", "created", box=None, pad_edge=False)
    for hook in in_account(account, lambda tx: hooks.page(tx, limit=MOST)):
        table.add_row(str(hook.hook_no), escape(hook.name), escape(hook.url), f"{hook.created_at:%Y-%m-%d %H:%M}")
    OUTPUT.print(table)


@hook_commands.command("delete")
def delete_hook(
    account: AccountOption,
    hook_id: Annotated[int, typer.Argument(help="The id that `muster hook list` shows.", show_default=False)],
) -> None:
    """Delete a hook; calls of it that were not made yet are given up."""
    in_account(account, lambda tx: hooks.delete(tx, hook_id))
    TERMINAL.print(f"Deleted hook {hook_id}")
