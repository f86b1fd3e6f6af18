"""Asking sets about contacts: is it in this one, and in which is it (design, "Contact sets are chunked bitmaps")."""

from typing import Any

import pytest

from engine.contacts import reading as contacts
from engine.database import Transaction
from engine.sets import catalog, reading, system
from engine.sets.catalog import SetKind
from engine.sets.chunks import CHUNK_BITS
from engine.sets.expressions import Members
from tests.integration.desk import Desk


async def test_whether_a_contact_is_in_a_set(desk: Desk) -> None:
    [target] = await desk.new_lists(1)
    numbers = (1, CHUNK_BITS - 1, CHUNK_BITS, 3 * CHUNK_BITS + 5)
    people = [(await desk.make_contacts(1, first=number))[0] for number in numbers]
    await desk.deliver((await desk.add(people, target)).messages)
    async with desk.db.account(desk.account_id) as tx:
        for number in (*numbers, 2, CHUNK_BITS - 2, CHUNK_BITS + 1, 9 * CHUNK_BITS):
            assert await reading.contains(tx, Members((target.set_no,)), number) == (number in numbers)
            assert not await reading.contains(tx, Members(()), number)


async def test_which_of_a_thousand_lists_a_contact_is_in(desk: Desk) -> None:
    """All of them are told: there is no limit of lists a contact."""
    people = await desk.make_contacts(3)
    async with desk.db.account(desk.account_id) as tx:
        lists = [await catalog.create(tx, SetKind.LIST, f"list {number}") for number in range(1000)]
    for first in range(0, 1000, 50):
        await desk.deliver((await desk.add(people[:2], *lists[first : first + 50 : 2])).messages)
    await desk.deliver((await desk.add(people[2:], lists[7])).messages)
    async with desk.db.account(desk.account_id) as tx:
        found = await contacts.page(tx, Members((system.EXISTS,)), limit=10, kinds=[SetKind.LIST])
    expected = [{each.set_id for each in lists[::2]}] * 2 + [{lists[7].set_id}]
    assert [{each.set_id for each in contact.sets(SetKind.LIST)} for contact in found] == expected


async def test_a_page_takes_as_many_statements_whoever_is_on_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Contract v3.md 2.1.8: one contact or five hundred, on no list or on fifty."""
    people, lists = await desk.make_contacts(500), await desk.new_lists(50)
    await desk.deliver((await desk.add(people[100:], *lists)).messages)
    asked: list[str] = []
    everything, selected = Transaction.all, Transaction.select

    async def counted(tx: Transaction, name: str, /, **parameters: object) -> Any:
        asked.append(name)
        return await everything(tx, name, **parameters)

    async def counted_too(tx: Transaction, sql: str, arguments: Any) -> Any:
        asked.append("a set expression")
        return await selected(tx, sql, arguments)

    monkeypatch.setattr(Transaction, "all", counted)
    monkeypatch.setattr(Transaction, "select", counted_too)
    for limit, after in ((1, 0), (1, 200), (500, 0)):
        asked.clear()
        async with desk.db.account(desk.account_id) as tx:
            found = await contacts.page(tx, Members((system.EXISTS,)), limit=limit, after=after, kinds=list(SetKind))
        assert len(found) == limit
        assert asked == ["a set expression", "contacts_by_number", "sets_of_contacts"]
