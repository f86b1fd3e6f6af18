"""Segments on PostgreSQL, compared with the contract's rules told in plain Python."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any
from unittest.mock import patch
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import given, settings

from engine import segments
from engine.accounts import Account
from engine.database import Database
from engine.errors import InvalidSegment
from engine.segments import CustomField, Names, stored
from engine.sets import catalog, expressions, reading
from engine.sets.catalog import SetKind
from engine.sets.chunks import bits_of, numbers_of
from engine.sets.system import EXISTS, TRACKING
from engine.tracking import campaigns
from tests.segment_model import CAMPAIGNS, FIELD_TYPES, WORLD, Contact, meets, random_contact, random_criteria

LISTS = [str(UUID(int=number)) for number in range(1, 4)]
TAGS = [str(UUID(int=number)) for number in range(11, 14)]
DELETED_LIST, DELETED_TAG = str(UUID(int=4)), str(UUID(int=14))
FIELD_NOS = {name: field_no for field_no, name in enumerate(FIELD_TYPES, 1)}
#: The set numbers of campaigns, by action.
TRACKED = {
    campaign_id: {action: 1000 + 10 * place + offset for offset, action in enumerate(("sent", "opened", "clicked"))}
    for place, campaign_id in enumerate(CAMPAIGNS)
}
NAMES = Names(
    lists={UUID(list_id): UUID(list_id).int for list_id in LISTS},
    tags={UUID(tag_id): UUID(tag_id).int for tag_id in TAGS},
    fields={name: CustomField(FIELD_NOS[name], type_) for name, type_ in FIELD_TYPES.items()},  # type: ignore[arg-type]
)


def _contacts() -> Mapping[int, Contact]:
    random = Random(2)
    return {number: random_contact(random, LISTS, TAGS) for number in range(1, 401)}


CONTACTS = _contacts()
#: Deleted contacts are in no segment.
LIVING = {number for number in CONTACTS if number % 7}

COLUMNS = (
    "email",
    "first_name",
    "last_name",
    "job_title",
    "company_name",
    "street_addresses",
    "birthday_month",
    "birthday_day",
    "anniversary",
    "created_at",
    "updated_at",
    "opt_in_date",
    "opt_out_date",
    "create_source",
    "permission",
    "custom_values",
)


@asynccontextmanager
async def _owner(database_url: str, account: Account) -> AsyncIterator["asyncpg.Connection"]:
    owner = await asyncpg.connect(database_url)
    try:
        async with owner.transaction():
            await owner.execute(f"SET LOCAL muster.account_id = '{account.account_id}'")
            yield owner
    finally:
        await owner.close()


@pytest_asyncio.fixture
async def stored_contacts(database_url: str, account: Account) -> None:
    """CONTACTS and whom they are with, stored in the account."""
    async with _owner(database_url, account) as owner:
        places = ", ".join(f"${place}" for place in range(1, len(COLUMNS) + 3))
        await owner.executemany(
            f"INSERT INTO contact (account_id, contact_no, {', '.join(COLUMNS)}) VALUES ({places})",
            [(account.account_id, number, *_row(contact)) for number, contact in CONTACTS.items()],
        )
        await owner.executemany(
            "INSERT INTO set_chunk (account_id, set_no, chunk, bits) VALUES ($1, $2, $3, $4)",
            [
                (account.account_id, set_no, chunk, bits)
                for set_no, members in _sets().items()
                for chunk, bits in bits_of(members).items()
            ],
        )
        await owner.executemany(
            "INSERT INTO campaign (account_id, campaign_id, sent_at, sent_set, opened_set, clicked_set)"
            " VALUES ($1, $2, now() - $3::interval, $4, $5, $6)",
            [
                (account.account_id, campaign_id, timedelta(days=days), *TRACKED[campaign_id].values())
                for campaign_id, days in CAMPAIGNS.items()
            ],
        )


def _row(contact: Contact) -> list[object]:
    custom = {str(FIELD_NOS[name]): value for name, value in contact["custom"].items()}
    columns = {
        **contact,
        "email": contact["email_address"],
        "permission": contact["permission_to_send"],
        "street_addresses": json.dumps(contact["street_addresses"]),
        "custom_values": json.dumps(custom),
    }
    return [columns[column] for column in COLUMNS]


def _sets() -> dict[int, set[int]]:
    named = {
        UUID(set_id).int: {n for n, contact in CONTACTS.items() if set_id in contact[kind]}
        for kind, set_ids in (("lists", LISTS), ("tags", TAGS))
        for set_id in set_ids
    }
    tracked = {
        set_no: {n for n, contact in CONTACTS.items() if campaign_id in contact[action]}
        for campaign_id, set_nos in TRACKED.items()
        for action, set_no in set_nos.items()
    }
    return {EXISTS: LIVING, **named, **tracked}


async def members(db: Database, account: Account, criteria: Mapping[str, Any]) -> set[int]:
    """The numbers of the contacts in a segment."""
    parsed = segments.parse(json.dumps(criteria))
    async with db.account(account.account_id) as tx:
        names = replace(NAMES, campaigns=await campaigns.tracked(tx, segments.mentions(parsed).campaigns))
        rows = await reading.chunks(tx, segments.compile(parsed, names))
    return {number for row in rows for number in numbers_of(row["chunk"], row["bits"])}


@settings(max_examples=1000)
@given(criteria=random_criteria([*LISTS, DELETED_LIST], [*TAGS, DELETED_TAG]))
@pytest.mark.timeout(600)
async def test_random_segments_have_the_members_that_the_contract_says(
    criteria: Mapping[str, Any], db: Database, account: Account, stored_contacts: None
) -> None:
    """Contract 4.3: every field, operator and rule of evaluation, against the model."""
    expected = {n for n in LIVING if meets(CONTACTS[n], criteria["criteria"], WORLD)}
    assert await members(db, account, criteria) == expected


@pytest_asyncio.fixture
async def odd_contacts(database_url: str, account: Account) -> set[int]:
    """Contacts whose columns hold what the engine would never write there; all exist."""
    odd = ["5", '"Oslo"', "null", "true", "[]", "{}", '[[{"city": "Oslo"}], "Oslo", null, 5]', '{"city": "Oslo"}']
    odd += ['[{"city": 5, "state": null, "street": {"city": []}}]', '{"1": 5, "2": {"1": []}}', '{"1": null}']
    async with _owner(database_url, account) as owner:
        await owner.executemany(
            "INSERT INTO contact (account_id, contact_no, created_at, updated_at, anniversary, opt_in_date,"
            " birthday_month, custom_values, street_addresses)"
            " VALUES ($1, $2, 'infinity', '-infinity', 'infinity', '4713-01-01 BC', -5, $3, $3)",
            [(account.account_id, number, value) for number, value in enumerate(odd, 1)],
        )
        everybody = set(range(1, len(odd) + 1))
        for chunk, bits in bits_of(everybody).items():
            await owner.execute(
                "INSERT INTO set_chunk (account_id, set_no, chunk, bits) VALUES ($1, $2, $3, $4)",
                *(account.account_id, EXISTS, chunk, bits),
            )
    return everybody


@settings(max_examples=500)
@given(criteria=random_criteria(LISTS, TAGS))
@pytest.mark.timeout(600)
async def test_no_stored_value_makes_a_segment_fail(
    criteria: Mapping[str, Any], db: Database, account: Account, odd_contacts: set[int]
) -> None:
    assert await members(db, account, criteria) <= odd_contacts


def criteria_of(**rule: Any) -> dict[str, Any]:
    """A segment of one rule."""
    return {"version": "1.0.0", "criteria": {"type": "and", "group": [rule]}}


async def test_case_does_not_matter_in_any_script(
    database_url: str, db: Database, account: Account, odd_contacts: set[int]
) -> None:
    """Contract 4.3: text comparison."""
    async with _owner(database_url, account) as owner:
        if await owner.fetchval("SELECT lower('Ë') <> 'ë'"):
            pytest.skip("the database's collation knows case in ASCII only")
        await owner.execute("UPDATE contact SET first_name = 'ZOË Жук' WHERE contact_no = 3")
    rule = criteria_of(source="contact", field="first_name", op="eq", value="zoë жУК")
    assert await members(db, account, rule) == {3}


async def test_days_are_those_of_utc_wherever_the_session_is(
    db: Database, account: Account, stored_contacts: None
) -> None:
    """Contract 1.5 and 4.3: a bare date is that day of UTC."""
    rule = criteria_of(source="contact", field="created_at", op="eq", value="2024-05-17")
    query = expressions.compile(segments.compile(segments.parse(json.dumps(rule)), NAMES), account.account_id)
    async with db.account(account.account_id) as tx:
        await tx.select("SELECT set_config('timezone', 'Pacific/Auckland', true)", ())
        rows = await tx.select(query.sql, query.args)
    found = {number for row in rows for number in numbers_of(row["chunk"], row["bits"])}
    assert found == {n for n in LIVING if str(CONTACTS[n]["created_at"]).startswith("2024-05-17")}


async def test_names_are_looked_up_when_the_segment_is_used(db: Database, account: Account) -> None:
    """Contract 2.5 and 4.3: ids that do not exist match nobody."""
    async with db.account(account.account_id) as tx:
        news = await catalog.create(tx, SetKind.LIST, "News")
        vip = await catalog.create(tx, SetKind.TAG, "VIP")
        rules = [
            {"source": "list_membership", "field": "list_id", "op": "contains-any", "value": str(news.set_id)},
            {"source": "tags", "field": "tag_id", "op": "contains-any", "value": [str(vip.set_id), TAGS[0]]},
            {"source": "contact", "field": "cf:unknown", "op": "not-eq", "value": "x"},
        ]
        expression = await stored.resolve(tx, json.dumps(criteria_of(type="or", group=rules)))
    assert expressions.reads(expression) == {EXISTS, news.set_no, vip.set_no}


def rules_of(random: Random, count: int) -> list[dict[str, Any]]:
    """Rules of every kind, no two alike."""
    rule = {"source": "tracking", "op": "contains-any"}
    ids = [*CAMPAIGNS, *(str(UUID(int=10_000 + number)) for number in range(count))]
    texts = ("first_name", "email_address", "city", "cf:Shirt_Size")
    made: list[dict[str, Any]] = []
    for number in range(count):
        made += random.choice(
            (
                [{**rule, "field": "not_opened", "const_value": "last-n-campaigns", "param": str(1 + number % 500)}],
                [{**rule, "field": "clicked", "const_value": "last-n-days", "param": 1 + number % 1825}],
                [{**rule, "field": "sent", "value": random.sample(ids, 2)}],
                [{"source": "contact", "field": random.choice(texts), "op": "not-contains", "value": f"x{number}"}],
                [{"source": "contact", "field": "created_at", "op": "after", "value": f"20{10 + number % 14}-05-17"}],
            )
        )
    return made


@pytest.mark.parametrize("several", [1, 1000])
@pytest.mark.parametrize("kind", ["and", "or"])
async def test_criteria_as_long_as_they_may_be(
    kind: str, several: int, db: Database, account: Account, stored_contacts: None
) -> None:
    """Contract 2.5, 4.3: 20,000 characters of rules, at the tenth level, planned anew for several processes, too."""
    rules = rules_of(Random(3), 400)
    node: dict[str, Any] = {"type": kind, "group": rules}
    for level in range(8):
        node = {"type": "or" if level % 2 else "and", "group": [node, rules[level]]}
    criteria = {"version": "1.0.0", "criteria": {"type": "and", "group": [node]}}
    while len(json.dumps(criteria)) > 20_000:
        rules.pop()
    expected = {n for n in LIVING if meets(CONTACTS[n], criteria["criteria"], WORLD)}  # type: ignore[arg-type]
    assert len(json.dumps(criteria)) > 19_000
    with patch.object(reading, "WORTH_SEVERAL", several):
        assert await members(db, account, criteria) == expected


async def test_as_many_campaigns_as_a_rule_may_name(db: Database, account: Account, stored_contacts: None) -> None:
    """Contract 4.1, 4.3: 500."""
    ids = [*CAMPAIGNS, *(str(UUID(int=10_000 + number)) for number in range(500 - len(CAMPAIGNS)))]
    rule = {"source": "tracking", "field": "not_clicked", "op": "contains-any", "value": ids}
    criteria = criteria_of(**rule)
    text = json.dumps(criteria, separators=(",", ":"))
    assert len(text) <= 20_000
    async with db.account(account.account_id) as tx:
        found = await reading.page(tx, await stored.resolve(tx, text), limit=1000)
    assert found == sorted(n for n in LIVING if meets(CONTACTS[n], rule, WORLD))


PUBLISHED = (
    '{"version":"1.0.0","criteria":{"type":"and","group":[{"source":"tracking","field":"not_opened",'
    '"op":"contains-any","const_value":"last-n-campaigns","param":"5"}]}}'
)


async def test_the_published_example(db: Database, account: Account, stored_contacts: None) -> None:
    """Contract 4.1: contacts that opened none of the last 5 campaigns, verbatim."""
    last = list(CAMPAIGNS)[:5]
    expected = {n for n in LIVING if CONTACTS[n]["sent"] & set(last) and not CONTACTS[n]["opened"] & set(last)}
    async with db.account(account.account_id) as tx:
        made = await stored.create(tx, "published", PUBLISHED)
        expression = await stored.resolve(tx, await stored.criteria_of(tx, made.segment_id))
        assert await reading.page(tx, expression, limit=1000) == sorted(expected)
    assert made.criteria == PUBLISHED
    sets = {TRACKED[campaign_id][action] for campaign_id in last for action in ("sent", "opened")}
    assert expressions.reads(expression) == {EXISTS, TRACKING, *sets}


async def test_which_campaigns_are_meant_is_looked_up_when_the_segment_is_used(db: Database, account: Account) -> None:
    """Contract 4.3: with no campaigns nobody; but whoever reads them waits for events that may tell of some."""
    async with db.account(account.account_id) as tx:
        expression = await stored.resolve(tx, PUBLISHED)
        assert await reading.count(tx, expression) == 0
    assert expressions.reads(expression) == {EXISTS, TRACKING}


async def test_a_segment_that_cannot_run_is_not_stored(database_url: str, db: Database, account: Account) -> None:
    """Contract 4.3: 400. The type of a custom field decides which operators it takes."""
    async with _owner(database_url, account) as owner:
        await owner.execute(
            "INSERT INTO custom_field (account_id, field_no, label, name, name_key, type, created_at, updated_at)"
            " VALUES ($1, 1, 'Shirt size', 'Shirt_size', 'shirt_size', 'string', now(), now())",
            account.account_id,
        )
    good = criteria_of(source="contact", field="cf:SHIRT_SIZE", op="eq", value="M")
    bad = criteria_of(source="contact", field="cf:SHIRT_SIZE", op="before", value="2024-05-17")
    async with db.account(account.account_id) as tx:
        created = await stored.create(tx, "good", json.dumps(good))
        assert await stored.criteria_of(tx, created.segment_id) == json.dumps(good)
        with pytest.raises(InvalidSegment, match=r'criteria\.group\[0\]\.op is "before"'):
            await stored.create(tx, "bad", json.dumps(bad))
