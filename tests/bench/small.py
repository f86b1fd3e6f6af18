"""Bars c and d: small activities, one after another on an idle stack, and two thousand at once."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import quantiles
from uuid import UUID

from api.client import Client
from engine.settings import Settings
from tests.bench import load
from tests.bench import servers as at
from tests.bench.report import Bar, Finding
from tests.bench.servers import Servers, Tenant

#: What every account has to choose from, and how many an activity chooses.
CONTACTS, LISTS, CHOSEN = 1000, 10, 3

#: Activities one after another.
IN_A_ROW = 200
#: Activities at once, their accounts, and connections that submit them.
AT_ONCE, ACCOUNTS, CONNECTIONS = 2000, 50, 32

#: Seconds between two looks whether all are done.
LOOK_SECONDS = 0.005


@dataclass(frozen=True, slots=True)
class Customer:
    """A tenant with its contacts and lists."""

    tenant: Tenant
    contacts: Sequence[UUID]
    lists: Sequence[UUID]

    def body(self, random: Random) -> dict[str, object]:
        """Random contacts to random lists."""
        return {
            "source": {"contact_ids": [str(contact) for contact in random.sample(self.contacts, CHOSEN)]},
            "list_ids": [str(list_id) for list_id in random.sample(self.lists, CHOSEN)],
        }


async def latency(settings: Settings, rounds: int) -> list[Finding]:
    """Bar c."""
    random = Random(3)
    async with at.with_workers(settings) as servers:
        customer = await _customer(servers)
        details = {"load": await at.settle(servers)}
        async with at.client(servers, customer.tenant) as client:
            await _in_a_row(client, customer, random)
            measured = [await _in_a_row(client, customer, random) for _ in range(rounds)]
    name = f"{CHOSEN} contacts to {CHOSEN} lists, idle, {IN_A_ROW} in a row:"
    p50, p95 = ([quantiles(each, n=20)[place] for each in measured] for place in (9, 18))
    return [
        Finding("c", f"{name} p50", "ms", p50, bar=Bar("at most 25 ms", at_most=25), details=details),
        Finding("c", f"{name} p95", "ms", p95, bar=Bar("at most 60 ms", at_most=60)),
    ]


async def burst(settings: Settings, rounds: int) -> list[Finding]:
    """Bar d."""
    random = Random(4)
    async with at.with_workers(settings) as servers:
        customers = [await _customer(servers) for _ in range(ACCOUNTS)]
        details = {"load": await at.settle(servers)}
        rates = [await _burst_round(servers, customers, random) for _ in range(rounds)]
    name = f"{AT_ONCE:,} such activities of {ACCOUNTS} accounts, {CONNECTIONS} connections"
    return [Finding("d", name, "/s", rates, bar=Bar("at least 500 /s", at_least=500), details=details)]


async def _customer(servers: Servers) -> Customer:
    tenant = await at.new_tenant(servers)
    await at.new_contacts(servers, tenant, CONTACTS)
    lists = await at.new_lists(servers, tenant, [f"list {number}" for number in range(LISTS)])
    return Customer(tenant, await at.contact_ids(servers, tenant, CONTACTS), list(lists))


async def _in_a_row(client: Client, customer: Customer, random: Random) -> list[float]:
    return [await _milliseconds(client, customer.body(random)) for _ in range(IN_A_ROW)]


async def _milliseconds(client: Client, body: dict[str, object]) -> float:
    begun = time.perf_counter()
    submitted = await client.submit("add_list_memberships", body)
    activity = await client.get(f"/activities/{submitted.activity_id}", wait="60")
    milliseconds = (time.perf_counter() - begun) * 1000
    assert activity["state"] == "completed", activity
    return milliseconds


async def _burst_round(servers: Servers, customers: Sequence[Customer], random: Random) -> float:
    """Activities a second, from the first submission to the last completion."""
    requests = [_request(customers[number % ACCOUNTS], random) for number in range(AT_ONCE)]
    sent = await load.run(servers.stack.address, requests, CONNECTIONS, expected=201)
    # An account with anything unfinished has a place in a queue, so no lease means that all are done.
    while await servers.owner.fetchval("SELECT EXISTS (SELECT FROM lease)"):  # noqa: ASYNC110 (other processes)
        await asyncio.sleep(LOOK_SECONDS)
    return AT_ONCE / (time.monotonic() - sent.begun)


def _request(customer: Customer, random: Random) -> bytes:
    path = "/v3/activities/add_list_memberships"
    return load.post(path, json.dumps(customer.body(random)).encode(), Authorization=f"Bearer {customer.tenant.token}")
