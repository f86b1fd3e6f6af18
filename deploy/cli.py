"""The `muster` command.

A command says in one line what is wrong and what to do; only a bug shows a traceback.
"""

import asyncio
import shlex
from importlib import metadata
from typing import Annotated

import typer

from api.client import ClientError, NotConnected
from deploy import demo as demonstration
from deploy.administration import account_commands, token_commands
from deploy.catalog import event_commands, field_commands, list_commands
from deploy.folder import DataFolder, data_folder, locked
from deploy.hooks import hook_commands
from deploy.organizations import organization_commands
from deploy.remote import activity_commands, export_file, import_file, list_lists, list_tags
from deploy.stack import StackFile, running_stack
from deploy.surroundings import (
    OUTPUT,
    TERMINAL,
    Access,
    Surroundings,
    connected_settings,
    opened,
    own_access,
    owned_database,
    say,
    surroundings,
)
from deploy.users import key_commands, user_commands
from engine import logs
from engine.activities.model import Queue
from engine.errors import MusterError
from engine.migrations import migrate as migrate_database

#: Exit code of what Ctrl-C ended.
INTERRUPTED = 130

app = typer.Typer(
    name="muster",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Muster does bulk work on contacts: it answers at once and does the work set by set. "
    "Start with `muster demo` to see it, or `muster up` to use it. Settings are environment variables; "
    "without DATABASE_URL and REDIS_URL, embedded servers keep their data in MUSTER_DATA (.muster).",
)


def _show_version(asked: bool) -> None:
    if asked:
        OUTPUT.print(metadata.version("muster"))
        raise typer.Exit


@app.callback()
def muster(
    _version: Annotated[
        bool, typer.Option("--version", help="Show the version.", callback=_show_version, is_eager=True)
    ] = False,
) -> None:
    """What comes before the command."""


@app.command()
def up() -> None:
    """Run everything on this machine until Ctrl-C: database, queue, API and workers.

    Starts the embedded PostgreSQL and Valkey unless DATABASE_URL and
    REDIS_URL name others, migrates, starts the API and the workers, and
    prints the address and a token. Ctrl-C stops all in order, a second
    Ctrl-C at once. Logs are in MUSTER_DATA/log.
    """
    around = surroundings()
    with locked(around.folder) as lock:
        asyncio.run(_up(around, lock))


@app.command()
def demo(
    contacts: Annotated[
        int, typer.Option("--contacts", envvar="DEMO_CONTACTS", min=1, help="How many contacts to import.")
    ] = 1_000_000,
) -> None:
    """See a million contacts put on fifty lists by one request.

    Starts everything as `muster up` does, on a data folder of its own
    (MUSTER_DATA/demo, begun anew each time), generates contacts, imports
    them over HTTP, runs eight bulk activities, shows what each took, and
    stops everything.
    """
    around = surroundings()
    folder = data_folder(around.folder.root / "demo")
    with locked(folder) as lock:
        demonstration.begin_anew(folder)
        asyncio.run(_demo(around, folder, lock, contacts))


@app.command()
def migrate() -> None:
    """Bring the database up to date, and make the role that API and workers connect as.

    Needs DATABASE_URL (the owner's), or works on the embedded PostgreSQL in
    MUSTER_DATA. Safe to repeat.
    """
    asyncio.run(_migrate(surroundings()))
    say("The database is up to date")


@app.command()
def serve() -> None:
    """Run the API alone, on MUSTER_HOST and MUSTER_PORT.

    Needs a migrated database and a queue: DATABASE_URL (or only
    DATABASE_APP_URL) and REDIS_URL, or a stack that runs on MUSTER_DATA.
    Run as many as you like behind a balancer.
    """
    # Imported where it is used: other commands need not wait for it.
    from api.app import run  # noqa: PLC0415
    from workers.doorbell import Doorbell  # noqa: PLC0415

    settings = connected_settings(surroundings())
    logs.configure(settings)
    assert settings.redis_url is not None
    with Doorbell(settings.redis_url) as doorbell:
        run(settings, doorbell)


@app.command()
def work(
    queue: Annotated[
        list[Queue] | None,
        typer.Option("--queue", help="Small work or long; repeat for both, which is the default."),
    ] = None,
    processes: Annotated[
        int | None,
        typer.Option(min=1, help="Processes of each queue; by default MUSTER_WORKER_PROCESSES.", show_default=False),
    ] = None,
    threads: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Activities a process runs at once; by default MUSTER_WORKER_THREADS.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Run workers alone: they do the activities.

    Needs what `muster serve` needs. Health and metrics are on
    MUSTER_METRICS_PORT. Run as many as you like; SIGTERM lets them finish or
    hand over their batch.
    """
    from workers.app import run  # noqa: PLC0415

    settings = connected_settings(surroundings())
    run(
        settings,
        queue or list(Queue),
        processes or settings.worker_processes,
        threads or settings.worker_threads,
        "deploy.process",
    )


app.command("import")(import_file)
app.command("export")(export_file)
app.command("lists")(list_lists)
app.command("tags")(list_tags)
app.add_typer(activity_commands, name="activity")
app.add_typer(account_commands, name="account")
app.add_typer(token_commands, name="token")
app.add_typer(list_commands, name="list")
app.add_typer(event_commands, name="event")
app.add_typer(field_commands, name="field")
app.add_typer(hook_commands, name="hook")
app.add_typer(user_commands, name="user")
app.add_typer(key_commands, name="key")
app.add_typer(organization_commands, name="organization")


def main() -> None:
    """Runs the command; a refusal is one line and exit code 1."""
    try:
        app()
    except MusterError as error:
        reason = error.message
    except NotConnected as error:
        reason = f"{error}: start one with `muster up`, or set MUSTER_URL"
    except ClientError as error:
        reason = str(error)
    except PermissionError as error:
        reason = f"{error.filename}: permission denied; does it belong to another user?"
    else:
        return
    TERMINAL.print(f"muster: {reason}", style="red", markup=False)
    raise SystemExit(1)


async def _demo(around: Surroundings, folder: DataFolder, lock: int, contacts: int) -> None:
    folders = {name: folder.root / name for name in ("uploads", "exports")}
    settings = around.settings.model_copy(update={"data": folder.root, **folders})
    try:
        await demonstration.run(settings, folder, lock, contacts)
    except asyncio.CancelledError:
        say("Stopped")
        raise typer.Exit(INTERRUPTED) from None


async def _up(around: Surroundings, lock: int) -> None:
    try:
        async with running_stack(around.settings, around.folder, lock, say) as stack:
            async with opened(stack.database_app_url) as database:
                access = await own_access(database, around.folder)
            _tell(stack, access, around.folder)
            await asyncio.Event().wait()
    except asyncio.CancelledError:
        say("Stopped")


def _tell(stack: StackFile, access: Access, folder: DataFolder) -> None:
    # With the folder: commands that act on the database would find, or start, that of another one.
    data = shlex.quote(str(folder.root))
    OUTPUT.print(
        f"\nMuster answers at {stack.address} (Ctrl-C stops it); its documentation is at {stack.address}/docs\n"
        f"Account {access.account_id}, token {access.token}\n\n"
        f"export MUSTER_URL={stack.address} MUSTER_TOKEN={access.token} MUSTER_DATA={data}\n\n"
        f"Try it:\n"
        f"curl -X POST {stack.address}/v3/contact_lists \\\n"
        f"  -H 'Authorization: Bearer {access.token}' \\\n"
        f"  -H 'Content-Type: application/json' \\\n"
        f'  -d \'{{"name": "Friends"}}\'\n',
        markup=False,
    )


async def _migrate(around: Surroundings) -> None:
    async with owned_database(around) as settings:
        assert settings.database_url is not None
        assert settings.database_app_url is not None
        await migrate_database(settings.database_url, settings.database_app_url)


if __name__ == "__main__":
    main()
