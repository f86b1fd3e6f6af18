"""How much a token may ask in a day, of several API processes (contract v3.md 1.8 and 1.9)."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from itertools import cycle, islice

import pytest
import pytest_asyncio

from api.errors import QuotaExceeded
from api.quota import Quota
from engine import principals
from engine.database import Database
from engine.principals import Principal, Privilege
from engine.settings import Settings
from tests.e2e.api.conftest import NewToken
from tests.e2e.api.front import Front, open_front
from tests.integration.desk import Desk

DAY = 86_400

#: Fronts of as many servers, which answer so many requests a day together.
NewFronts = Callable[..., Awaitable[Sequence[Front]]]


@pytest_asyncio.fixture
async def new_fronts(settings: Settings, desk: Desk, token: str) -> AsyncIterator[NewFronts]:
    async with AsyncExitStack() as stack:

        async def open_all(count: int, a_day: int | None) -> Sequence[Front]:
            limited = settings.model_copy(update={"requests_per_day": a_day})
            return [await stack.enter_async_context(open_front(limited, desk, token)) for _ in range(count)]

        yield open_all


async def statuses(fronts: Sequence[Front], count: int) -> list[int]:
    """Of so many requests at once, to one server after the other."""
    asked = [front.request("GET", "/v3/contact_tags") for front in islice(cycle(fronts), count)]
    return [answer.status for answer in await asyncio.gather(*asked)]


async def taken(desk: Desk) -> int:
    """How many requests of the day the servers have taken, of all tokens."""
    sql = "SELECT sum(requests) FROM principal_grant WHERE account_id = $1"
    return int(await desk.owner.fetchval(sql, desk.account_id))


async def count_before(desk: Desk, requests: int, days_ago: int = 0) -> None:
    """As if so many had been taken on that day."""
    await desk.owner.execute(
        "UPDATE principal_grant SET requests = $2, requests_on = (now() AT TIME ZONE 'UTC')::date - $3::integer"
        " WHERE account_id = $1",
        *(desk.account_id, requests, days_ago),
    )


async def test_all_servers_count_together(new_fronts: NewFronts, new_token: NewToken) -> None:
    """Contract 1.8, 1.9: 429 as one object and without headers, of each token for itself."""
    fronts = await new_fronts(2, 5)
    answered = await statuses(fronts, 20)
    assert (answered.count(200), answered.count(429)) == (5, 15)
    refused = await fronts[0].request("POST", "/v3/contact_tags", json={"name": "T"})
    assert refused.status == 429
    assert refused.body == {"error_key": "quota_exceeded", "error_message": "Limit Exceeded"}
    assert not {"Retry-After", "X-RateLimit-Limit", "X-RateLimit-Remaining"} & set(refused.headers)
    other = fronts[0].as_(await new_token(*Privilege))
    assert await other.get("/v3/contact_tags") == {"tags": []}


async def test_what_is_refused_counts_as_well(new_fronts: NewFronts, new_token: NewToken) -> None:
    """Contract 1.9: requests, whatever comes of them; but nobody is known to make those without a token."""
    [front] = await new_fronts(1, 2)
    await front.as_(None).refused("GET", "/v3/contact_tags", 401)
    reader = front.as_(await new_token(Privilege.CONTACTS_READ))
    await reader.refused("POST", "/v3/contact_tags", 403, json={"name": "T"})
    await reader.get("/v3/contact_tags?limit=0", 400)
    await reader.get("/v3/contact_tags", 429)


async def test_requests_are_taken_by_the_block(new_fronts: NewFronts, desk: Desk) -> None:
    """One statement for a thousandth of the day's; what one server has taken the others cannot answer."""
    first, second = await new_fronts(2, 3000)
    await count_before(desk, 2990)
    assert await statuses([first], 1) == [200]
    assert await taken(desk) == 2993
    assert await statuses([first], 2) == [200] * 2
    assert await taken(desk) == 2993
    assert await statuses([first], 1) == [200]
    assert (await statuses([second], 6)).count(200) == 4
    assert (await statuses([first], 6)).count(200) == 2


async def test_a_token_without_requests_asks_the_database_no_more(new_fronts: NewFronts, desk: Desk) -> None:
    fronts = await new_fronts(2, 4)
    await statuses(fronts, 20)
    before = await taken(desk)
    assert set(await statuses(fronts, 20)) == {429}
    assert await taken(desk) == before


async def test_a_new_server_knows_what_others_answered(new_fronts: NewFronts) -> None:
    """Contract 1.9: a day's limit outlasts a restart."""
    assert await statuses(await new_fronts(1, 3), 2) == [200, 200]
    assert (await statuses(await new_fronts(1, 3), 5)).count(200) == 1


async def test_nothing_is_counted_unless_it_is_limited(new_fronts: NewFronts, desk: Desk) -> None:
    """Contract 1.9 and 6.27: a setting, off by default."""
    defaults = [Settings.model_fields[name].default for name in ("requests_per_day", "requests_per_second")]
    assert defaults == [None, None]
    assert set(await statuses(await new_fronts(1, None), 5)) == {200}
    assert await taken(desk) == 0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def admitted(quota: Quota, principal: Principal, count: int) -> int:
    """How many of so many requests are."""
    results = await asyncio.gather(*(quota.admit(principal) for _ in range(count)), return_exceptions=True)
    assert {type(each) for each in results} <= {type(None), QuotaExceeded}
    return results.count(None)


@pytest_asyncio.fixture
async def principal(db: Database, token: str) -> Principal:
    return await principals.authenticate(db, token)


async def test_each_day_has_its_own(settings: Settings, db: Database, desk: Desk, principal: Principal) -> None:
    """Contract 1.9: the day ends at 00:00 UTC, by the database's clock, also for requests that are left of it."""
    clock = Clock()
    quota = Quota(db, settings.model_copy(update={"requests_per_day": 2000}), clock)
    await count_before(desk, 2000, days_ago=1)
    assert await admitted(quota, principal, 1) == 1
    assert await taken(desk) == 2
    clock.now += DAY
    await count_before(desk, 1999, days_ago=0)
    assert await admitted(quota, principal, 5) == 1
    clock.now += DAY
    await count_before(desk, 2000, days_ago=1)
    assert await admitted(quota, principal, 2001) == 2000


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Pago_Pago"])
async def test_the_day_ends_in_utc(db: Database, desk: Desk, principal: Principal, zone: str) -> None:
    """Contract 1.9: whatever the zone of the database."""
    left = "SELECT extract(epoch FROM date_trunc('day', t) + interval '1 day' - t)::float FROM (SELECT {} AS t) AS at"
    async with db.everywhere() as tx:
        await tx.select(f"SET LOCAL timezone = '{zone}'", ())
        row = await tx.one(
            "take_requests", principal_id=principal.principal_id, grant_account=desk.account_id, block=1, most=10
        )
        [[expected]] = await tx.select(left.format("now() AT TIME ZONE 'UTC'"), ())
    assert row is not None
    assert row["seconds"] == pytest.approx(expected)


async def test_who_comes_late_does_not_begin_yesterday_again(db: Database, desk: Desk, principal: Principal) -> None:
    """Two transactions around midnight may reach the row in the other order: both take from the new day."""
    await count_before(desk, 7, days_ago=-1)
    taken_now = await principals.take_requests(db, principal, 2, 10)
    assert (taken_now.requests, await taken(desk)) == (2, 9)
    assert taken_now.seconds > DAY
