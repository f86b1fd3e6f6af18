"""The planner uses keys whole, whatever the server's statistics know of an account.

Of an account that was not analyzed yet, as in its first import, the planner would expect no rows and find every index
that begins with the account equally good; each look-up would then read the whole account.
"""

import json
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from engine.contacts.search import Criteria
from engine.database import Transaction
from engine.exports import columns
from engine.queries import statements
from engine.sets import expressions, ordering
from engine.sets.chunks import bits_of
from engine.sets.ordering import By, SortKey
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk

#: Contacts of either account: enough that reading all of them is no good plan.
CONTACTS = 3000

#: As many as an activity may name, or a transaction write: enough that the planner would rather read everybody.
MANY = 500
NUMBERS, IDS = list(range(1, MANY + 1)), [uuid4() for _ in range(MANY)]

STATEMENTS: Mapping[str, Mapping[str, object]] = {
    "lock_contacts": {
        "contact_ids": [uuid4(), uuid4()],
        "contact_nos": [1, 2],
        "email_keys": ["c1@example.org"],
        "making": False,
    },
    "holders_of_emails": {
        "email_keys": ["c1@example.org", "c2@example.org"],
        "first_names": ["Ada", None],
        "last_names": ["Ash", None],
    },
    "update_contacts": {"rows": json.dumps([{"contact_no": 1}, {"contact_no": 2}]), "contact_nos": [1, 2]},
    "contact_by_id": {"contact_id": uuid4()},
    "lock_imported_contacts": {"email_keys": ["c1@example.org", "c2@example.org"]},
    "freeze_contacts": {"sequences": [1] * MANY, "contact_ids": IDS, "batch": 0},
    "unknown_contacts": {"sequences": [1, 1], "contact_ids": [uuid4(), uuid4()]},
    "left_out_contacts": {"contact_ids": [uuid4(), uuid4()]},
    "told_by_id": {"contact_ids": IDS},
    "told_by_email": {"email_keys": ["c1@example.org", "c2@example.org"]},
    "lock_told_contacts": {"contact_nos": NUMBERS},
    "keep_told_contacts": {"sequence": 1, "contact_nos": NUMBERS},
    "unsubscribe_told": {"contact_nos": NUMBERS, "times": [datetime.now(UTC)] * MANY},
    "hold_told": {"contact_nos": NUMBERS},
    "note_changes": {"sequence": 1, "sms_explicit": True},
    "lock_doomed_contacts": {"source": 1, "first": 0, "last": 3},
    "mark_doomed_contacts": {"contact_nos": NUMBERS},
    "update_imported": {"sequence": 1, "sms_explicit": True},
    "keep_contacts_before": {"sequence": 1},
}


@pytest.fixture
async def newcomer(desk: Desk, new_desk: NewDesk) -> Desk:
    """A new account, of which the server's statistics do not know yet, beside one that they know."""
    await desk.make_contacts(CONTACTS)
    await desk.owner.execute("ANALYZE contact")
    made = await new_desk()
    await made.make_contacts(CONTACTS)
    return made


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
@pytest.mark.parametrize("name", STATEMENTS)
async def test_contacts_of_a_new_account_are_found_by_key(newcomer: Desk, name: str, plans: str) -> None:
    nodes = await planned(newcomer, name, plans)
    scans = [node for node in nodes if node.get("Relation Name") == "contact" and "Scan" in node["Node Type"]]
    assert scans
    for scan in scans:
        assert any(key in found_by(scan) for key in ("email_key", "contact_no", "contact_id")), scan


@pytest.mark.parametrize("contact_nos", [range(1, 100), range(1, 1000, 10)], ids=["dense", "sparse"])
async def test_rows_of_an_export_are_found_by_key(newcomer: Desk, contact_nos: Sequence[int]) -> None:
    """The statement is composed in code, and COPY plans it anew for each batch: here for the first of an account."""
    async with newcomer.db.account(newcomer.account_id) as tx:
        statement = columns.select(tx.account_id, contact_nos, list(columns.COLUMNS), [])
        nodes = await planned_in(tx, statement, ("", "", "-"), "force_custom_plan")
    [scan] = [node for node in nodes if node.get("Relation Name") == "contact"]
    assert "contact_no" in found_by(scan)


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_sorted_contacts_are_found_by_key(newcomer: Desk, plans: str) -> None:
    """One by one where they are few, and chunk by chunk where they are many."""
    order = [By(SortKey.LAST_NAME), By(SortKey.UPDATED_AT, descending=True)]
    chunks = bits_of(NUMBERS)
    async with newcomer.db.account(newcomer.account_id) as tx:
        few = await planned_in(tx, ordering.of_numbers(order), (tx.account_id, NUMBERS, 10, 0), plans)
        arguments = (tx.account_id, list(chunks), list(chunks.values()), 10, 0)
        many = await planned_in(tx, ordering.of_chunks(order), arguments, plans)
    for nodes in few, many:
        [scan] = [node for node in nodes if node.get("Relation Name") == "contact"]
        assert "contact_no" in found_by(scan)


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_who_is_meant_by_key_is_found_by_it(newcomer: Desk, plans: str) -> None:
    """Contract greenrope.md 5.1: criteria of a thousand contacts may come in one request."""
    for criteria, key in (
        (Criteria(contact_no=7, last_name="Moss"), "contact_no"),
        (Criteria(email="c7@example.org", first_name="Ada"), "email_key"),
    ):
        async with newcomer.db.account(newcomer.account_id) as tx:
            query = expressions.compile(criteria.expression(), tx.account_id)
            nodes = await planned_in(tx, query.sql, query.args, plans)
        [scan] = [node for node in nodes if node.get("Relation Name") == "contact"]
        assert key in found_by(scan)


@pytest.mark.parametrize("plans", ["force_custom_plan", "force_generic_plan"])
async def test_when_somebody_joined_is_found_by_set_and_chunk(desk: Desk, new_desk: NewDesk, plans: str) -> None:
    """Design, contact sets: through an index on account, set and chunk."""
    newcomer = await new_desk()
    for each in (desk, newcomer):
        await each.owner.execute(
            "INSERT INTO effect SELECT $1, n, 0, n % 5, n % 7, true, 0, 0, B'1' FROM generate_series(1, $2) n",
            each.account_id,
            CONTACTS,
        )
        if each is desk:
            await desk.owner.execute("ANALYZE effect")
    async with newcomer.db.account(newcomer.account_id) as tx:
        wanted = bits_of(NUMBERS)
        arguments = {"set_nos": [1, 2, 3], "chunks": list(wanted), "wanted": list(wanted.values())}
        nodes = await planned_in(tx, *tx._bind("joinings", arguments), plans)
    [scan] = [node for node in nodes if node.get("Relation Name") == "effect"]
    assert scan["Index Name"] == "effect_by_set"
    assert all(key in found_by(scan) for key in ("set_no", "chunk"))


async def test_only_sets_of_contacts_are_found_by_cell(desk: Desk, new_desk: NewDesk) -> None:
    """Design, contact sets: however many sets there are, those of a few contacts cost little, and each is found by key.

    The plans that are kept for whatever account comes (role setting plan_cache_mode).
    """
    for each in (desk, await new_desk()):
        await each.owner.execute(
            "INSERT INTO contact_set (account_id, set_no, kind, name, name_key, created_at, updated_at)"
            " SELECT $1, n, 'company', n, n, now(), now() FROM generate_series(1, $2) n",
            each.account_id,
            CONTACTS,
        )
        await each.owner.execute(
            "INSERT INTO set_chunk (account_id, set_no, chunk, lowest, highest, bits)"
            " SELECT $1, n, n % 7, n, n, B'1' FROM generate_series(1, $2) n",
            each.account_id,
            CONTACTS,
        )
    await desk.owner.execute("VACUUM ANALYZE contact_set, set_chunk")
    application = await asyncpg.connect(desk.settings.database_app_url, statement_cache_size=0)
    try:
        by_cell = {name async for name in planned_by_cell(application)}
    finally:
        await application.close()
    assert by_cell == {"sets_of_contacts", "chunks_of_run"}


async def planned_by_cell(application: Any) -> AsyncIterator[str]:
    """The statements that look sets up by cells, after a check that these do it by nothing less."""
    for name, statement in statements().items():
        if "set_chunk" not in statement.sql or name == "role_sees_through_walls":
            continue
        await application.execute(f"PREPARE kept AS {statement.sql}")
        nulls = ", ".join("null" for _ in statement.parameters)
        plan = json.loads(await application.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE kept ({nulls})"))[0]["Plan"]
        await application.execute("DEALLOCATE kept")
        if scans := [node for node in nodes_of(plan) if node.get("Index Name") == "set_chunk_by_cell"]:
            assert all("cell" in found_by(scan) for scan in scans), name
            yield name


async def planned(desk: Desk, name: str, plans: str) -> list[Mapping[str, Any]]:
    """The nodes of the plan that the application's role gets."""
    async with desk.db.account(desk.account_id) as tx:
        return await planned_in(tx, *tx._bind(name, dict(STATEMENTS[name])), plans)


async def planned_in(tx: Transaction, sql: str, arguments: Sequence[object], plans: str) -> list[Mapping[str, Any]]:
    await tx.select(f"SET LOCAL plan_cache_mode = {plans}", ())
    [row] = await tx.select(f"EXPLAIN (FORMAT JSON) {sql}", arguments)
    [plan] = json.loads(row[0])
    return list(nodes_of(plan["Plan"]))


def found_by(scan: Mapping[str, Any]) -> str:
    """The condition of a scan of an index, or of a bitmap made with one, which the planner may prefer for many keys."""
    return str(scan.get("Index Cond") or scan.get("Recheck Cond", ""))


def nodes_of(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for inner in node.get("Plans", ()):
        yield from nodes_of(inner)
