"""Bench p: five hundred contacts, put on a list or written, through each dialect that can, one request after another.

Beside each is what tables of rows would take: one statement for the memberships, and a transaction of its own for each
contact that is written.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import TypeVar

import aiohttp

from engine import principals
from engine.settings import Settings
from tests.bench import servers as at
from tests.bench.report import Finding
from tests.bench.servers import Servers, Tenant
from tests.e2e.api.front import Bell, Front
from tests.e2e.dialects.speakers import W50, Convio, GreenRope, Ivvy, Speaker
from tests.integration.desk import Desk

CONTACTS = 500
NUMBERS = list(range(1, CONTACTS + 1))
#: Seconds between two looks whether an import job is done.
LOOK_SECONDS = 0.005

MEMBERSHIPS = """
INSERT INTO bench_membership (account_id, set_no, contact_no) SELECT $1, $2, unnest($3::bigint[]) ON CONFLICT DO NOTHING
"""
CONTACT = """
INSERT INTO bench_contact (account_id, email, first_name, last_name) VALUES ($1, $2, $3, $4)
ON CONFLICT (account_id, email) DO UPDATE SET first_name = excluded.first_name, last_name = excluded.last_name
"""

AnySpeaker = TypeVar("AnySpeaker", bound=Speaker)
#: What a round does; each has a number of its own.
Round = Callable[[int], Awaitable[None]]


async def comparison(settings: Settings, rounds: int) -> list[Finding]:
    """Bench p."""
    async with at.with_workers(settings) as servers, aiohttp.ClientSession() as session:
        await at.make_table(
            servers,
            "bench_membership",
            "account_id bigint, set_no integer, contact_no bigint, PRIMARY KEY (account_id, set_no, contact_no)",
        )
        await at.make_table(
            servers,
            "bench_contact",
            "account_id bigint, email text, first_name text, last_name text, PRIMARY KEY (account_id, email)",
        )
        ours = {
            f"{CONTACTS} contacts to a list: v3, submit to completed": await _v3(servers),
            "… Convio addContactsToGroup": await _adding(servers, session, Convio),
            "… iVvy addContactsToSubscriptionGroup": await _adding(servers, session, Ivvy),
        }
        tenant = await at.new_tenant(servers)
        details = {"load": await at.settle(servers)}
        bare = await _seconds(rounds, lambda nth: _memberships(servers, tenant, nth))
        findings = [
            Finding("p", name, "s", await _seconds(rounds, round_), bare, details=details)
            for name, round_ in ours.items()
        ]
        bare = await _seconds(rounds, lambda nth: _contacts(servers, tenant, nth))
        findings += [
            Finding("p", name, "s", await _seconds(rounds, round_), bare, details=details)
            for name, round_ in (await _writes(servers, session)).items()
        ]
    return findings


async def _seconds(rounds: int, round_: Round) -> list[float]:
    """What each round took, but the first, which warms up."""
    seconds = []
    for nth in range(rounds + 1):
        begun = time.perf_counter()
        await round_(nth)
        seconds.append(time.perf_counter() - begun)
    return seconds[1:]


async def _memberships(servers: Servers, tenant: Tenant, nth: int) -> None:
    async with servers.db.account(tenant.account_id) as tx:
        await tx.select(MEMBERSHIPS, (tenant.account_id, nth, NUMBERS))


async def _contacts(servers: Servers, tenant: Tenant, nth: int) -> None:
    for number in NUMBERS:
        async with servers.db.account(tenant.account_id) as tx:
            await tx.select(CONTACT, (tenant.account_id, f"c{number}.{nth}@example.org", "Kim", "Lee"))


async def _v3(servers: Servers) -> Round:
    tenant = await at.new_tenant(servers)
    await at.new_contacts(servers, tenant, CONTACTS)
    contact_ids = [str(each) for each in await at.contact_ids(servers, tenant, CONTACTS)]

    async def round_(nth: int) -> None:
        [list_id] = await at.new_lists(servers, tenant, [f"list {nth}"])
        body = {"source": {"contact_ids": contact_ids}, "list_ids": [str(list_id)]}
        async with at.client(servers, tenant) as client:
            submitted = await client.submit("add_list_memberships", body)
            activity = await client.get(f"/activities/{submitted.activity_id}", wait="60")
        assert activity["state"] == "completed", activity

    return round_


async def _adding(servers: Servers, session: aiohttp.ClientSession, kind: type[Speaker]) -> Round:
    speaker = await _introduced(servers, session, kind)
    await at.new_contacts(servers, Tenant(speaker.desk.account_id, ""), CONTACTS)

    async def round_(nth: int) -> None:
        [list_] = await speaker.desk.new_lists(1)
        await speaker.add(list_, NUMBERS)

    return round_


async def _writes(servers: Servers, session: aiohttp.ClientSession) -> Mapping[str, Round]:
    """Contacts that are made and changed: each round makes others, and changes those that were made first."""
    rope = await _introduced(servers, session, GreenRope)
    customers = await _introduced(servers, session, W50)
    await customers.new_lists(1)
    [list_] = customers.lists

    async def added(nth: int) -> None:
        await rope.call("AddContacts", "".join(_person(f"c{number}.{nth}@example.org") for number in NUMBERS))

    async def edited(nth: int) -> None:
        people = (f'<Contact contact_id="{number}"><Lastname>L{nth}</Lastname></Contact>' for number in NUMBERS)
        await rope.call("EditContacts", "".join(people))

    async def imported(nth: int) -> None:
        people = [{"Values": {"Email": f"c{number}.{nth}@example.org"}} for number in NUMBERS]
        job = await customers.ask(list_, "POST", "import", {"FieldNames": ["Email"]})
        await customers.ask(list_, "POST", f"import/{job['Id']}", people)
        await customers.ask(list_, "POST", f"import/{job['Id']}/run")
        while (job := await customers.ask(list_, "GET", f"import/{job['Id']}"))["CurrentStatus"] != "Complete":
            assert job["CurrentStatus"] != "Failed", job
            await asyncio.sleep(LOOK_SECONDS)
        assert job["InsertedContacts"] == CONTACTS

    return {
        f"{CONTACTS} contacts made: GreenRope AddContacts": added,
        "… changed: GreenRope EditContacts": edited,
        "… made: a W50 import job": imported,
    }


def _person(email: str) -> str:
    return f"<Contact><Firstname>Kim</Firstname><Lastname>Lee</Lastname><Email>{email}</Email></Contact>"


async def _introduced(servers: Servers, session: aiohttp.ClientSession, kind: type[AnySpeaker]) -> AnySpeaker:
    """A client with an account of its own."""
    tenant = await at.new_tenant(servers)
    principal = await principals.authenticate(servers.db, tenant.token)
    await servers.owner.execute(f"SET muster.account_id = '{tenant.account_id}'")
    desk = Desk(servers.db, servers.settings, principal, servers.owner)
    return await kind.introduce(Front(session, servers.stack.address, Bell(), desk, None), desk)
