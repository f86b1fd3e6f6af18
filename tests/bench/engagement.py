"""Bar k: computing everybody's engagement level from the campaigns of 90 days."""

import time
from random import Random
from uuid import uuid4

from engine import principals
from engine.activities import reading, submission
from engine.activities.model import State
from engine.activities.runner import Runner
from engine.operations.engagement import ComputeEngagement
from engine.sets.system import ENGAGEMENT
from engine.settings import Settings
from tests.bench import servers as at
from tests.bench.report import Bar, Finding
from tests.bench.servers import Servers, Tenant

#: One a day.
CAMPAIGNS = 90
#: What a campaign has a set for, and which share of the contacts is in it; it is one of so many random samples.
SHARES, SAMPLES = {"sent": 0.5, "opened": 0.2, "clicked": 0.05}, 6


async def computation(settings: Settings, contacts: int, rounds: int) -> list[Finding]:
    """Bar k: from the claim of the activity to its end, with nobody at any level before."""
    async with at.without_workers(settings) as servers:
        tenant = await at.new_tenant(servers)
        await at.new_contacts(servers, tenant, contacts)
        await _new_campaigns(servers, tenant, contacts)
        details = {"load": await at.settle(servers)}
        seconds = []
        for _ in range(rounds):
            await _forget_levels(servers, tenant)
            seconds.append(await _compute(servers, settings, tenant, contacts))
    work = f"engagement levels of {contacts:,} contacts, {CAMPAIGNS} campaigns"
    return [Finding("k", work, "s", seconds, bar=Bar("at most 5 s", at_most=5), details=details)]


async def _compute(servers: Servers, settings: Settings, tenant: Tenant, contacts: int) -> float:
    muster = principals.muster(tenant.account_id)
    submitted = await submission.submit(servers.db, settings, muster, ComputeEngagement())
    begun = time.perf_counter()
    await Runner(servers.db, settings, lambda _: None).run(submitted.messages[0])
    seconds = time.perf_counter() - begun
    ended = await reading.find(servers.db, settings, tenant.account_id, submitted.activity.activity_id)
    assert (ended.state, ended.items_completed) == (State.COMPLETED, contacts)
    return seconds


async def _new_campaigns(servers: Servers, tenant: Tenant, contacts: int) -> None:
    random, everybody = Random(3), range(1, contacts + 1)
    for kind, share in enumerate(SHARES.values()):
        for sample in range(SAMPLES):
            members = random.sample(everybody, int(contacts * share))
            await at.fill_set(servers, tenant, 1000 + 3 * sample + kind, members)
    async with at.as_owner(servers, tenant) as owner:
        for number in range(CAMPAIGNS):
            copies = range(2000 + 3 * number, 2003 + 3 * number)
            for kind, set_no in enumerate(copies):
                await owner.execute(
                    "INSERT INTO set_chunk (account_id, set_no, chunk, bits)"
                    " SELECT account_id, $2, chunk, bits FROM set_chunk WHERE account_id = $1 AND set_no = $3",
                    *(tenant.account_id, set_no, 1000 + 3 * random.randrange(SAMPLES) + kind),
                )
            await owner.execute(
                "INSERT INTO campaign (account_id, campaign_id, sent_at, sent_set, opened_set, clicked_set)"
                " VALUES ($1, $2, now() - make_interval(days => $3), $4, $5, $6)",
                *(tenant.account_id, uuid4(), number, *copies),
            )


async def _forget_levels(servers: Servers, tenant: Tenant) -> None:
    levels, these = list(ENGAGEMENT.values()), "WHERE account_id = $1 AND set_no = any($2)"
    async with at.as_owner(servers, tenant) as owner:
        await owner.execute(f"DELETE FROM set_chunk {these}", tenant.account_id, levels)
        await owner.execute(f"UPDATE contact_set SET member_count = 0 {these}", tenant.account_id, levels)
