"""The command `muster organization`: it acts on the database, not over HTTP, since organizations span accounts."""

import sys
from collections.abc import Awaitable, Callable, Iterable
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from deploy.surroundings import OUTPUT, TERMINAL, on_database
from deploy.users import of_user
from engine import organizations
from engine.database import Database
from engine.organizations import Details, Digest, Organization

#: Stands for what comes on standard input.
FROM_INPUT = "-"

organization_commands = typer.Typer(
    no_args_is_help=True,
    help="Organizations: accounts that are reached under one name and one public key.",
)

Name = Annotated[str, typer.Argument(help="Of the organization: a part of paths.", show_default=False)]
User = Annotated[str, typer.Argument(help="What the user logs in with.", show_default=False)]
ApiKeys = Annotated[
    list[str] | None,
    typer.Option("--api-key", help="Its public key; twice while one takes the place of the other.", show_default=False),
]
Hosts = Annotated[
    list[str] | None,
    typer.Option(
        "--redirect-host", help="A host that browsers may be sent to; repeat for several.", show_default=False
    ),
]
Secret = Annotated[
    str | None,
    typer.Option("--redirect-secret", help="What redirects are signed with; - reads it from standard input."),
]
Networks = Annotated[
    list[str] | None,
    typer.Option("--network", help="Where callers come from, as 192.0.2.0/24; by default from everywhere."),
]
DigestOption = Annotated[Digest | None, typer.Option("--redirect-digest", help="How redirects are signed.")]


@organization_commands.command("create")
def create(
    name: Name,
    api_key: ApiKeys = None,
    redirect_host: Hosts = None,
    redirect_secret: Secret = None,
    redirect_digest: DigestOption = None,
    network: Networks = None,
) -> None:
    """Make an organization; prints its public keys. What is not given is made up."""
    details = _details(api_key, redirect_host, redirect_secret, redirect_digest, network)
    made = on_database(lambda db: organizations.create(db, name, details))
    TERMINAL.print(f"Organization {made.name} has the public key", markup=False)
    OUTPUT.print("\n".join(made.api_keys), markup=False)


@organization_commands.command("change")
def change(
    name: Name,
    api_key: ApiKeys = None,
    redirect_host: Hosts = None,
    redirect_secret: Secret = None,
    redirect_digest: DigestOption = None,
    network: Networks = None,
) -> None:
    """Say something else of an organization; what is not given stays. One empty text stands for none."""
    details = _details(api_key, redirect_host, redirect_secret, redirect_digest, network)
    _tell(on_database(lambda db: _change(db, name, details)))


@organization_commands.command("show")
def show(name: Name) -> None:
    """Show an organization, with the secret that its redirects are signed with, and its administrators."""
    found, administrators = on_database(lambda db: _find(db, name))
    _tell(found)
    OUTPUT.print(f"redirect secret {found.redirect_secret}\nadministrators {_several(administrators)}", markup=False)


@organization_commands.command("list")
def list_all() -> None:
    """Show all organizations."""
    table = Table("name", "public keys", "redirect hosts", "networks", box=None, pad_edge=False)
    for each in on_database(organizations.everyone):
        shown = (each.api_keys, each.redirect_hosts, each.networks)
        table.add_row(each.name, *(escape(_several(several)) for several in shown))
    OUTPUT.print(table)


@organization_commands.command("add-account")
def add_account(
    name: Name, account: Annotated[int, typer.Argument(help="Number of the account.", min=1, max=2**63 - 1)]
) -> None:
    """Put an account into an organization, and take it out of any other."""
    on_database(lambda db: _add_account(db, name, account))
    TERMINAL.print(f"Account {account} is in {name}", markup=False)


@organization_commands.command("add-administrator")
def add_administrator(name: Name, user: User) -> None:
    """Let a user open sessions for the organization's accounts."""
    on_database(lambda db: _with_user(db, organizations.add_administrator, name, user))
    TERMINAL.print(f"{user} may open sessions for the accounts of {name}", markup=False)


@organization_commands.command("remove-administrator")
def remove_administrator(name: Name, user: User) -> None:
    """Take that away again; sessions that are open stay open until they end."""
    on_database(lambda db: _with_user(db, organizations.remove_administrator, name, user))
    TERMINAL.print(f"{user} may not open sessions for the accounts of {name} any more", markup=False)


def _details(
    api_keys: list[str] | None,
    hosts: list[str] | None,
    secret: str | None,
    digest: Digest | None,
    networks: list[str] | None,
) -> Details:
    return Details(
        api_keys=_given(api_keys),
        redirect_hosts=_given(hosts),
        redirect_secret=sys.stdin.readline().rstrip("\r\n") if secret == FROM_INPUT else secret,
        redirect_digest=digest,
        networks=_given(networks),
    )


def _given(several: list[str] | None) -> tuple[str, ...] | None:
    """None when nothing was given; nothing when an empty text was."""
    return tuple(each for each in several if each) if several else None


async def _change(db: Database, name: str, details: Details) -> Organization:
    return await organizations.change(db, (await organizations.find(db, name)).organization_id, details)


async def _find(db: Database, name: str) -> tuple[Organization, list[str]]:
    found = await organizations.find(db, name)
    return found, await organizations.administrators(db, found.organization_id)


async def _add_account(db: Database, name: str, account_id: int) -> None:
    await organizations.add_account(db, (await organizations.find(db, name)).organization_id, account_id)


async def _with_user(db: Database, work: Callable[..., Awaitable[None]], name: str, user: str) -> None:
    organization = await organizations.find(db, name)
    await of_user(db, user, lambda user_id: work(db, organization.organization_id, user_id))


def _tell(organization: Organization) -> None:
    OUTPUT.print(
        f"name {organization.name}\n"
        f"public keys {_several(organization.api_keys)}\n"
        f"redirect hosts {_several(organization.redirect_hosts)}\n"
        f"redirect digest {organization.redirect_digest}\n"
        f"networks {_several(organization.networks)}",
        markup=False,
    )


def _several(things: Iterable[object]) -> str:
    return " ".join(sorted(map(str, things)))
