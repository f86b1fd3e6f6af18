"""Bars a, b and i: everybody, or a random half, put on fifty empty lists by one request."""

import time
from collections.abc import Iterable, Sequence
from random import Random
from uuid import UUID

from api.client import Client
from engine.sets.chunks import CHUNK_BITS
from engine.settings import Settings
from tests.bench import servers as at
from tests.bench.report import Bar, Finding
from tests.bench.servers import Servers, Tenant

LISTS = 50
#: Lists that the plain table is measured with; with fifty it would take minutes.
PLAIN_LISTS = 5

#: The design's three statements. Ours do the same for many activities at once, lock, mask, and keep the source.
TURN_ON = f"""
INSERT INTO effect (account_id, sequence, batch, set_no, chunk, turned_on, lowest, highest, bits)
SELECT $1, $2, 0, t.set_no, s.chunk, true, 0, {CHUNK_BITS - 1}, coalesce(s.bits & ~d.bits, s.bits)
FROM set_chunk s
CROSS JOIN unnest($3::int[]) t(set_no)
LEFT JOIN set_chunk d ON d.account_id = $1 AND d.set_no = t.set_no AND d.chunk = s.chunk
WHERE s.account_id = $1 AND s.set_no = $4 AND bit_count(coalesce(s.bits & ~d.bits, s.bits)) > 0
"""

WRITE = """
INSERT INTO set_chunk (account_id, set_no, chunk, bits)
SELECT $1, set_no, chunk, bits FROM effect WHERE account_id = $1 AND sequence = $2 ORDER BY set_no, chunk
ON CONFLICT (account_id, set_no, chunk) DO UPDATE SET bits = set_chunk.bits | excluded.bits
"""

COUNT = """
UPDATE contact_set s SET member_count = s.member_count + e.added
FROM (SELECT set_no, sum(bit_count(bits)) AS added FROM effect WHERE account_id = $1 AND sequence = $2 GROUP BY 1) e
WHERE s.account_id = $1 AND s.set_no = e.set_no
"""

PLAIN = """
INSERT INTO bench_membership (account_id, set_no, contact_no)
SELECT $1, l.set_no, c.contact_no FROM unnest($2::int[]) l(set_no) CROSS JOIN contact c WHERE c.account_id = $1
ORDER BY 2, 3
ON CONFLICT DO NOTHING
"""


async def everybody(settings: Settings, contacts: int, rounds: int) -> list[Finding]:
    """Bar a."""
    async with at.with_workers(settings) as servers:
        tenant, source, source_no = await _tenant(servers, contacts, range(1, contacts + 1))
        load = await at.settle(servers)
        ours, by_hand = await _rounds(servers, tenant, source, source_no, rounds)
        plain = await _plain(servers, tenant, rounds)
    rates = [contacts * LISTS / seconds for seconds in ours]
    plain_rates = [contacts * PLAIN_LISTS / seconds for seconds in plain]
    return [
        Finding(
            *("a", f"{contacts:,} contacts to {LISTS} lists, submit to completed", "s", ours, by_hand),
            bar=Bar("at most 0.25 s", at_most=0.25),
            details={"load": load, "baseline": "the design's three statements by hand"},
        ),
        Finding(
            *("a", "… beside the design's three statements by hand", "s", ours, by_hand),
            bar=Bar("at most 8 times", at_most=8, of_ratio=True),
        ),
        Finding(
            *("a", f"… memberships, beside a plain table ({PLAIN_LISTS} lists)", "/s", rates, plain_rates),
            bar=Bar("at least 500 times", at_least=500, of_ratio=True),
            details={"plain_seconds": plain},
        ),
    ]


async def random_half(settings: Settings, contacts: int, rounds: int) -> list[Finding]:
    """Bar b."""
    random = Random(2)
    async with at.with_workers(settings) as servers:
        chosen = (number for number in range(1, contacts + 1) if random.getrandbits(1))
        tenant, source, source_no = await _tenant(servers, contacts, chosen)
        load = await at.settle(servers)
        ours, by_hand = await _rounds(servers, tenant, source, source_no, rounds)
    name = f"a random half of {contacts:,} contacts to {LISTS} lists"
    bar = Bar("at most 0.6 s", at_most=0.6)
    return [Finding("b", name, "s", ours, by_hand, bar, {"load": load})]


async def ten_times(settings: Settings, contacts: int, rounds: int) -> list[Finding]:
    """Bar i: ten times as many contacts as in a, beside a, which is measured again."""
    load = at.load()
    few = await _seconds_of(settings, contacts, rounds)
    many = await _seconds_of(settings, 10 * contacts, rounds)
    name = f"{10 * contacts:,} contacts to {LISTS} lists, beside {contacts:,}"
    bar = Bar("at most 12 times", at_most=12, of_ratio=True)
    return [Finding("i", name, "s", many, few, bar, {"load": load})]


async def _seconds_of(settings: Settings, contacts: int, rounds: int) -> list[float]:
    async with at.with_workers(settings) as servers:
        tenant, source, source_no = await _tenant(servers, contacts, range(1, contacts + 1))
        await at.settle(servers)
        ours, _ = await _rounds(servers, tenant, source, source_no, rounds)
        return ours


async def _tenant(servers: Servers, contacts: int, chosen: Iterable[int]) -> tuple[Tenant, UUID, int]:
    """An account with contacts, of whom the chosen are on a list; its id and number."""
    tenant = await at.new_tenant(servers)
    await at.new_contacts(servers, tenant, contacts)
    [(list_id, set_no)] = (await at.new_lists(servers, tenant, ["source"])).items()
    await at.fill_set(servers, tenant, set_no, chosen)
    return tenant, list_id, set_no


async def _rounds(
    servers: Servers, tenant: Tenant, source: UUID, source_no: int, rounds: int
) -> tuple[list[float], list[float]]:
    """Seconds of each round, over HTTP and by hand; every round has empty lists of its own."""
    ours, by_hand = [], []
    async with at.client(servers, tenant) as client:
        for round_no in range(rounds):
            lists = await _new_lists(servers, tenant, f"ours {round_no}")
            ours.append(await _ours(client, source, list(lists)))
            lists = await _new_lists(servers, tenant, f"by hand {round_no}")
            by_hand.append(await _by_hand(servers, tenant, -1 - round_no, source_no, list(lists.values())))
    return ours, by_hand


async def _new_lists(servers: Servers, tenant: Tenant, name: str) -> dict[UUID, int]:
    return await at.new_lists(servers, tenant, [f"{name} {number}" for number in range(LISTS)])


async def _ours(client: Client, source: UUID, lists: Sequence[UUID]) -> float:
    body = {"source": {"list_ids": [str(source)]}, "list_ids": [str(list_id) for list_id in lists]}
    begun = time.perf_counter()
    submitted = await client.submit("add_list_memberships", body)
    activity = await client.get(f"/activities/{submitted.activity_id}", wait="60")
    seconds = time.perf_counter() - begun
    assert activity["state"] == "completed", activity
    return seconds


async def _by_hand(servers: Servers, tenant: Tenant, sequence: int, source_no: int, set_nos: Sequence[int]) -> float:
    begun = time.perf_counter()
    async with servers.db.account(tenant.account_id) as tx:
        await tx.select(TURN_ON, (tenant.account_id, sequence, set_nos, source_no))
        await tx.select(WRITE, (tenant.account_id, sequence))
        await tx.select(COUNT, (tenant.account_id, sequence))
    return time.perf_counter() - begun


async def _plain(servers: Servers, tenant: Tenant, rounds: int) -> list[float]:
    await at.make_table(
        servers,
        "bench_membership",
        "account_id bigint, set_no integer, contact_no bigint, PRIMARY KEY (account_id, set_no, contact_no)",
    )
    return [await _plain_round(servers, tenant) for _ in range(rounds)]


async def _plain_round(servers: Servers, tenant: Tenant) -> float:
    await servers.owner.execute("TRUNCATE bench_membership; CHECKPOINT")
    begun = time.perf_counter()
    async with servers.db.account(tenant.account_id) as tx:
        await tx.select(PLAIN, (tenant.account_id, list(range(1, PLAIN_LISTS + 1))))
    return time.perf_counter() - begun
