"""The named sets of an account: found by number and by name, made when they are needed, described."""

import asyncio
from dataclasses import replace
from uuid import uuid4

import pytest

from engine.activities.inline import Inline
from engine.errors import NameTaken, NotFound
from engine.operations.contact_delete import DeleteContact, DeleteContacts
from engine.sets import catalog, naming
from engine.sets.catalog import LARGEST_SET_NO, NamedSet, SetKind
from engine.sets.naming import SetName
from tests.integration.desk import Desk
from tests.integration.exporting import new_set


async def made(desk: Desk, kind: SetKind, *names: str) -> dict[str, NamedSet]:
    async with desk.db.account(desk.account_id) as tx:
        needed = [SetName(kind, name) for name in names]
        await naming.make(tx, needed, await naming.numbers(tx, needed, ()), {})
        return await catalog.by_names(tx, kind, names)


class TestFinding:
    async def test_by_number_only_living_ones_of_the_kind(self, desk: Desk) -> None:
        """Design, words: named sets of all kinds share one integer space in an account."""
        company, gone = (await made(desk, SetKind.COMPANY, "Acorn", "Gone")).values()
        [tag] = (await made(desk, SetKind.TAG, "Acorn")).values()
        await desk.delete_list(gone)
        asked = [tag.set_no, gone.set_no, company.set_no, 999, 0, -1, LARGEST_SET_NO + 1, 10**30]
        async with desk.db.account(desk.account_id) as tx:
            assert await catalog.by_numbers(tx, SetKind.COMPANY, asked) == {company.set_no: company}
            assert await catalog.by_numbers(tx, SetKind.EVENT, asked) == {}
            assert await catalog.find_number(tx, SetKind.TAG, tag.set_no) == tag
            for wrong in (gone.set_no, tag.set_no, 999, -1, 10**30):
                with pytest.raises(NotFound, match=f"there is no company {wrong}"):
                    await catalog.find_number(tx, SetKind.COMPANY, wrong)

    async def test_by_name_trimmed_and_without_case(self, desk: Desk) -> None:
        news, vip = (await made(desk, SetKind.TAG, "News", "VIP")).values()
        await made(desk, SetKind.LIST, "other")
        async with desk.db.account(desk.account_id) as tx:
            found = await catalog.by_names(tx, SetKind.TAG, [" nEWS ", "NEWS", "vip", "other", ""])
            assert found == {"news": news, "vip": vip}
            assert await catalog.by_names(tx, SetKind.TAG, []) == {}
            assert await catalog.everyone_of(tx, SetKind.TAG) == [news, vip]
            assert await catalog.everyone_of(tx, SetKind.EVENT) == []


class TestMaking:
    async def test_only_what_is_missing_is_made_in_the_order_given(self, desk: Desk) -> None:
        [old] = (await made(desk, SetKind.COMPANY, "Old")).values()
        found = await made(desk, SetKind.COMPANY, "b", " Zed ", "OLD", "a", "zed", "B")
        assert found.keys() == {"b", "zed", "old", "a"}
        assert found["old"] == old
        assert {each.name for each in found.values()} == {"b", "Zed", "Old", "a"}
        assert (await made(desk, SetKind.COMPANY, "a", "b", "zed", "old")) == found
        assert sorted(each.set_no for each in found.values()) == list(range(old.set_no, old.set_no + 4))
        assert await made(desk, SetKind.COMPANY) == {}

    async def test_a_deleted_one_does_not_come_back(self, desk: Desk) -> None:
        [gone] = (await made(desk, SetKind.TAG, "VIP")).values()
        await desk.delete_list(gone)
        assert (await made(desk, SetKind.TAG, "vip"))["vip"].set_no > gone.set_no

    async def test_many_who_need_the_same_names_at_once(self, desk: Desk) -> None:
        """Whoever gives names takes turns: each name is made once, and nobody is refused."""
        names = [f"company {number}" for number in range(20)]
        answers = await asyncio.gather(*(made(desk, SetKind.COMPANY, *names[n:], *names[:n]) for n in range(8)))
        assert all(each == answers[0] for each in answers)
        async with desk.db.account(desk.account_id) as tx:
            assert len(await catalog.everyone_of(tx, SetKind.COMPANY)) == 20

    async def test_names_are_of_a_kind(self, desk: Desk) -> None:
        async with desk.db.account(desk.account_id) as tx:
            for kind in SetKind:
                await catalog.create(tx, kind, "Spring")
        for kind in SetKind:
            with pytest.raises(NameTaken, match=f"another {kind} of this account is named 'SPRING'"):
                async with desk.db.account(desk.account_id) as tx:
                    await catalog.create(tx, kind, "SPRING")


async def test_descriptions(desk: Desk) -> None:
    """What one dialect knows of a set stays when another changes what it knows."""
    details = {"type": "Public", "sent_from": "Größe"}
    async with desk.db.account(desk.account_id) as tx:
        group = await catalog.create(tx, SetKind.LIST, "News", description="d", details=details)
        assert group.details == details
        short = await catalog.abbreviate(tx, SetKind.LIST, group.set_id, "N")
        assert short == replace(group, abbreviation="N", updated_at=short.updated_at)
        changed = await catalog.change(tx, SetKind.LIST, group.set_id, "Old news")
        assert (changed.description, changed.abbreviation, changed.details) == (None, "N", details)
        cleared = await catalog.describe(tx, SetKind.LIST, group.set_id, {})
        assert (cleared.details, cleared.abbreviation) == ({}, "N")
        assert (await catalog.abbreviate(tx, SetKind.LIST, group.set_id, None)).abbreviation is None
        for wrong in (uuid4(), group.set_id):
            with pytest.raises(NotFound):
                await catalog.abbreviate(tx, SetKind.TAG, wrong, "x")
            with pytest.raises(NotFound):
                await catalog.describe(tx, SetKind.TAG, wrong, {})


async def test_a_deleted_contact_is_in_no_company_and_no_event(desk: Desk) -> None:
    """Design, one policy: deleting clears every bit, one contact's as well as many contacts'."""
    people = await desk.make_contacts(3)
    sets = [await new_set(desk, kind, "a set", [1, 2, 3]) for kind in SetKind]
    await Inline(desk.db).write(desk.principal, DeleteContact(people[0]))
    await desk.deliver((await desk.submit(DeleteContacts(contact_ids=(people[1],)))).messages)
    assert [await desk.members(each) for each in sets] == [{3}] * len(SetKind)
