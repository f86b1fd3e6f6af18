"""Bars l, m and n: contacts: deleting many, signing up one, and pages of them with all that belongs to them."""

import json
import time
from itertools import count
from random import Random

from engine.settings import Settings
from tests.bench import load
from tests.bench import servers as at
from tests.bench.report import Bar, Finding
from tests.bench.servers import Servers, Tenant

#: Sign-ups of a round into one list, and the connections that send them.
SIGN_UPS, CLIENTS = 4000, 8
#: Contacts and lists that pages are of, lists a contact is on, pages of a round and their size.
CONTACTS, LISTS, LISTS_EACH, PAGES, PAGE = 100_000, 50, 10, 50, 500
INCLUDES = "custom_fields,list_memberships,phone_numbers,street_addresses,taggings,notes,sms_channel"


async def deletions(settings: Settings, contacts: int, rounds: int) -> list[Finding]:
    """Bar l: a tenth of the contacts, who are on half of fifty lists. Each of at most five rounds deletes others.

    The baseline only marks as many contact rows, and clears no membership.
    """
    rounds = min(rounds, 5)
    random = Random(12)
    async with at.with_workers(settings) as servers:
        tenant = await at.new_tenant(servers)
        await at.new_contacts(servers, tenant, contacts)
        lists = await at.new_lists(servers, tenant, [f"list {number}" for number in range(LISTS)])
        for set_no in lists.values():
            await at.fill_set(servers, tenant, set_no, random.sample(range(1, contacts + 1), contacts // 2))
        share = contacts // 10
        parts = [range(first, first + share) for first in range(1, 10 * share, share)]
        doomed = await at.new_lists(servers, tenant, [f"doomed {number}" for number in range(rounds)])
        for part, set_no in zip(parts, doomed.values(), strict=False):
            await at.fill_set(servers, tenant, set_no, part)
        details = {"load": await at.settle(servers)}
        seconds = [await _deletion(servers, tenant, str(list_id)) for list_id in doomed]
        bare = [await _marking(servers, tenant, part) for part in parts[rounds : 2 * rounds]]
    work = f"deleting {share:,} of {contacts:,} contacts, each on 25 of 50 lists"
    return [Finding("l", work, "s", seconds, bare, details=details)]


async def sign_ups(settings: Settings, rounds: int) -> list[Finding]:
    """Bar m."""
    async with at.without_workers(settings) as servers:
        tenant, numbers = await at.new_tenant(servers), count()
        [list_id] = await at.new_lists(servers, tenant, ["newsletter"])
        details = {"load": await at.settle(servers), "connections": CLIENTS}
        rates = [await _sign_ups(servers, tenant, str(list_id), numbers) for _ in range(rounds + 1)]
    bar = Bar("at least 1,000 /s", at_least=1000)
    return [
        Finding(
            "m",
            f"sign_up_form of new contacts into one list, {CLIENTS} clients",
            "/s",
            rates[1:],
            bar=bar,
            details=details,
        )
    ]


async def pages(settings: Settings, rounds: int) -> list[Finding]:
    """Bar n."""
    random = Random(14)
    async with at.without_workers(settings) as servers:
        tenant = await at.new_tenant(servers)
        await at.new_contacts(servers, tenant, CONTACTS)
        lists = await at.new_lists(servers, tenant, [f"list {number}" for number in range(LISTS)])
        for set_no in lists.values():
            await at.fill_set(
                servers, tenant, set_no, random.sample(range(1, CONTACTS + 1), CONTACTS * LISTS_EACH // LISTS)
            )
        details = {"load": await at.settle(servers)}
        rates = [await _pages(servers, tenant) for _ in range(rounds + 1)]
    work = f"GET /contacts, pages of {PAGE} with all includes, contacts on {LISTS_EACH} of {LISTS} lists, one client"
    return [Finding("n", work, "/s", rates[1:], details=details)]


async def _deletion(servers: Servers, tenant: Tenant, list_id: str) -> float:
    async with at.client(servers, tenant) as client:
        begun = time.monotonic()
        submitted = await client.submit("contact_delete", {"list_ids": [list_id]})
        activity = await client.get(f"/activities/{submitted.activity_id}", wait="60")
        assert activity["state"] == "completed", activity
        return time.monotonic() - begun


async def _marking(servers: Servers, tenant: Tenant, numbers: range) -> float:
    """The least that can be done: one statement on the contact rows."""
    begun = time.monotonic()
    async with at.as_owner(servers, tenant) as owner:
        await owner.execute(
            "UPDATE contact SET deleted_at = now(), opt_out_source = 'Account', opt_out_date = now()"
            " WHERE account_id = $1 AND contact_no BETWEEN $2 AND $3",
            *(tenant.account_id, numbers.start, numbers.stop - 1),
        )
    return time.monotonic() - begun


async def _sign_ups(servers: Servers, tenant: Tenant, list_id: str, numbers: "count[int]") -> float:
    requests = [
        load.post("/v3/contacts/sign_up_form", _body(next(numbers), list_id), Authorization=f"Bearer {tenant.token}")
        for _ in range(SIGN_UPS)
    ]
    return SIGN_UPS / (await load.run(servers.stack.address, requests, CLIENTS, expected=201)).seconds


def _body(number: int, list_id: str) -> bytes:
    body = {"email_address": f"c{number}@example.org", "first_name": "Kim", "list_memberships": [list_id]}
    return json.dumps(body).encode()


async def _pages(servers: Servers, tenant: Tenant) -> float:
    """Pages a second, each found by the link of the one before."""
    async with at.client(servers, tenant) as client:
        path, begun = f"/contacts?limit={PAGE}&include={INCLUDES}", time.monotonic()
        for _ in range(PAGES):
            answer = await client.get(path)
            assert len(answer["contacts"]) == PAGE
            path = answer["_links"]["next"]["href"].removeprefix("/v3")
    return PAGES / (time.monotonic() - begun)
