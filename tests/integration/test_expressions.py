"""Set expressions on PostgreSQL, compared with plain Python sets."""

from collections import Counter
from collections.abc import Sequence
from random import Random
from unittest.mock import patch
from uuid import UUID, uuid4

import asyncpg
import pytest
import pytest_asyncio
from asyncpg import BitString
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.accounts import Account
from engine.database import Database, Transaction
from engine.sets import expressions, reading
from engine.sets.chunks import CHUNK_BITS, bits_of, numbers_of
from engine.sets.expressions import (
    EVERYWHERE,
    LAST_CHUNK,
    NOBODY,
    Chunks,
    Contacts,
    Expression,
    Intersection,
    Matching,
    Members,
)
from engine.sets.predicates import Column, Not, OneOf
from tests.expression_model import MARK_KINDS, MARKED_SETS, MONTHS, TIMES, World, random_expressions

#: Numbers at the edges of words, parts and chunks, besides random ones.
EDGES = [
    edge + step
    for edge in (0, 64, 128, 1024, 2048, CHUNK_BITS, CHUNK_BITS + 1024, 3 * CHUNK_BITS, 5 * CHUNK_BITS)
    for step in (-1, 0, 1)
    if edge + step > 0
]
SET_NOS = [-2, -1, 1, 2, 3, 4]
#: Stored with chunks in which no bit is set any more.
EMPTIED = 5
UNKNOWN = 99


def _world() -> World:
    """Contacts over six chunks, and sets of any size."""
    random = Random(1)
    numbers = sorted({*EDGES, *random.sample(range(1, 6 * CHUNK_BITS), 300)})
    return World(
        ids={number: UUID(int=number) for number in numbers},
        months={number: random.choice((*MONTHS, None)) for number in numbers},
        sets={
            set_no: frozenset(random.sample(numbers, size))
            for set_no, size in zip(SET_NOS, (1, 5, 20, 100, 300, len(numbers)), strict=True)
        },
        emails={number: f"c{random.randint(1, 200)}@example.org" for number in numbers if random.random() < 0.9},
        marks={
            (number, kind, set_no): random.choice(TIMES)
            for number in random.sample(numbers, 100)
            for kind in MARK_KINDS
            for set_no in MARKED_SETS
            if random.random() < 0.5
        },
    )


WORLD = _world()
#: Another account, with the same ids, where everybody is in every set and was born in the same month.
OTHER = World(
    ids=WORLD.ids,
    months=dict.fromkeys(WORLD.ids, 1),
    sets=dict.fromkeys((*SET_NOS, EMPTIED, UNKNOWN), frozenset(WORLD.ids)),
    emails=dict.fromkeys(WORLD.ids, "c1@example.org"),
    marks={(number, kind, set_no): TIMES[0] for number in WORLD.ids for kind in MARK_KINDS for set_no in MARKED_SETS},
)


@pytest_asyncio.fixture
async def world(database_url: str, account: Account) -> World:
    """The world, stored in the account."""
    owner = await asyncpg.connect(database_url)
    try:
        await _store(owner, account.account_id, WORLD)
        await _store(owner, account.account_id + 1_000_000, OTHER)
    finally:
        await owner.close()
    return WORLD


async def _store(owner: "asyncpg.Connection", account_id: int, world: World) -> None:
    async with owner.transaction():
        await owner.execute(f"SET LOCAL muster.account_id = '{account_id}'")
        await owner.executemany(
            "INSERT INTO contact (account_id, contact_no, contact_id, birthday_month, email_key, email_ordinal,"
            " created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, now(), now())",
            [
                (account_id, number, world.ids[number], world.months[number], world.emails.get(number), ordinal)
                for number, ordinal in _ordinals(world).items()
            ],
        )
        await owner.executemany(
            "INSERT INTO mark (account_id, contact_no, kind, set_no, marked_at) VALUES ($1, $2, $3, $4, $5)",
            [(account_id, *place, time) for place, time in world.marks.items()],
        )
        chunks = [
            (account_id, set_no, chunk, bits)
            for set_no, members in world.sets.items()
            for chunk, bits in bits_of(members).items()
        ]
        zeros = BitString.frombytes(bytes(CHUNK_BITS // 8), bitlength=CHUNK_BITS)
        chunks += [(account_id, EMPTIED, chunk, zeros) for chunk in range(3) if EMPTIED not in world.sets]
        await owner.executemany(
            "INSERT INTO set_chunk (account_id, set_no, chunk, bits) VALUES ($1, $2, $3, $4)", chunks
        )
        await owner.execute("UPDATE account SET last_contact_no = $2 WHERE account_id = $1", account_id, max(world.ids))


def _ordinals(world: World) -> dict[int, int]:
    """By number: who had the address first does not always have the lowest."""
    seen = Counter[str | None]()
    ordinals = {}
    for number in Random(2).sample(sorted(world.ids), len(world.ids)):
        email = world.emails.get(number)
        ordinals[number] = seen[email] if email else 0
        seen[email] += 1
    return ordinals


async def selected(db: Database, account: Account, expression: Expression, chunks: Chunks = EVERYWHERE) -> set[int]:
    """The contact numbers that the compiled expression selects; checks the form of its rows."""
    query = expressions.compile(expression, account.account_id, chunks)
    async with db.account(account.account_id) as tx:
        rows = await tx.select(query.sql, query.args)
    assert len({row["chunk"] for row in rows}) == len(rows)
    assert {len(row["bits"]) for row in rows} <= {CHUNK_BITS}
    members = [list(numbers_of(row["chunk"], row["bits"])) for row in rows]
    assert all(members), "a chunk without a member"
    return {number for numbers in members for number in numbers}


@settings(max_examples=2000)
@given(expression=random_expressions([*SET_NOS, EMPTIED, UNKNOWN], [*list(WORLD.ids.values())[:40], UUID(int=0)]))
@pytest.mark.timeout(600)
async def test_random_expressions_select_what_python_sets_say(
    expression: Expression, db: Database, account: Account, world: World
) -> None:
    assert await selected(db, account, expression) == world.members(expression)


@settings(max_examples=300)
@given(
    expression=random_expressions([*SET_NOS, EMPTIED], list(WORLD.ids.values())[:40]),
    chunks=st.builds(Chunks, st.integers(0, 6), st.none() | st.integers(1, 7)),
)
@pytest.mark.timeout(600)
async def test_some_chunks_of_an_expression(
    expression: Expression, chunks: Chunks, db: Database, account: Account, world: World
) -> None:
    wanted = range(chunks.first, 7 if chunks.end is None else chunks.end)
    expected = {number for number in world.members(expression) if number // CHUNK_BITS in wanted}
    assert await selected(db, account, expression, chunks) == expected


@pytest.mark.parametrize("several", [1, 1000])
@settings(max_examples=200)
@given(
    expression=random_expressions([*SET_NOS, EMPTIED], list(WORLD.ids.values())[:40]),
    limit=st.sampled_from((1, 2, 50, 1000)),
    after=st.sampled_from((0, *EDGES)),
)
@pytest.mark.timeout(600)
async def test_pages_whether_one_process_scans_or_several(
    expression: Expression, limit: int, after: int, several: int, db: Database, account: Account, world: World
) -> None:
    """A page is found in steps that grow; settings of the planner are as before after it."""
    expected = sorted(number for number in world.members(expression) if number > after)
    with patch.object(reading, "WORTH_SEVERAL", several):
        async with db.account(account.account_id) as tx:
            before = await tx.select("SELECT name, setting FROM pg_settings WHERE name <> 'transaction_isolation'", ())
            assert await reading.page(tx, expression, limit=limit, after=after) == expected[:limit]
            assert await reading.count(tx, expression) == len(world.members(expression))
            assert {row["chunk"] for row in await reading.chunks(tx, expression)} == {
                number // CHUNK_BITS for number in world.members(expression)
            }
            after_it = await tx.select(
                "SELECT name, setting FROM pg_settings WHERE name <> 'transaction_isolation'", ()
            )
    assert after_it == before


async def test_a_page_scans_no_more_than_it_takes(db: Database, account: Account, world: World) -> None:
    """Those who are found in the first chunk are not looked for in others."""
    everybody = Matching(Not(OneOf(Column.BIRTHDAY_MONTH, (13,))))
    scanned: list[object] = []
    select = Transaction.select

    async def watched(tx: Transaction, sql: str, arguments: Sequence[object]) -> list[asyncpg.Record]:
        scanned.append(arguments[1:3])
        return await select(tx, sql, arguments)

    async with db.account(account.account_id) as tx:
        with patch.object(Transaction, "select", watched):
            assert await reading.page(tx, everybody, limit=3) == sorted(world.ids)[:3]
            assert await reading.page(tx, everybody, limit=1000) == sorted(world.ids)
    assert scanned == [(0, 1), (0, 1), (1, 5), (5, LAST_CHUNK)]


async def test_every_contact_can_be_scanned(db: Database, account: Account, world: World) -> None:
    everybody = Matching(Not(OneOf(Column.BIRTHDAY_MONTH, (13,))))
    assert await selected(db, account, everybody) == set(world.ids)


async def test_nobody_is_in_no_set(db: Database, account: Account, world: World) -> None:
    assert await selected(db, account, NOBODY) == set()


async def test_five_hundred_ids_with_repeats(db: Database, account: Account, world: World) -> None:
    named = dict(list(world.ids.items())[:200])
    asked = (*named.values(), *named.values(), *(uuid4() for _ in range(100)))
    assert await selected(db, account, Contacts(asked)) == set(named)


async def test_joining_many_sets_stays_quick(db: Database, account: Account, world: World) -> None:
    """A segment may have hundreds of groups that must all hold; planning must not explode."""
    everybody = Members((*SET_NOS,))
    parts = tuple(Members((*SET_NOS, UNKNOWN + place)) for place in range(150))
    assert await selected(db, account, Intersection(parts)) == world.members(everybody)
