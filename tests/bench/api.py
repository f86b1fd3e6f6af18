"""Bars e and f: what one API process takes in and tells in a second, beside a bare handler (bare.py)."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID, uuid4

from engine.settings import Settings
from tests.bench import load
from tests.bench import servers as at
from tests.bench.report import Bar, Finding
from tests.bench.servers import Servers, Tenant

#: Accounts that the requests are of: all of one wait for the same lock.
ACCOUNTS = (1, 50)
CONNECTIONS = 32
LISTS = 50

#: Requests of a round, by the contacts and lists that each names.
SUBMISSIONS = {(3, 3): 3000, (500, 50): 1000}
POLLS = 5000

#: No bar is about the limit.
UNFINISHED = 1_000_000


@dataclass(frozen=True, slots=True)
class Customer:
    tenant: Tenant
    lists: Sequence[UUID]

    @property
    def bearer(self) -> str:
        return f"Bearer {self.tenant.token}"

    @property
    def account(self) -> str:
        return str(self.tenant.account_id)


async def submissions(settings: Settings, rounds: int) -> list[Finding]:
    """Bar e."""
    async with _api(settings) as (servers, bare):
        customers = [await _customer(servers) for _ in range(max(ACCOUNTS))]
        return [
            await _submissions(servers, bare, customers[:accounts], contacts, lists, rounds)
            for contacts, lists in SUBMISSIONS
            for accounts in ACCOUNTS
        ]


async def polls(settings: Settings, rounds: int) -> list[Finding]:
    """Bar f."""
    async with _api(settings) as (servers, bare):
        customers = [await _customer(servers) for _ in range(max(ACCOUNTS))]
        return [await _polls(servers, bare, customers[:accounts], rounds) for accounts in ACCOUNTS]


@asynccontextmanager
async def _api(settings: Settings) -> AsyncIterator[tuple[Servers, str]]:
    """An API process and the bare one, on the same servers; no workers."""
    async with at.without_workers(settings.model_copy(update={"max_unfinished": UNFINISHED})) as servers:
        columns = "account_id bigint, body_no bigint GENERATED ALWAYS AS IDENTITY, body json"
        await at.make_table(servers, "bench_body", f"{columns}, PRIMARY KEY (account_id, body_no)")
        await servers.owner.execute("ALTER TABLE bench_body ALTER COLUMN body SET STORAGE EXTERNAL")
        async with _bare(servers) as address:
            yield servers, address


@asynccontextmanager
async def _bare(servers: Servers) -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.bare", servers.stack.database_app_url),
        str(servers.settings.pool_connections),
        stdin=PIPE,
        stdout=PIPE,
        cwd=load.ROOT,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(await process.stdout.readline())}"
    finally:
        process.stdin.close()
        await process.wait()


async def _customer(servers: Servers) -> Customer:
    tenant = await at.new_tenant(servers)
    lists = await at.new_lists(servers, tenant, [f"list {number}" for number in range(LISTS)])
    return Customer(tenant, list(lists))


async def _submissions(
    servers: Servers, bare: str, customers: Sequence[Customer], contacts: int, lists: int, rounds: int
) -> Finding:
    count = SUBMISSIONS[contacts, lists]
    bodies = [_body(customer, contacts, lists) for customer in customers]
    path = "/v3/activities/add_list_memberships"
    ours = [load.post(path, body, Authorization=each.bearer) for each, body in zip(customers, bodies, strict=True)]
    theirs = [load.post("/submit", body, Account=each.account) for each, body in zip(customers, bodies, strict=True)]
    work = f"submissions, {contacts} contacts to {lists} lists, {_of(customers)}"
    return await _beside(servers, bare, "e", work, (_many(ours, count), _many(theirs, count)), 201, rounds)


async def _polls(servers: Servers, bare: str, customers: Sequence[Customer], rounds: int) -> Finding:
    activities = [await _submitted(servers, customer) for customer in customers]
    ours = [
        load.get(f"/v3/activities/{activity_id}", Authorization=customer.bearer)
        for customer, activity_id in zip(customers, activities, strict=True)
    ]
    theirs = [
        load.get(f"/poll/{activity_id}", Account=customer.account)
        for customer, activity_id in zip(customers, activities, strict=True)
    ]
    work = f"status polls, {_of(customers)}"
    return await _beside(servers, bare, "f", work, (_many(ours, POLLS), _many(theirs, POLLS)), 200, rounds)


async def _beside(
    servers: Servers,
    bare: str,
    bench: str,
    work: str,
    requests: tuple[Sequence[bytes], Sequence[bytes]],
    expected: int,
    rounds: int,
) -> Finding:
    """Requests a second of both, in turns; the first round only warms up."""
    ours, theirs = requests
    details = {"load": await at.settle(servers), "connections": CONNECTIONS}
    rates: list[float] = []
    bare_rates: list[float] = []
    for _ in range(rounds + 1):
        rates.append(await _rate(servers.stack.address, ours, expected))
        bare_rates.append(await _rate(bare, theirs, expected))
    bar = Bar("at least 0.6", at_least=0.6, of_ratio=True)
    return Finding(bench, work, "/s", rates[1:], bare_rates[1:], bar, details)


async def _rate(address: str, requests: Sequence[bytes], expected: int) -> float:
    return len(requests) / (await load.run(address, requests, CONNECTIONS, expected)).seconds


async def _submitted(servers: Servers, customer: Customer) -> str:
    async with at.client(servers, customer.tenant) as client:
        submitted = await client.submit("add_list_memberships", json.loads(_body(customer, 3, 3)))
    return submitted.activity_id


def _body(customer: Customer, contacts: int, lists: int) -> bytes:
    """Contacts that do not exist: nobody looks for them before an activity runs."""
    source = {"contact_ids": [str(uuid4()) for _ in range(contacts)]}
    return json.dumps({"source": source, "list_ids": [str(list_id) for list_id in customer.lists[:lists]]}).encode()


def _many(requests: Sequence[bytes], count: int) -> Sequence[bytes]:
    return [requests[number % len(requests)] for number in range(count)]


def _of(customers: Sequence[Customer]) -> str:
    return f"{len(customers)} account{'s' * (len(customers) > 1)}"
