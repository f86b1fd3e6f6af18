"""The commands that work on an account's contacts, lists and activities: they only speak HTTP, to any Muster."""

import asyncio
import json
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Column, Table

from api.client import Activity, Client, ClientError, Refused
from deploy.surroundings import OUTPUT, TERMINAL, open_client
from engine.errors import Invalid
from engine.imports import csv_file

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
#: Where activities are submitted, in paths as the API describes them.
ACTIVITIES = "/activities/"
#: In place of a file: standard input or output.
STANDARD = "-"
#: Errors that are printed of an activity.
MOST_SHOWN = 20

ActivityArgument = Annotated[str, typer.Argument(metavar="ACTIVITY_ID", show_default=False)]


@activity_commands.command("submit")
def submit(
    kind: Annotated[str, typer.Argument(help="Its path, such as add_list_memberships.", show_default=False)],
    body: Annotated[str, typer.Argument(help="JSON, @FILE, or - for standard input, which may be empty.")] = STANDARD,
    watch: Annotated[bool, typer.Option("--watch", help="Stay until it has ended.")] = False,  # noqa: FBT002
    url: UrlOption = None,
    token: TokenOption = None,
) -> None:
    """Submit an activity of a kind; prints what the API answers.

    For example:

    muster activity submit add_list_memberships
    '{"source": {"all_active_contacts": true}, "list_ids": ["…"]}'
    """
    answer = asyncio.run(_submit(kind, _read_json(body), url, token))
    OUTPUT.print_json(data=answer)
    if watch:
        asyncio.run(_watch(answer["activity_id"], url, token))


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
    anniversary, street, city, state, zip, country and more that /docs
    tells, and cf:NAME for the custom field NAME. Rows with errors are left
    out and told; the exit code is 0 whenever the import completed.
    """
    _check_csv(file)
    asyncio.run(_import(file, file.stat().st_size, lists, url, token))


def export_file(
    file: Annotated[
        Path,
        typer.Argument(
            help="The CSV file to write, or - for standard output.", dir_okay=False, writable=True, allow_dash=True
        ),
    ],
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
    with _target(file) as target:
        asyncio.run(_export(target, lists or [], {"status": status, "fields": fields}, url, token))


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


async def _submit(kind: str, body: Any, url: str | None, token: str | None) -> Any:
    """What the API answers. Raises Invalid when there is no such kind, telling those there are, or no body for it."""
    async with open_client(url, token) as client:
        try:
            return await client.post(ACTIVITIES + kind, body)
        except Refused as error:
            if kind in (kinds := await _kinds(client)):
                if body is None and error.status == HTTPStatus.UNSUPPORTED_MEDIA_TYPE:
                    raise Invalid(f"{kind} needs JSON: as an argument, as @FILE or on standard input") from error
                raise
            raise Invalid(f"there is no kind {kind!r} to submit as JSON; there are {', '.join(kinds)}") from error


async def _kinds(client: Client) -> list[str]:
    """What can be submitted without a file, as the API describes itself."""
    paths = (await client.get("/openapi.json"))["paths"]
    routes = {path.rpartition(ACTIVITIES)[2]: methods for path, methods in paths.items() if ACTIVITIES in path}
    return sorted(
        kind
        for kind, methods in routes.items()
        if "{" not in kind
        and "post" in methods
        and "multipart/form-data" not in methods["post"].get("requestBody", {}).get("content", {})
    )


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


def _check_csv(file: Path) -> None:
    """Whether the API would take the file, as far as its name and headings tell. Raises Invalid and InvalidImport."""
    if not file.is_file():
        raise Invalid(f"{file} is a pipe or the like: write it to a file that ends in .csv first")
    if file.suffix.lower() != ".csv":
        raise Invalid(f"{file} must have a name that ends in .csv")
    with file.open("rb") as stream:
        csv_file.read_header(stream, {})


@contextmanager
def _target(file: Path) -> Iterator[Path]:
    """What to write to: the file, or one whose content goes to standard output at the end. Raises Invalid."""
    if str(file) != STANDARD:
        if not file.exists() and not os.access(file.absolute().parent, os.W_OK):
            raise Invalid(f"cannot write {file}: {file.parent} is not a folder that may be written")
        yield file
        return
    with TemporaryDirectory() as folder:
        # A download that broke goes on in its file, which a pipe does not allow.
        whole = Path(folder) / "contacts.csv"
        yield whole
        with whole.open("rb") as stream:
            shutil.copyfileobj(stream, sys.stdout.buffer)


async def _import(file: Path, size: int, lists: list[str], url: str | None, token: str | None) -> None:
    async with open_client(url, token) as client:
        found = {name: await client.find_list(name) for name in lists}
        list_ids = [list_id or await client.find_or_make_list(name) for name, list_id in found.items()]
        try:
            activity = await _send(client, file, size, list_ids)
        except ClientError as error:
            if None not in found.values():
                raise
            made = ", ".join(name for name, list_id in found.items() if list_id is None)
            raise ClientError(f"{error}; made for it, and empty: {made}") from error
        await show(client, activity)


async def _send(client: Client, file: Path, size: int, list_ids: list[str]) -> Activity:
    with progress() as bars:
        bar = bars.add_task(f"Sending {file.name}", total=size)
        return await client.import_csv(file, list_ids, lambda sent, _: bars.update(bar, completed=sent))


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
    list_id = await client.find_list(name)
    if list_id is None:
        raise Invalid(f"there is no list named {name!r}")
    return list_id


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
    changed = {} if ended.changed_count is None else {"changed_count": ended.changed_count}
    counts = ", ".join(f"{name} {count:,}" for name, count in {**ended.status, **changed}.items())
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
    """The JSON that an argument holds, or names: @FILE, or - for standard input; None without any. Raises Invalid."""
    try:
        text = _text(argument)
        return json.loads(text) if text.strip() else None
    except OSError as error:
        raise Invalid(f"cannot read {argument[1:]}: {error.strerror}") from error
    except ValueError as error:
        raise Invalid(f"the body is not JSON: {error}") from error


def _text(argument: str) -> str | bytes:
    if argument == STANDARD:
        return "" if sys.stdin.isatty() else sys.stdin.read()
    return Path(argument[1:]).read_bytes() if argument.startswith("@") else argument
