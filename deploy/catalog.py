"""The commands `muster list`, `muster event` and `muster field`: what some wire formats know of and cannot make.

They act on the database, not over HTTP.
"""

from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from deploy.administration import AccountOption
from deploy.surroundings import OUTPUT, TERMINAL, in_account
from engine import events, fields
from engine.database import Transaction
from engine.errors import Invalid, NotFound
from engine.fields import Definition
from engine.sets import catalog
from engine.sets.catalog import SetKind

list_commands = typer.Typer(no_args_is_help=True, help="Contact lists: groups, subscription groups, contact lists.")
event_commands = typer.Typer(no_args_is_help=True, help="Events, to which contacts are invited.")
field_commands = typer.Typer(no_args_is_help=True, help="Custom fields, of everybody or of the members of one list.")

NameArgument = Annotated[str, typer.Argument(help="What to call it.", show_default=False)]


def _moment(text: str) -> datetime:
    """A time of an event. Raises Invalid without an offset: nobody could say which hour is meant."""
    with suppress(ValueError):
        if (moment := datetime.fromisoformat(text)).tzinfo is not None:
            return moment
    raise Invalid(f"{text!r} is no time with its offset, as 2026-05-01T18:00:00+02:00 is")


TimeOption = Annotated[
    datetime | None,
    typer.Option(parser=_moment, metavar="TIME", help="With its offset, as 2026-05-01T18:00:00+02:00."),
]


@list_commands.command("create")
def create_list(account: AccountOption, name: NameArgument) -> None:
    """Make a list; prints its number and its id."""
    made = in_account(account, lambda tx: catalog.create(tx, SetKind.LIST, name))
    TERMINAL.print(f"List {made.name} has this number, and this id in v3:", markup=False)
    OUTPUT.print(made.set_no, made.set_id)


@event_commands.command("create")
def create_event(
    account: AccountOption,
    name: NameArgument,
    code: Annotated[str | None, typer.Option(help="A short name of the account's own.")] = None,
    starts_at: TimeOption = None,
    ends_at: TimeOption = None,
) -> None:
    """Make an event; prints its number."""
    said = events.Details(name, code, starts_at, ends_at)
    made = in_account(account, lambda tx: events.create(tx, said))
    TERMINAL.print(f"Event {made.name} has the number", markup=False)
    OUTPUT.print(made.set_no)


@field_commands.command("create")
def create_field(
    account: AccountOption,
    label: NameArgument,
    type_: Annotated[fields.Type, typer.Option("--type", help="What its values are.")] = "string",
    list_: Annotated[
        str | None, typer.Option("--list", help="The list whose members have it: its number, its id or its name.")
    ] = None,
    choices: Annotated[list[str] | None, typer.Option("--choice", help="A possible value; repeat for more.")] = None,
    property_: Annotated[
        fields.Property | None,
        typer.Option("--property", help="What of the contact a list's field is another name of."),
    ] = None,
) -> None:
    """Make a custom field; prints its number."""
    said = Definition(label, type_, choices=tuple(choices or ()), property=property_)
    made = in_account(account, lambda tx: _make_field(tx, said, list_))
    TERMINAL.print(f"Field {made.label} has the number", markup=False)
    OUTPUT.print(made.field_no)


async def _make_field(tx: Transaction, said: Definition, list_: str | None) -> fields.Field:
    set_no = None if list_ is None else await _list_no(tx, list_)
    return await fields.create(tx, replace(said, set_no=set_no))


async def _list_no(tx: Transaction, said: str) -> int:
    """The number of the list with this number, else with this id, else with this name. Raises NotFound."""
    if said.isascii() and said.isdigit():
        return (await catalog.find_number(tx, SetKind.LIST, int(said))).set_no
    with suppress(ValueError):
        return (await catalog.find(tx, SetKind.LIST, UUID(said))).set_no
    for found in (await catalog.by_names(tx, SetKind.LIST, [said])).values():
        return found.set_no
    raise NotFound(f"there is no list named {said!r}")
