"""The commands that work on an account's contacts, lists and activities: they only speak HTTP, to any Muster."""

import asyncio
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from api.client import Activity, Client, ClientError
from deploy.surroundings import OUTPUT, TERMINAL, open_client
from engine.errors import Invalid
from engine.operations import OPERATIONS
from engine.operations.contacts_import import ContactsFileImport

activity_commands = typer.Typer(
    no_args_is_help=True,
    help="Activities: bulk work on contacts. Talks to the API at --url with --token.",
)

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", envvar="MUSTER_URL", help="The API; by default the stack on MUSTER_DATA.", show_default=False
    ),
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        "--token",
        envvar="MUSTER_TOKEN",
        help="The account's token; by default that of `muster up`.",
        show_default=False,
    ),
]
#: What can be submitted as JSON; a file is sent by `muster import`.
KINDS = sorted(kind for kind in OPERATIONS if kind != ContactsFileImport.kind)
#: Errors that are printed of an activity.
MOST_SHOWN = 20

ActivityArgument = Annotated[str, typer.Argument(metavar="ACTIVITY_ID", show_default=False)]


@activity_commands.command("submit")
def submit(
    kind: Annotated[str, typer.Argument(help="Its path, such as add_list_memberships.", show_default=False)],
    body: Annotated[str, typer.Argument(help="JSON, @FILE, or - for standard input.")] = "-",
    watch: Annotated[bool, typer.Option("--watch", help="Stay until it has ended.")] = False,  # noqa: FBT002
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Submit an activity of a kind; prints what the API answers.

    For example:

    muster activity submit add_list_memberships
    '{"source": {"all_active_contacts": true}, "list_ids": ["…"]}'
    """
    if kind not in KINDS:
        raise Invalid(f"there is no kind {kind!r}; there are {', '.join(KINDS)}")
    activity = asyncio.run(_submit(kind, _read_json(body), url, token))
    OUTPUT.print_json(data=activity.model_dump(mode="json", exclude_none=True))
    if watch:
        asyncio.run(_watch(activity.activity_id, url, token))


@activity_commands.command("watch")
def watch(activity_id: ActivityArgument, url: UrlOption = None, token: TokenOption = None) -> None:
    """Show an activity's progress until it has ended; exits with 1 unless it completed."""
    asyncio.run(_watch(activity_id, url, token))


@activity_commands.command("list")
def list_activities(
    state: Annotated[
        str | None,
        typer.Option(help="Only processing, completed, cancelled, failed or timed_out.", show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=500, help="How many, newest first.")] = 20,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Show the account's latest activities."""
    query = {"limit": str(limit)} | ({"state": state} if state else {})
    names = ("activity", "state", "created")
    figures = (Column(name, justify="right", no_wrap=True) for name in ("errors", "changed"))
    table = Table(*(Column(name, no_wrap=True) for name in names), *figures, box=None, pad_edge=False)
    for activity in asyncio.run(_list(query, url, token)):
        changed = "" if activity.changed_count is None else f"{activity.changed_count:,}"
        errors = "" if activity.error_count is None else f"{activity.error_count:,}"
        table.add_row(
            activity.activity_id,
            f"{activity.state} {activity.percent_done} %" if activity.state == "processing" else activity.state,
            activity.created_at[5:16].replace("T", " "),
            errors,
            changed,
        )
    OUTPUT.print(table)


@activity_commands.command("cancel")
def cancel(activity_id: ActivityArgument, url: UrlOption = None, token: TokenOption = None) -> None:
    """Cancel an activity that has not ended; what it did until then stays, and is counted."""
    asyncio.run(_post(f"/activities/{activity_id}/cancel", url, token))


@activity_commands.command("retry")
def retry(activity_id: ActivityArgument, url: UrlOption = None, token: TokenOption = None) -> None:
    """Submit an ended activity again, as a new one that is linked to it."""
    asyncio.run(_post(f"/activities/{activity_id}/retry", url, token))


def import_file(
    file: Annotated[Path, typer.Argument(help="A CSV file with an `email` column.", exists=True, dir_okay=False)],
    lists: Annotated[
        list[str],
        typer.Option("--list", help="List to put the contacts on, made if missing; repeat for several."),
    ],
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Import contacts from a CSV file, and watch until it is done.

    The first line names the columns: email, first_name, last_name,
    job_title, company_name, phone, birthday_month, birthday_day,
    anniversary, street, city, state, zip and country. Rows with errors are
    left out and told; the exit code is 0 whenever the import completed.
    """
    asyncio.run(_import(file, file.stat().st_size, lists, url, token))


def export_file(
    file: Annotated[Path, typer.Argument(help="The CSV file to write.", dir_okay=False, writable=True)],
    lists: Annotated[
        list[str] | None, typer.Option("--list", help="Only who is on this list; repeat for several.")
    ] = None,
    status: Annotated[
        str | None, typer.Option(help="Only active, unsubscribed or removed contacts.", show_default=False)
    ] = None,
    fields: Annotated[
        list[str] | None, typer.Option("--field", help="A column, such as email_address; repeat for several.")
    ] = None,
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Export contacts to a CSV file: all of them, or those of lists.

    Without --field the file has every column, and every custom field.
    """
    asyncio.run(_export(file, lists or [], {"status": status, "fields": fields}, url, token))


def list_lists(url: UrlOption = None, token: TokenOption = None) -> None:
    """Show the account's lists, with how many contacts are on each."""
    query = {"limit": "1000", "include_membership_count": "all"}
    _show_sets(asyncio.run(_each("/contact_lists", query, url, token)), "list_id", "membership_count")


def list_tags(url: UrlOption = None, token: TokenOption = None) -> None:
    """Show the account's tags, with how many contacts have each."""
    query = {"limit": "500", "include_count": "true"}
    _show_sets(asyncio.run(_each("/contact_tags", query, url, token)), "tag_id", "contacts_count")


def _show_sets(sets: list[Any], id_name: str, count: str) -> None:
    contacts = Column("contacts", justify="right", no_wrap=True)
    table = Table(Column(id_name, no_wrap=True), contacts, "name", box=None, pad_edge=False)
    for each in sets:
        table.add_row(each[id_name], f"{each[count]:,}", escape(each["name"]))
    OUTPUT.print(table)


async def _submit(kind: str, body: Any, url: str | None, token: str | None) -> Activity:
    async with open_client(url, token) as client:
        return await client.submit(kind, body)


async def _watch(activity_id: str, url: str | None, token: str | None) -> None:
    async with open_client(url, token) as client:
        await show(client, await client.activity(activity_id))


async def _each(path: str, query: dict[str, str], url: str | None, token: str | None) -> list[Any]:
    async with open_client(url, token) as client:
        return [item async for item in client.each(path, **query)]


async def _list(query: dict[str, str], url: str | None, token: str | None) -> list[Activity]:
    async with open_client(url, token) as client:
        answer = await client.get("/activities", **query)
    return [Activity.model_validate(activity) for activity in answer["activities"]]


async def _post(path: str, url: str | None, token: str | None) -> None:
    async with open_client(url, token) as client:
        OUTPUT.print_json(data=await client.post(path))


async def _import(file: Path, size: int, lists: list[str], url: str | None, token: str | None) -> None:
    async with open_client(url, token) as client:
        list_ids = [await client.list_named(name) for name in lists]
        with progress() as bars:
            bar = bars.add_task(f"Sending {file.name}", total=size)
            activity = await client.import_csv(file, list_ids, lambda sent, _: bars.update(bar, completed=sent))
        await show(client, activity)


async def _export(file: Path, lists: list[str], asked: dict[str, Any], url: str | None, token: str | None) -> None:
    body = {name: value for name, value in asked.items() if value}
    async with open_client(url, token) as client:
        if lists:
            body["list_ids"] = [await _list_id(client, name) for name in lists]
        activity = await client.submit("contact_exports", body)
        await show(client, activity)
        assert activity.file is not None
        with progress() as bars:
            bar = bars.add_task(f"Receiving {file.name}", total=None)
            await client.download(
                activity.file, file, lambda received, size: bars.update(bar, completed=received, total=size)
            )


async def _list_id(client: Client, name: str) -> str:
    """The list with this name. Raises Invalid when there is none."""
    found = (await client.get("/contact_lists", name=name))["lists"]
    if not found:
        raise Invalid(f"there is no list named {name!r}")
    return str(found[0]["list_id"])


async def show(client: Client, activity: Activity) -> None:
    """Shows the activity's progress, then how it ended; exits with 1 unless it completed."""
    try:
        ended = await follow(client, activity, f"Activity {activity.activity_id}")
    except ClientError as error:
        advice = f"the activity goes on; `muster activity watch {activity.activity_id}` shows it again"
        raise ClientError(f"{error}\n{advice}") from error
    for reason in ended.activity_errors[:MOST_SHOWN]:
        TERMINAL.print(f"  {reason}", markup=False)
    if (more := max(ended.error_count or 0, len(ended.activity_errors)) - MOST_SHOWN) > 0:
        TERMINAL.print(f"  … and {more:,} more: GET /v3/activities/{ended.activity_id}/errors", markup=False)
    counts = ", ".join(f"{name} {count:,}" for name, count in ended.status.items())
    TERMINAL.print(f"{ended.state}: {counts}", markup=False)
    if ended.state != "completed":
        raise typer.Exit(1)


async def follow(client: Client, activity: Activity, label: str) -> Activity:
    """Shows a bar until the activity is final; answers it as it then is."""
    with progress() as bars:
        bar = bars.add_task(label, total=100)
        async for latest in client.watch(activity.activity_id):
            bars.update(bar, completed=latest.percent_done)
            activity = latest
    return activity


def progress() -> Progress:
    """Live bars on the terminal."""
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeElapsedColumn(),
        console=TERMINAL,
    )


def _read_json(argument: str) -> Any:
    """The JSON that an argument holds, or names: @FILE, or - for standard input. Raises Invalid."""
    try:
        if argument == "-":
            return json.load(sys.stdin)
        return json.loads(Path(argument[1:]).read_bytes() if argument.startswith("@") else argument)
    except OSError as error:
        raise Invalid(f"cannot read {argument[1:]}: {error.strerror}") from error
    except ValueError as error:
        raise Invalid(f"the body is not JSON: {error}") from error
