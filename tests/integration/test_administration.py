"""The commands that say who may do what: `muster account`, `user`, `key` and `organization`."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar
from uuid import UUID, uuid4

import pytest
from typer.testing import CliRunner, Result

from deploy.cli import app
from engine import events, fields, organizations, principals
from engine.database import Database
from engine.errors import MusterError, Unauthorized
from engine.principals import Access, Privilege, Purpose
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.settings import Settings

T = TypeVar("T")


class Commands:
    """The `muster` command on the tests' database, and what the engine finds there afterwards."""

    def __init__(self, app_url: str) -> None:
        self._app_url = app_url

    def done(self, *arguments: str, stdin: str = "") -> str:
        """What a command that succeeds prints."""
        ended = self._run(arguments, stdin)
        assert ended.exit_code == 0, ended.stderr or ended.exception
        return ended.stdout.strip()

    def complaint(self, *arguments: str, stdin: str = "") -> str:
        """What a command that fails says."""
        ended = self._run(arguments, stdin)
        assert isinstance(ended.exception, MusterError), ended.output
        return ended.exception.message

    def find(self, work: Callable[[Database], Awaitable[T]]) -> T:
        async def run() -> T:
            database = await Database.open(self._app_url, connections=2)
            try:
                return await work(database)
            finally:
                await database.close()

        return asyncio.run(run())

    def _run(self, arguments: Sequence[str], stdin: str) -> Result:
        env = {"DATABASE_APP_URL": self._app_url, "DATABASE_URL": ""}
        return CliRunner().invoke(app, arguments, input=stdin, env=env)


@pytest.fixture
def commands(settings: Settings) -> Commands:
    assert settings.database_app_url is not None
    return Commands(settings.database_app_url)


def test_users_from_the_command_line(commands: Commands) -> None:
    """Issue 4: users and their rights, shared access across accounts; passwords come on standard input."""
    name = f"{uuid4().hex}[/x]@example.org"
    home, other = (commands.done("account", "create", "an account") for _ in range(2))

    def log_in(password: str) -> Access:
        return commands.find(lambda db: principals.log_in(db, name, password))

    reading = ("--privilege", "contacts:read")
    user = UUID(commands.done("user", "create", name, "--account", home, stdin="s3cret word\n"))
    commands.done("user", "grant", name.upper(), "--account", other, *reading)
    access = log_in("s3cret word")
    assert (access.principal_id, access.home) == (user, int(home))
    assert access.grants == {int(home): frozenset(Privilege), int(other): {Privilege.CONTACTS_READ}}

    shown = commands.done("user", "list", "--account", other)
    assert (str(user) in shown, name in shown, shown.endswith("contacts:read")) == (True, True, True)
    commands.done("user", "revoke", name, "--account", other)
    assert commands.complaint("user", "revoke", name, "--account", home) == (
        f"{name}: account {home} is the home of this user, who can be removed"
    )
    assert commands.complaint("user", "revoke", name, "--account", other) == (
        f"{name}: this user has no access to account {other}"
    )
    assert "another user is named" in commands.complaint("user", "create", name, "--account", other, stdin="s3cret\n")
    assert commands.complaint("user", "password", name) == "give the password on standard input: one line"
    commands.done("user", "password", name, stdin="another\r\n")
    assert set(log_in("another").grants) == {int(home)}
    commands.done("user", "remove", name)
    with pytest.raises(Unauthorized):
        log_in("another")
    assert commands.complaint("user", "remove", name) == f"{name}: there is no user of this name"


def test_keys_from_the_command_line(commands: Commands) -> None:
    """Issue 4; contract ivvy.md 2."""
    account = commands.done("account", "create", "an account")
    made = ("key", "create", "--account", account, "--name", "[/x]", "--privilege", "contacts:write")
    key_id, secret = commands.done(*made).split()
    key = commands.find(lambda db: principals.signing_key(db, key_id))
    assert (key.secret, key.principal.account_id) == (secret, int(account))
    assert key.principal.privileges == {Privilege.CONTACTS_WRITE}
    shown = commands.done("key", "list", "--account", account)
    assert (key_id in shown, "[/x]" in shown, secret in shown) == (True, True, False)
    commands.done("key", "revoke", key_id, "--account", account)
    assert "has no working key" in commands.complaint("key", "revoke", key_id, "--account", account)
    assert commands.find(lambda db: principals.signing_key(db, key_id)).revoked


def test_organizations_from_the_command_line(commands: Commands) -> None:
    """Issue 4; contract convio.md 1, 3.1, 8: accounts under one public key, and who may open sessions for them."""
    name, user = f"O{uuid4().hex}", f"{uuid4().hex}@example.org"
    key = commands.done(
        *("organization", "create", name, "--redirect-host", "www.example.org", "--network", "192.0.2.0/24"),
        *("--redirect-secret", "-", "--redirect-digest", "sha1"),
        stdin="SITE_SECRET\n",
    )
    account = commands.done("account", "create", "[/y] an account", "--organization", name)
    assert commands.complaint("account", "create", "x", "--organization", "nowhere") == (
        "there is no organization 'nowhere'"
    )
    [row] = [line for line in commands.done("account", "list").splitlines() if line.split()[0] == account]
    assert (name in row, "[/y] an account" in row) == (True, True)
    principal_id = UUID(commands.done("user", "create", user, "--account", account, stdin="s3cret\n"))
    commands.done("organization", "add-administrator", name, user)
    shown = commands.done("organization", "show", name)
    assert all(each in shown for each in (key, "www.example.org", "192.0.2.0/24", "SITE_SECRET", "sha1", user))
    assert "SITE_SECRET" not in commands.done("organization", "list")

    async def session_of_its_account(db: Database) -> Access:
        found = await organizations.by_api_key(db, key)
        assert await organizations.holds(db, found.organization_id, int(account))
        await organizations.require_administrator(db, found.organization_id, principal_id)
        owner = await organizations.owner(db, int(account))
        token = await principals.open_session(db, owner, Purpose.SIGN_ON, 60)
        return await principals.session(db, token, Purpose.SIGN_ON)

    assert commands.find(session_of_its_account).principal_id == principal_id
    keys = ("--api-key", key, "--api-key", key[::-1])
    changed = commands.done("organization", "change", name, "--redirect-host", "", *keys)
    assert "www.example.org" not in changed
    assert key[::-1] in changed
    assert "192.0.2.0/24" in changed
    other = commands.done("account", "create", "another")
    commands.done("organization", "add-account", name, other)
    commands.done("organization", "remove-administrator", name, user)
    assert commands.complaint("organization", "remove-administrator", name, user) == (
        f"{user}: this user is no administrator of the organization"
    )


def test_lists_events_and_fields_from_the_command_line(commands: Commands) -> None:
    """Issue 4: what W50 and iVvy know of and cannot make."""
    account = commands.done("account", "create", "an account")
    of_account = ("--account", account)
    list_no, list_id = commands.done("list", "create", "Customers", *of_account).split()
    of_list = ("--list", list_no, *of_account)
    email = commands.done("field", "create", "Email", "--property", "email", "--type", "email", *of_list)
    diet = commands.done(
        "field", "create", "Diet", "--type", "choice", "--choice", "None", "--choice", "Vegan", *of_list
    )
    others = [
        commands.done("field", "create", label, "--list", called, *of_account)
        for label, called in (("By id", list_id), ("By name", " customers"))
    ]
    times = ("--starts-at", "2096-05-01T18:00:00+02:00", "--ends-at", "2096-05-01T20:00:00Z")
    event = commands.done("event", "create", "Gala", "--code", "GALA96", *times, *of_account)

    async def look(db: Database) -> None:
        async with db.account(int(account)) as tx:
            assert (await catalog.find_number(tx, SetKind.LIST, int(list_no))).set_id == UUID(list_id)
            found = await fields.of_list(tx, int(list_no))
            assert [str(each.field_no) for each in found] == [email, diet, *others]
            assert (found[0].property, found[1].values()) == ("email", ("None", "Vegan"))
            gala = await events.find_number(tx, int(event))
        assert gala.starts_at == datetime(2096, 5, 1, 16, tzinfo=UTC)
        assert gala.ends_at == datetime(2096, 5, 1, 20, tzinfo=UTC)

    commands.find(look)
    assert commands.complaint("list", "create", "customers", *of_account) == (
        "another list of this account is named 'customers'"
    )
    assert commands.complaint("list", "create", " ", *of_account) == "lists need a name"
    for unknown in ("77777", str(UUID(int=1))):
        complaint = commands.complaint("field", "create", "Email", "--list", unknown, *of_account)
        assert complaint == f"there is no list {unknown}"
    assert commands.complaint("field", "create", "Email", "--list", "Nobody", *of_account) == (
        "there is no list named 'Nobody'"
    )
    assert "is no time with its offset" in commands.complaint(
        "event", "create", "x", "--starts-at", "2096-05-01T18:00:00", *of_account
    )
    assert commands.complaint("event", "create", "x", "--account", str(2**40)) == f"there is no account {2**40}"
