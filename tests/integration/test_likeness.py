"""Whom an account may have already (contract convio.md 6.9)."""

from collections.abc import Sequence

import asyncpg
import pytest

from engine.contacts import likeness
from engine.contacts.likeness import Acquaintances, Known, Likeness, Person
from engine.database import Transaction
from tests.integration.desk import Desk

ANN = Person("Ann", "Ash", "ann@example.org")
TWIN = Person("Bo", "Birch", "ann@example.org")
NAMELESS = Person("", "", "nobody@example.org")
HOMELESS = Person("Eve", "Elm", "")


async def put(desk: Desk, *persons: Person) -> None:
    """Contacts 1, 2, 3 …, who are these."""
    await desk.make_contacts(len(persons))
    for number, person in enumerate(persons, 1):
        await desk.owner.execute(
            "UPDATE contact SET first_name = nullif($3, ''), last_name = nullif($4, ''), email = nullif($5, ''),"
            " email_key = nullif(lower($5), ''), email_ordinal = $6 WHERE account_id = $1 AND contact_no = $2",
            desk.account_id,
            number,
            *person,
            number if person.email else 0,
        )


async def like(desk: Desk, person: Person) -> tuple[Likeness, int] | None:
    """How much who is there is like a person, and the contact's number."""
    async with desk.db.account(desk.account_id) as tx:
        found = (await likeness.acquaintances(tx, [Person("x", "y", "z@example.org"), person])).like(person)
    return (found[0], found[1].contact_no) if found else None


@pytest.mark.parametrize(
    ("person", "found"),
    [
        (ANN, (Likeness.SAME, 1)),
        (Person(" ANN", "ash ", "Ann@Example.org"), (Likeness.SAME, 1)),
        (TWIN, (Likeness.SAME, 2)),
        (Person("Cy", "Cole", "ann@example.org"), (Likeness.ALIKE, 1)),
        (Person("Bo", "Birch", "bo@example.org"), (Likeness.ALIKE, 2)),
        (NAMELESS, (Likeness.SAME, 3)),
        (Person("Ann", "", "nobody@example.org"), (Likeness.ALIKE, 3)),
        (Person("eve", "elm", "eve@example.org"), (Likeness.ALIKE, 4)),
        (Person("", "", "eve@example.org"), None),
        (Person("Ann", "", "a@example.org"), None),
        (Person("", "Ash", "a@example.org"), None),
        (Person("A'; --", "%", "%@example.org"), None),
    ],
)
async def test_who_is_like_whom(desk: Desk, person: Person, found: tuple[Likeness, int] | None) -> None:
    """Contract convio.md 6.9: the same by address and both names, alike by either; nobody has no name in common."""
    await put(desk, ANN, TWIN, NAMELESS, HOMELESS)
    assert await like(desk, person) == found


async def test_deleted_contacts_are_like_nobody(desk: Desk) -> None:
    """Contract convio.md 6.9."""
    await desk.make_contacts(1, deleted=True)
    assert await like(desk, Person("", "", "c1@example.org")) is None


async def test_more_than_are_read_at_once(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom the addresses mean is found out once, however many there are."""
    selected, select = list[str](), Transaction.select

    async def noting(tx: Transaction, sql: str, arguments: Sequence[object]) -> list[asyncpg.Record]:
        selected.append(sql)
        return await select(tx, sql, arguments)

    monkeypatch.setattr(Transaction, "select", noting)
    await desk.make_contacts(2 * likeness.CONTACTS_AT_ONCE + 1)
    persons = [Person("", "", f"c{number}@example.org") for number in range(2 * likeness.CONTACTS_AT_ONCE + 3)]
    async with desk.db.account(desk.account_id) as tx:
        there = await likeness.acquaintances(tx, persons)
    assert [person for person in persons if not there.like(person)] == [persons[0], persons[-1]]
    assert len(selected) == 1


async def test_nobody_is_asked_for(desk: Desk) -> None:
    """Contract convio.md 6.9."""
    async with desk.db.account(desk.account_id) as tx:
        assert (await likeness.acquaintances(tx, [])).like(ANN) is None


def test_the_first_of_several_counts() -> None:
    """Contract convio.md 6.9."""
    there = Acquaintances([Known(1, ANN), Known(2, ANN)])
    there.add(Known(3, TWIN))
    assert there.like(ANN) == (Likeness.SAME, Known(1, ANN))
