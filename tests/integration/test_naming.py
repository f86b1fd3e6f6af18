"""Named sets that writes of contacts mean by name, and make (contract greenrope.md 3.3, 3.4)."""

import asyncio

from engine.activities.inline import Inline
from engine.contacts import writing
from engine.contacts.changes import Changes
from engine.contacts.decisions import Written
from engine.errors import Invalid, NotFound
from engine.operations.contact_save import SaveContact
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.naming import SetName
from tests.integration.desk import Desk
from tests.integration.effects import assert_effects

VIP, SPEAKER, ACME = SetName(SetKind.TAG, "VIP"), SetName(SetKind.TAG, "Speaker"), SetName(SetKind.COMPANY, "Acme")


async def members(desk: Desk, kind: SetKind) -> dict[str, set[int]]:
    """Who is in each set of the kind, by its name."""
    async with desk.db.account(desk.account_id) as tx:
        return {each.name: await desk.members(each) for each in await catalog.everyone_of(tx, kind)}


async def test_sets_by_name(desk: Desk) -> None:
    """Made once, as they are spelled first; joined and left by any spelling; who leaves makes none."""
    inline = Inline(desk.db)
    await inline.write(desk.principal, SaveContact(None, Changes(joins_named=(VIP, SPEAKER), makes=(ACME,))))
    assert await members(desk, SetKind.TAG) == {"VIP": {1}, "Speaker": {1}}
    assert await members(desk, SetKind.COMPANY) == {"Acme": set()}
    changes = Changes(
        joins_named=(SetName(SetKind.COMPANY, " ACME "),),
        leaves_named=(SetName(SetKind.TAG, "vip"), SetName(SetKind.COMPANY, "Nobody")),
    )
    assert (await inline.write(desk.principal, SaveContact(1, changes))).changed
    assert not (await inline.write(desk.principal, SaveContact(1, changes))).changed
    assert await members(desk, SetKind.TAG) == {"VIP": set(), "Speaker": {1}}
    assert await members(desk, SetKind.COMPANY) == {"Acme": {1}}
    await assert_effects(desk)


async def test_what_is_refused_makes_none(desk: Desk) -> None:
    """Nor does it keep another of the same transaction, which needs the same, from making it."""
    refused = SaveContact(99, Changes(joins_named=(VIP, ACME)))
    done = SaveContact(None, Changes(joins_named=(SPEAKER, VIP)))
    async with desk.db.account(desk.account_id) as tx:
        results = await writing.write(tx, [(desk.principal, refused), (desk.principal, done)], 1)
    assert [type(each) for each in results] == [NotFound, Written]
    assert await members(desk, SetKind.TAG) == {"Speaker": {1}, "VIP": {1}}
    assert await members(desk, SetKind.COMPANY) == {}
    await assert_effects(desk)


async def test_no_more_than_there_may_be(desk: Desk) -> None:
    """Each of those that share a transaction is refused on its own."""
    most = {SetKind.TAG: 1}
    asked = [SaveContact(None, Changes(joins_named=(each,)), most=most) for each in (VIP, SPEAKER, VIP, ACME)]
    results = await Inline(desk.db).write_all(desk.principal, asked)
    assert [type(each) for each in results] == [Written, Invalid, Written, Written]
    assert [len(each) for each in (await members(desk, SetKind.TAG)).values()] == [2]
    await assert_effects(desk)


async def test_several_processes_make_the_same(desk: Desk) -> None:
    """Each name once, and all join it."""
    names = [SetName(SetKind.TAG, f"tag {number}") for number in range(12)]

    async def process(first: int) -> None:
        turned = (*names[first:], *names[:first])
        asked = [SaveContact(None, Changes(joins_named=turned[n : n + 4])) for n in range(9)]
        results = await Inline(desk.db).write_all(desk.principal, asked)
        assert [type(each) for each in results] == [Written] * 9

    await asyncio.gather(*map(process, range(0, 12, 3)))
    found = await members(desk, SetKind.TAG)
    assert found.keys() == {each.name for each in names}
    assert sum(map(len, found.values())) == 4 * 9 * 4
    await assert_effects(desk)
