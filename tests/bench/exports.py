"""Bar j: exporting contacts to a file, beside a bare COPY of the same columns; and what the names of sets cost."""

import time
from collections.abc import Sequence
from random import Random

from engine.exports.columns import COLUMNS, NAMES
from engine.settings import Settings
from tests.bench import servers as at
from tests.bench.report import Bar, Finding
from tests.bench.servers import Servers, Tenant

FIELDS = [name for name in COLUMNS if name not in NAMES]
#: Lists and tags, and the share of the contacts that is in each at random: four lists and two tags a contact.
LISTS, LIST_SHARE = 50, 0.08
TAGS, TAG_SHARE = 20, 0.1

#: Something in most columns.
FURNISH = """
UPDATE contact SET
    job_title = 'Job title ' || contact_no % 101, company_name = 'Company ' || contact_no % 50021,
    birthday_month = contact_no % 12 + 1, birthday_day = contact_no % 28 + 1,
    phone_numbers = jsonb_build_array(jsonb_build_object('kind', 'home', 'phone_number', '555-' || contact_no)),
    street_addresses = jsonb_build_array(jsonb_build_object(
        'kind', 'home', 'street', contact_no || ' Elm Street', 'city', 'Oslo', 'postal_code', '0150', 'country', 'NO'
    ))
WHERE account_id = $1
"""


async def rate(settings: Settings, contacts: int, rounds: int) -> list[Finding]:
    """Bar j."""
    async with at.with_workers(settings) as servers:
        tenant = await _tenant(servers, contacts)
        load = await at.settle(servers)
        ours, bare, named = [], [], []
        for _ in range(rounds):
            ours.append(contacts / await _export(servers, tenant, contacts, FIELDS))
            bare.append(contacts / await _bare(servers, tenant, contacts))
            named.append(contacts / await _export(servers, tenant, contacts, list(COLUMNS)))
    bar = Bar("at least 0.6", at_least=0.6, of_ratio=True)
    work = f"CSV export of {contacts:,} contacts, rows, beside bare COPY"
    cost = f"… with the names of {LISTS} lists and {TAGS} tags, beside that without"
    return [
        Finding("j", work, "/s", ours, bare, bar, {"load": load, "fields": len(FIELDS)}),
        Finding("j", cost, "/s", named, ours),
    ]


async def _tenant(servers: Servers, contacts: int) -> Tenant:
    """An account whose contacts have something in most columns, and are on lists and tagged."""
    tenant, random = await at.new_tenant(servers), Random(4)
    await at.new_contacts(servers, tenant, contacts)
    async with at.as_owner(servers, tenant) as owner:
        await owner.execute(FURNISH, tenant.account_id)
    lists = await at.new_lists(servers, tenant, [f"List number {number}" for number in range(LISTS)])
    tags = await at.new_tags(servers, tenant, [f"Tag {number}" for number in range(TAGS)])
    for numbers, share in ((lists, LIST_SHARE), (tags, TAG_SHARE)):
        for set_no in numbers.values():
            members = random.sample(range(1, contacts + 1), int(contacts * share))
            await at.fill_set(servers, tenant, set_no, sorted(members))
    return tenant


async def _export(servers: Servers, tenant: Tenant, contacts: int, fields: Sequence[str]) -> float:
    """Seconds from submitting to completed, the file safe on the disk."""
    async with at.client(servers, tenant) as client:
        begun = time.perf_counter()
        submitted = await client.submit("contact_exports", {"fields": list(fields)})
        activity = await client.finished(submitted.activity_id)
        seconds = time.perf_counter() - begun
    assert activity.state == "completed", activity
    assert activity.status["items_completed_count"] == contacts, activity
    (servers.settings.exports / str(tenant.account_id) / f"{submitted.activity_id}.csv").unlink()
    return seconds


async def _bare(servers: Servers, tenant: Tenant, contacts: int) -> float:
    """Seconds of one COPY of one SELECT to nowhere."""
    columns = ", ".join(COLUMNS[name].sql for name in FIELDS)
    select = (
        f"SELECT {columns} FROM contact c CROSS JOIN LATERAL (SELECT c.street_addresses -> 0 AS address OFFSET 0) a"
        f" WHERE c.account_id = {tenant.account_id:d} AND c.deleted_at IS NULL"
    )

    async def discard(_: bytes) -> None:
        pass

    begun = time.perf_counter()
    async with servers.db.account(tenant.account_id) as tx:
        status = await tx._connection.copy_from_query(select, output=discard, format="csv")
    seconds = time.perf_counter() - begun
    assert status == f"COPY {contacts}"
    return seconds
