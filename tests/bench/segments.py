"""Bar o: working out who is in a segment of five rules: a text, a date, a list, a tag, and tracking."""

import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID, uuid4

from engine.segments import stored
from engine.sets import reading
from engine.sets.chunks import numbers_of
from engine.settings import Settings
from tests.bench import servers as at
from tests.bench.report import Bar, Finding
from tests.bench.servers import Servers, Tenant

#: Campaigns, of which the rule means the last five; to how many contacts each was sent, and how many opened it.
CAMPAIGNS, LAST = 10, 5
SENT, OPENED = 0.5, 0.2

PLAIN = """
SELECT c.contact_no FROM contact c
WHERE c.account_id = $1 AND c.deleted_at IS NULL AND strpos(lower(c.first_name), $2) > 0 AND c.opt_in_date >= $3
    AND EXISTS (SELECT FROM bench_membership m
        WHERE m.account_id = $1 AND m.set_no = $4 AND m.contact_no = c.contact_no)
    AND EXISTS (SELECT FROM bench_membership m
        WHERE m.account_id = $1 AND m.set_no = $5 AND m.contact_no = c.contact_no)
    AND EXISTS (SELECT FROM bench_membership m
        WHERE m.account_id = $1 AND m.set_no = any($6) AND m.contact_no = c.contact_no)
    AND NOT EXISTS (SELECT FROM bench_membership m
        WHERE m.account_id = $1 AND m.set_no = any($7) AND m.contact_no = c.contact_no)
"""


@dataclass(frozen=True, slots=True)
class Cast:
    """Whom the rules speak of: a list and a tag with their numbers, and the sets of the last campaigns."""

    list_id: UUID
    list_no: int
    tag_id: UUID
    tag_no: int
    sent: Sequence[int]
    opened: Sequence[int]

    @property
    def sets(self) -> Iterator[int]:
        yield from (self.list_no, self.tag_no, *self.sent, *self.opened)


#: Contacts have subscribed over a thousand days: the date rule means about half of them.
SINCE = date.today() - timedelta(days=500)  # noqa: DTZ011 (a day is enough)


async def evaluation(settings: Settings, contacts: int, rounds: int) -> list[Finding]:
    """Bar o: ours beside a query with the same meaning over a row a membership."""
    async with at.without_workers(settings) as servers:
        tenant = await at.new_tenant(servers)
        await at.new_contacts(servers, tenant, contacts)
        cast = await _cast(servers, tenant, contacts)
        await _copy_plainly(servers, cast)
        details = {"load": await at.settle(servers)}
        ours, plain, found = [], [], set[int]()
        for _ in range(rounds):
            seconds, found = await _ours(servers, tenant, _criteria(cast))
            plain_seconds, plain_found = await _plain(servers, tenant, cast)
            assert found == plain_found
            ours.append(seconds)
            plain.append(plain_seconds)
        details["members"] = len(found)
    work = f"a segment of five rules over {contacts:,} contacts, beside plain tables"
    return [Finding("o", work, "s", ours, plain, Bar("at most 0.5 s", at_most=0.5), details)]


async def _cast(servers: Servers, tenant: Tenant, contacts: int) -> Cast:
    random, everybody = Random(15), range(1, contacts + 1)
    [(list_id, list_no)] = (await at.new_lists(servers, tenant, ["list"])).items()
    [(tag_id, tag_no)] = (await at.new_tags(servers, tenant, ["tag"])).items()
    sizes = {list_no: 0.5, tag_no: 0.3}
    for number in range(CAMPAIGNS):
        sizes |= {1000 + 2 * number: SENT, 1001 + 2 * number: OPENED}
        await servers.owner.execute(
            f"SET muster.account_id = '{tenant.account_id}'; INSERT INTO campaign (account_id, campaign_id, sent_at,"
            f" sent_set, opened_set) VALUES ({tenant.account_id}, '{uuid4()}', now() - interval '{number} days',"
            f" {1000 + 2 * number}, {1001 + 2 * number})"
        )
    for set_no, share in sizes.items():
        await at.fill_set(servers, tenant, set_no, random.sample(everybody, int(contacts * share)))
    last = range(1000, 1000 + 2 * LAST)
    return Cast(list_id, list_no, tag_id, tag_no, last[::2], last[1::2])


def _criteria(cast: Cast) -> str:
    def any_of(*rules: dict[str, Any]) -> dict[str, Any]:
        return {"type": "or", "group": list(rules)}

    contains = {"op": "contains-any"}
    rules = [
        {"source": "contact", "field": "first_name", "op": "contains", "value": "ST 1"},
        {"source": "contact", "field": "opt_in_date", "op": "after", "value": str(SINCE - timedelta(days=1))},
        any_of({"source": "list_membership", "field": "list_id", **contains, "value": str(cast.list_id)}),
        any_of({"source": "tags", "field": "tag_id", **contains, "value": str(cast.tag_id)}),
        {
            "source": "tracking",
            "field": "not_opened",
            **contains,
            "const_value": "last-n-campaigns",
            "param": str(LAST),
        },
    ]
    return json.dumps({"version": "1.0.0", "criteria": {"type": "and", "group": rules}})


async def _ours(servers: Servers, tenant: Tenant, criteria: str) -> tuple[float, set[int]]:
    begun = time.perf_counter()
    async with servers.db.account(tenant.account_id) as tx:
        rows = await reading.chunks(tx, await stored.resolve(tx, criteria))
    seconds = time.perf_counter() - begun
    return seconds, {number for row in rows for number in numbers_of(row["chunk"], row["bits"])}


async def _copy_plainly(servers: Servers, cast: Cast) -> None:
    """The same memberships, a row each."""
    await at.make_table(
        servers,
        "bench_membership",
        "account_id bigint, set_no integer, contact_no bigint, PRIMARY KEY (account_id, set_no, contact_no)",
    )
    await servers.owner.execute(
        "INSERT INTO bench_membership (account_id, set_no, contact_no)"
        " SELECT account_id, set_no, chunk::bigint * length(bits) + place"
        " FROM set_chunk CROSS JOIN LATERAL generate_series(0, length(bits) - 1) place"
        f" WHERE set_no IN ({', '.join(map(str, cast.sets))}) AND get_bit(bits, place) = 1 ORDER BY 1, 2, 3"
    )


async def _plain(servers: Servers, tenant: Tenant, cast: Cast) -> tuple[float, set[int]]:
    since = datetime.combine(SINCE, datetime.min.time(), UTC)
    arguments = (tenant.account_id, "st 1", since, cast.list_no, cast.tag_no, cast.sent, cast.opened)
    begun = time.perf_counter()
    async with servers.db.account(tenant.account_id) as tx:
        rows = await tx.select(PLAIN, arguments)
    return time.perf_counter() - begun, {row["contact_no"] for row in rows}
