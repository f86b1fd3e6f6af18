"""The commands `muster list`, `muster event` and `muster field`: what some wire formats know of and cannot make.

They act on the database, not over HTTP.
"""

from datetime import UTC, datetime
from typing import Annotated

import typer

from deploy.administration import AccountOption
from deploy.surroundings import OUTPUT, TERMINAL, in_account
from engine import events, fields
from engine.fields import Definition
from engine.sets import catalog
from engine.sets.catalog import SetKind

list_commands = typer.Typer(no_args_is_help=True, help="Contact lists: groups, subscription groups, contact lists.")
event_commands = typer.Typer(no_args_is_help=True, help="Events, to which contacts are invited.")
field_commands = typer.Typer(no_args_is_help=True, help="Custom fields, of everybody or of the members of one list.")

NameArgument = Annotated[str, typer.Argument(help="What to call it.", show_default=False)]
#: Of events; without an offset they are UTC.
TimeOption = Annotated[
    datetime | None,
    typer.Option(formats=["%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"], help="As 2026-05-01T18:00:00+02:00."),
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
    said = events.Details(name, code, _moment(starts_at), _moment(ends_at))
    made = in_account(account, lambda tx: events.create(tx, said))
    TERMINAL.print(f"Event {made.name} has the number", markup=False)
    OUTPUT.print(made.set_no)


@field_commands.command("create")
def create_field(
    account: AccountOption,
    label: NameArgument,
    type_: Annotated[fields.Type, typer.Option("--type", help="What its values are.")] = "string",
    list_: Annotated[int | None, typer.Option("--list", help="Number of the list whose members have it.")] = None,
    choices: Annotated[list[str] | None, typer.Option("--choice", help="A possible value; repeat for more.")] = None,
    property_: Annotated[
        fields.Property | None,
        typer.Option("--property", help="What of the contact a list's field is another name of."),
    ] = None,
) -> None:
    """Make a custom field; prints its number."""
    said = Definition(label, type_, list_, tuple(choices or ()), property=property_)
    made = in_account(account, lambda tx: fields.create(tx, said))
    TERMINAL.print(f"Field {made.label} has the number", markup=False)
    OUTPUT.print(made.field_no)


def _moment(given: datetime | None) -> datetime | None:
    return given.replace(tzinfo=UTC) if given is not None and given.tzinfo is None else given
