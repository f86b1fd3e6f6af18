"""Finding contacts: who meets criteria and predicates, in which order they come, page by page and as a stream."""

from collections import Counter
from collections.abc import Sequence
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from functools import partial
from operator import itemgetter
from random import Random
from typing import Any
from unittest.mock import patch

import pytest

from engine.contacts import search
from engine.contacts.search import Criteria, FullName
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.chunks import CHUNK_BITS, LARGEST_NUMBER
from engine.sets.expressions import EVERYBODY, Difference, Expression, Intersection, Matching, Members, Repeats
from engine.sets.ordering import By, SortKey
from engine.sets.predicates import (
    AllOf,
    AnyOf,
    Column,
    Comparison,
    CustomText,
    Digits,
    ExactlyAmong,
    Not,
    Number,
    Ordered,
    Phone,
    Predicate,
    Present,
    Profile,
    Sign,
    Text,
)
from tests.integration.desk import Desk
from tests.integration.people import make_people

#: Missing and empty ones, any case, accents, another script, blanks, what would sort elsewhere in a dictionary.
NAMES = (
    None,
    "",
    "Moss",
    "moss",
    "MOSS",
    "Mo",
    "Möss",
    "M\u043ess",
    "van Dyk",
    "Van Dyck",
    "O'Neil",
    "oneil",
    "É",
    "é",
    "Ω",
    " a",
)
EMAILS = (None, "A@x.org", "b@x.org", "B@y.org", "ä@x.org", "Ä@z.org")
ASCII = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
NOW = datetime(2026, 1, 1, tzinfo=UTC)


async def found(desk: Desk, expression: Expression, *order: By, limit: int = 1000, offset: int = 0) -> list[int]:
    """The numbers on a page, in order."""
    async with desk.db.account(desk.account_id) as tx:
        _, contacts = await search.page(tx, expression, order, limit=limit, offset=offset)
    return [contact.row["contact_no"] for contact in contacts]


async def streamed(desk: Desk, expression: Expression, *order: By) -> list[int]:
    batches = [batch async for batch in search.stream(desk.db, desk.account_id, expression, order)]
    assert all(0 < len(batch) <= search.BATCH for batch in batches)
    return [contact.row["contact_no"] for batch in batches for contact in batch]


def sort_key(person: dict[str, Any], key: SortKey) -> Any:
    """What plain Python sorts by: strings compare by code points."""
    match key:
        case SortKey.CONTACT_NO | SortKey.CREATED_AT | SortKey.UPDATED_AT:
            return person[key]
        case SortKey.EMAIL:
            return (person[key] or "").strip().lower()
        case SortKey.OTHER_PHONE | SortKey.MOBILE:
            of_kind = (each["phone_number"] for each in person["phone_numbers"] or () if each["kind"] == key)
            return next(of_kind, "").translate(ASCII)
        case SortKey.CITY | SortKey.STATE | SortKey.POSTAL_CODE | SortKey.COUNTRY:
            [first, *_] = person["street_addresses"] or [{}]
            return (first.get(key) or "").translate(ASCII)
        case _:
            return (person[key] or "").translate(ASCII)


def in_order(people: Sequence[dict[str, Any]], order: Sequence[By]) -> list[int]:
    """Python's sort keeps those who are the same as they were, also in reverse: so by the last key first."""
    ordered = sorted(people, key=itemgetter("contact_no"))
    for key, descending in reversed(order):
        ordered.sort(key=partial(sort_key, key=key), reverse=descending)
    return [person["contact_no"] for person in ordered]


def phone(random: Random) -> dict[str, str]:
    return {"kind": random.choice(("other", "mobile", "home")), "phone_number": random.choice(("1", "+1", "a", "B"))}


def address(random: Random) -> dict[str, str | None]:
    return {part: random.choice(NAMES) for part in ("city", "state", "postal_code", "country") if random.random() < 0.9}


def random_people(random: Random) -> list[dict[str, Any]]:
    """Over three chunks; twins get ordinals in the order of their numbers."""
    people, holders = [], Counter[str]()
    for number in sorted(random.sample(range(1, 3 * CHUNK_BITS), 150)):
        person: dict[str, Any] = {
            "contact_no": number,
            "last_name": random.choice(NAMES),
            "first_name": random.choice(NAMES),
            "company_name": random.choice(NAMES),
            "job_title": random.choice(NAMES),
        }
        person["phone_numbers"] = random.choice((None, [], [phone(random) for _ in range(3)]))
        person["street_addresses"] = random.choice((None, [], [address(random) for _ in range(2)]))
        person |= {key: NOW + timedelta(days=random.randint(0, 3)) for key in ("created_at", "updated_at")}
        person["email"] = email = random.choice(EMAILS)
        person["email_ordinal"] = holders[email.lower()] if email else 0
        holders.update([email.lower()] if email else ())
        people.append(person)
    return people


def random_order(random: Random) -> list[By]:
    return [By(key, random.random() < 0.5) for key in random.sample(list(SortKey), random.randint(0, len(SortKey)))]


def orders(random: Random, count: int) -> list[list[By]]:
    return [random_order(random) for _ in range(count)]


@pytest.mark.parametrize("few", [0, search.FEW], ids=["by chunks", "by numbers"])
@pytest.mark.parametrize("seed", range(3))
async def test_pages_and_streams_are_sorted_as_python_sorts(seed: int, few: int, desk: Desk) -> None:
    """Contract greenrope.md 4: the same order for both, whatever the server's locale; missing names first."""
    random = Random(seed)
    people = random_people(random)
    await make_people(desk, people)
    with patch.object(search, "FEW", few), patch.object(search, "BATCH", 40):
        for order in ([], [By(SortKey.CONTACT_NO)], [By(SortKey.CONTACT_NO, True)], *orders(random, 10)):
            expected = in_order(people, order)
            assert await streamed(desk, EVERYBODY, *order) == expected
            assert await found(desk, EVERYBODY, *order) == expected
            for offset in (random.randint(0, 75), random.randint(75, 160)):
                assert await found(desk, EVERYBODY, *order, limit=20, offset=offset) == expected[offset : offset + 20]


async def test_a_page_tells_how_many_there_are_and_what_belongs_to_them(desk: Desk) -> None:
    """Contract greenrope.md 3.2 to 3.4, 4: the total is before paging; lists, tags with abbreviations."""
    await make_people(desk, [{"last_name": name} for name in "cab"])
    async with desk.db.account(desk.account_id) as tx:
        news = await catalog.create(tx, SetKind.LIST, "News")
        speaker = await catalog.create(tx, SetKind.TAG, "Speaker")
        await catalog.abbreviate(tx, SetKind.TAG, speaker.set_id, "SP")
    for named in (news, speaker):
        await desk._put(named.set_no, [2, 3])
    async with desk.db.account(desk.account_id) as tx:
        by_name = (By(SortKey.LAST_NAME),)
        total, [contact] = await search.page(tx, EVERYBODY, by_name, limit=1, offset=0)
        assert await search.page(tx, EVERYBODY, by_name, limit=1, offset=10**30) == (3, [])
        assert await search.page(tx, Members(()), by_name, limit=1, offset=0) == (0, [])
    assert (total, contact.row["contact_no"]) == (3, 2)
    assert [(each.set_no, each.name) for each in contact.sets(SetKind.LIST)] == [(news.set_no, "News")]
    assert [(each.name, each.abbreviation) for each in contact.sets(SetKind.TAG)] == [("Speaker", "SP")]


async def test_a_stream_leaves_out_who_is_deleted_meanwhile(desk: Desk) -> None:
    """And tells the others as they are when they come; nothing is held in between."""
    await make_people(desk, [{"last_name": name} for name in "abcdef"])
    told = []
    with patch.object(search, "BATCH", 2):
        async with aclosing(search.stream(desk.db, desk.account_id, EVERYBODY, [By(SortKey.LAST_NAME)])) as batches:
            async for batch in batches:
                told += [contact.row["last_name"] for contact in batch]
                await desk.owner.execute(
                    "UPDATE contact SET deleted_at = CASE contact_no WHEN 3 THEN now() END,"
                    " last_name = CASE contact_no WHEN 6 THEN 'x' ELSE last_name END WHERE account_id = $1",
                    desk.account_id,
                )
    assert told == ["a", "b", "d", "e", "x"]


async def test_a_stream_that_nobody_takes_to_its_end(desk: Desk) -> None:
    await make_people(desk, [{"last_name": name} for name in "abcdef"])
    with patch.object(search, "BATCH", 2):
        async with aclosing(search.stream(desk.db, desk.account_id, EVERYBODY, ())) as batches:
            assert [contact.row["contact_no"] for contact in await anext(batches)] == [1, 2]
            async with desk.db.account(desk.account_id) as tx:
                assert await tx.value("last_contact_number") == 6


async def test_criteria(desk: Desk) -> None:
    """Contract greenrope.md 4, 5.1: whole values without case, all of them; an empty one is of who has none."""
    people: Sequence[dict[str, Any]] = [
        {"first_name": "Ada", "last_name": " MOSS ", "email": "Ada@X.org"},
        {"first_name": "Ada", "last_name": "Mossman", "email": "ada@x.org", "email_ordinal": 1},
        {"first_name": " ", "last_name": "Birch"},
        {"last_name": "100%_"},
    ]
    await make_people(desk, people)
    expected = {
        Criteria(): [1, 2, 3, 4],
        Criteria(contact_no=2): [2],
        Criteria(contact_no=2, email="ADA@x.org "): [2],
        Criteria(contact_no=3, email="ada@x.org"): [],
        Criteria(email="ada@x.org"): [1, 2],
        Criteria(email=""): [3, 4],
        Criteria(first_name="ADA"): [1, 2],
        Criteria(first_name="ada", last_name="moss"): [1],
        Criteria(first_name="", last_name="birch"): [3],
        Criteria(first_name=""): [3, 4],
        Criteria(last_name="100%_"): [4],
        Criteria(last_name="' or true --"): [],
        Criteria(last_name="Moss\0"): [],
        Criteria(first_name="\ud800"): [],
        Criteria(email="\0"): [],
        **{Criteria(contact_no=number): [] for number in (-1, 0, 5, LARGEST_NUMBER, 2**63, -(2**63) - 1, 10**40)},
    }
    async with desk.db.account(desk.account_id) as tx:
        assert {each: await search.numbers(tx, each.expression(), limit=10) for each in expected} == expected
        assert await search.numbers(tx, Criteria().expression(), limit=2) == [1, 2]


async def test_whole_names(desk: Desk) -> None:
    """Contract greenrope.md 5.2: for each of many names, as criteria compare them, who has it."""
    people = [
        ("Ada", " MOSS "),
        ("ada", "Moss"),
        (None, "Moss"),
        ("Ada", None),
        (" ", "moss"),
        ("X", "Y"),
        (None, None),
    ]
    await make_people(desk, [{"first_name": first, "last_name": last} for first, last in people])
    await desk.owner.execute(
        "UPDATE contact SET deleted_at = now() WHERE account_id = $1 AND contact_no = 6", desk.account_id
    )
    expected = {
        FullName("ADA", "moss "): [1, 2],
        FullName("", "Moss"): [3, 5],
        FullName("Ada", ""): [4],
        FullName(" ", ""): [],
        FullName("X", "Y"): [],
        FullName("Moss", "Ada"): [],
        FullName("x", "' or true --"): [],
        FullName("\0", "Moss"): [],
        FullName("Ada", "\udfff"): [],
    }
    names = [*expected, *expected]
    async with desk.db.account(desk.account_id) as tx:
        assert await search.named(tx, names, most=9) == [*expected.values()] * 2
        assert await search.named(tx, names[:2], most=1) == [[1], [3]]
        assert await search.named(tx, [], most=1) == []
        assert await search.named(tx, [FullName("", " ")], most=1) == [[]]


async def test_who_is_deleted_meets_no_criteria(desk: Desk) -> None:
    await desk.make_contacts(1, deleted=True)
    async with desk.db.account(desk.account_id) as tx:
        assert await search.numbers(tx, Criteria(contact_no=1).expression(), limit=1) == []


PEOPLE: Sequence[dict[str, Any]] = (
    {
        "last_name": "Dunn",
        "company_name": "Fern & Co",
        "profile": {"website": "https://x.org", "height": 73},
        "phone_numbers": [{"kind": "fax", "phone_number": "1"}, {"kind": "home", "phone_number": "021-2"}],
        "custom_values": {"7": "Dog"},
    },
    {"last_name": "jensen", "job_title": "Fern expert", "custom_values": {"7": "dog"}},
    {"last_name": "Kay", "profile": {"website": ""}, "phone_numbers": [{"kind": "home", "phone_number": "3"}] * 2},
    {"email": "jay@x.org", "profile": {}},
    *[{"last_name": "Øst"}] * 6,
    {"contact_no": 1123, "last_name": "zz"},
)
SURNAME = Column.LAST_NAME
#: What finds whom.
FOUND: Sequence[tuple[Predicate, set[int]]] = (
    (AllOf((Ordered(SURNAME, Sign.FROM, "D"), Ordered(SURNAME, Sign.UP_TO, "Jzzzz"))), {1, 2}),
    (AllOf((Ordered(SURNAME, Sign.FROM, "dunn"), Ordered(SURNAME, Sign.UP_TO, "JENSEN"))), {1, 2}),
    (AllOf((Ordered(SURNAME, Sign.ABOVE, "Dunn"), Ordered(SURNAME, Sign.BELOW, "KAY"))), {2}),
    (Ordered(SURNAME, Sign.ABOVE, "zz"), {5, 6, 7, 8, 9, 10}),
    (Not(Ordered(SURNAME, Sign.FROM, "")), {4}),
    (AnyOf(tuple(Text(column, Comparison.CONTAINS, "FERN") for column in (SURNAME, Column.COMPANY_NAME))), {1}),
    (
        AnyOf(tuple(Text(column, Comparison.CONTAINS, "fern") for column in (Column.JOB_TITLE, Column.COMPANY_NAME))),
        {1, 2},
    ),
    (Text(Digits(), Comparison.CONTAINS, "123"), {1123}),
    (Text(Digits(), Comparison.STARTS_WITH, "1"), {1, 10, 1123}),
    (Number(Sign.ABOVE, 9), {10, 1123}),
    (Number(Sign.BELOW, -(10**30)), set()),
    (Number(Sign.UP_TO, 10**30), {*range(1, 11), 1123}),
    (Text(Profile("website"), Comparison.STARTS_WITH, "HTTPS://"), {1}),
    (Text(Profile("height"), Comparison.EQUALS, "73"), {1}),
    (Present(Profile("website")), {1}),
    (ExactlyAmong(Profile("x' || 'y"), ("z",)), set()),
    (Text(Phone("home"), Comparison.CONTAINS, "2"), {1}),
    (ExactlyAmong(Phone("home"), ("3",)), {3}),
    (Present(Phone("fax")), {1}),
    (Not(Present(Phone("$kind"))), {*range(1, 11), 1123}),
    (Text(CustomText(7), Comparison.EQUALS, "DOG"), {1, 2}),
    (ExactlyAmong(CustomText(7), ("Dog",)), {1}),
    (ExactlyAmong(SURNAME, ("jensen ",)), set()),
    (ExactlyAmong(SURNAME, ("\0",)), set()),
    (Ordered(SURNAME, Sign.ABOVE, "\ud800"), set()),
    (Text(SURNAME, Comparison.CONTAINS, "\0"), set()),
)


async def test_predicates(desk: Desk) -> None:
    """Contract greenrope.md 4, 6.1.1; w50.md 4."""
    await make_people(desk, PEOPLE)
    async with desk.db.account(desk.account_id) as tx:
        for predicate, expected in FOUND:
            chosen = Intersection((Matching(predicate), EVERYBODY))
            assert set(await search.numbers(tx, chosen, limit=100)) == expected, predicate


async def test_one_of_an_address(desk: Desk) -> None:
    """Contract greenrope.md 6.1.2: of those who are selected, who has the lowest number; all who have no address."""
    holders = [("a", 2), ("b", 0), ("a", 0), (None, 0), ("a", 1), (None, 0)]
    await make_people(
        desk, [{"email": each and f"{each}@x.org", "email_ordinal": ordinal} for each, ordinal in holders]
    )
    later = Intersection((EVERYBODY, Matching(Number(Sign.ABOVE, 1))))
    async with desk.db.account(desk.account_id) as tx:
        numbers = [await search.numbers(tx, Difference(each, Repeats(each)), limit=10) for each in (EVERYBODY, later)]
    assert numbers == [[1, 2, 4, 6], [2, 3, 4, 6]]
