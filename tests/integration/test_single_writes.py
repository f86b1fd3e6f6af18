"""Single contacts written by several processes at once: as if one after the other, in the account's order."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from engine.activities.inline import BUSY_SECONDS, Inline
from engine.contacts import writing
from engine.contacts.decisions import Written
from engine.contacts.details import Details
from engine.database import Transaction
from engine.errors import Busy, Invalid, WrittenMeanwhile
from engine.operations.contact_create import CreateContact
from engine.operations.contact_delete import DeleteContact, DeleteContacts
from engine.operations.contact_sign_up import SignUp
from engine.operations.contact_update import UpdateContact
from engine.sets import system
from engine.sets.catalog import NamedSet
from tests.integration.desk import Desk
from tests.integration.effects import assert_effects, assert_effects_alternate
from tests.integration.traffic import (
    Faulty,
    Traffic,
    assert_as_in_sequence,
    assert_order,
    processes,
    random_deletion,
    random_membership,
    run,
)
from tests.integration.watched import NotingDatabase


@pytest.mark.parametrize("seed", range(3))
async def test_as_if_one_after_the_other(desk: Desk, seed: int) -> None:
    """Contract 1.8, 2.1.9 to 2.1.16 against a model, whoever writes when; design, "Inline operations"."""
    traffic = await Traffic.of(desk, seed)
    async with processes(desk, NotingDatabase) as inlines:
        await run(inlines, traffic, 1.0)
    await assert_as_in_sequence(traffic)
    await assert_order(desk)
    await assert_effects(desk)
    outcomes = Counter(type(outcome) for outcome in traffic.outcomes())
    assert outcomes[Written] > 50
    assert outcomes[type(None)] == 0


@pytest.mark.parametrize("seed", range(2))
async def test_with_lost_connections_and_clients_that_go_away(desk: Desk, seed: int) -> None:
    """What was done is there as a whole, what was not has left nothing; nobody waits for ever."""
    traffic = await Traffic.of(desk, seed)
    async with processes(desk, Faulty) as inlines:
        await run(inlines, traffic, 0.7)
    await assert_as_in_sequence(traffic)
    await assert_order(desk)
    await assert_effects(desk)


@pytest.mark.parametrize("seed", range(2))
async def test_beside_bulk_memberships(desk: Desk, seed: int) -> None:
    """Contract 6.31: a write comes after the earlier activities on its lists and tags, however many of them wait."""
    traffic = await Traffic.of(desk, seed)

    async def bulk() -> None:
        for _ in range(8):
            messages = [
                message
                for _ in range(traffic.random.randint(1, 8))
                for message in (await desk.submit(random_membership(traffic))).messages
            ]
            await asyncio.sleep(traffic.random.uniform(0, 0.05))
            await desk.deliver(messages)

    async with processes(desk, NotingDatabase) as inlines:
        await run(inlines, traffic, 1.0, bulk(), bulk())
    await desk.finish_everything()
    await assert_order(desk)
    await assert_effects(desk)


@pytest.mark.parametrize("seed", range(2))
async def test_beside_bulk_deletions(desk: Desk, seed: int) -> None:
    """Nobody deleted is in any set, and every bit is accounted for."""
    traffic = await Traffic.of(desk, seed)

    async def bulk() -> None:
        for _ in range(8):
            request = traffic.random.choice((random_deletion, random_membership))(traffic)
            await desk.deliver((await desk.submit(request)).messages)

    async with processes(desk, NotingDatabase) as inlines:
        await run(inlines, traffic, 1.0, bulk(), bulk())
    await desk.finish_everything()
    await assert_order(desk)
    await assert_effects_alternate(desk)
    rows = await desk.rows("contact")
    assert await desk.members(system.EXISTS) == {row["contact_no"] for row in rows if row["deleted_at"] is None}
    for each in await desk.rows("contact_set"):
        assert await desk.members(each["set_no"]) <= await desk.members(system.EXISTS)


def creating(name: str, *lists: NamedSet) -> CreateContact:
    return CreateContact(Details(core={"first_name": name}, list_ids=tuple(each.set_id for each in lists)), "Account")


async def test_numbers_of_a_lost_commit_are_not_used_again(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever is not told of a commit cannot know whether its numbers are taken."""
    inline, write = Inline(desk.db), writing.write

    async def lost(tx: Transaction, *arguments: Any) -> Any:
        await write(tx, *arguments)
        await tx._connection.execute("COMMIT")
        raise ConnectionResetError

    monkeypatch.setattr(writing, "write", lost)
    with pytest.raises(ConnectionResetError):
        await inline.write(desk.principal, creating("lost"))
    monkeypatch.setattr(writing, "write", write)
    await inline.write(desk.principal, creating("found"))
    assert [(row["contact_no"], row["first_name"]) for row in await desk.rows("contact")] == [(1, "lost"), (2, "found")]


async def test_two_writes_to_one_contact_in_one_transaction(desk: Desk) -> None:
    """Contract 1.8: one is done, the other is 409, also when one means the contact by its id and one by its address."""
    inline, [contact_id], [target] = Inline(desk.db), await desk.make_contacts(1), await desk.new_lists(1)
    signing_up = SignUp(Details(email="c1@example.org", list_ids=(target.set_id,)), confirms=False)
    asked = [creating("first, so that the others share"), DeleteContact(contact_id), signing_up]
    outcomes = await asyncio.gather(*(inline.write(desk.principal, each) for each in asked), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Written, Written, WrittenMeanwhile]
    assert await desk.members(target) == set()
    assert await desk.members(system.EXISTS) == {2}


async def test_refused_with_a_new_address(desk: Desk) -> None:
    """Contract 1.8: the contact keeps its own, and the other is nobody's; beside a write that is done."""
    inline, [contact_id] = Inline(desk.db), await desk.make_contacts(1, permission="unsubscribed")
    [before] = await desk.rows("contact")
    joining = Details(email="new@example.org", list_ids=((await desk.new_list()).set_id,))
    asked = [
        creating("first, so that the others share"),
        UpdateContact(contact_id, joining, "Account"),
        creating("next"),
    ]
    outcomes = await asyncio.gather(*(inline.write(desk.principal, each) for each in asked), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [Written, Invalid, Written]
    assert [row for row in await desk.rows("contact") if row["contact_no"] == 1] == [before]
    signing_up = SignUp(Details(email="new@example.org"), confirms=False)
    assert (await inline.write(desk.principal, signing_up)).created


async def test_waiting_for_what_has_no_place_in_its_queue(desk: Desk) -> None:
    """Design, "Inline operations": an earlier activity comes first, also if many come before it."""
    inline, people, target = Inline(desk.db), await desk.make_contacts(1), await desk.new_list()
    await desk.deliver((await desk.add(people, target)).messages)
    others = [await desk.add(people, *await desk.new_lists(1)) for _ in range(desk.settings.window)]
    assert (await desk.remove(people, target)).messages == []
    staying = UpdateContact(people[0], Details(email="c1@example.org", list_ids=(target.set_id,)), "Account")
    task = asyncio.create_task(inline.write(desk.principal, staying))
    await asyncio.sleep(0.1)
    assert not task.done()
    await desk.deliver(message for each in others for message in each.messages)
    await task
    assert await desk.members(target) == {1}


async def test_what_is_submitted_before_a_write_has_its_place(desk: Desk) -> None:
    """Design, "Inline operations": the order of sequences is the order in which things are done."""
    inline, people, target = Inline(desk.db), await desk.make_contacts(1), await desk.new_list()
    joining = UpdateContact(people[0], Details(email="c1@example.org", list_ids=(target.set_id,)), "Account")
    async with desk.held(target):
        task = asyncio.create_task(inline.write(desk.principal, joining))
        await desk.someone_waits()
        removing = await desk.remove(people, target)
    await asyncio.sleep(0.1)
    assert not task.done()
    await desk.deliver(removing.messages)
    await task
    assert await desk.members(target) == {1}


async def test_not_waiting_for_batched_work(desk: Desk) -> None:
    """Contract 6, 31: an import takes long and is not one moment; nor does a write wait for what waits for one."""
    inline, people, target = Inline(desk.db), await desk.make_contacts(1), await desk.new_list()
    await desk.submit(DeleteContacts(list_ids=(target.set_id,)))
    await desk.add(people, target)
    signing_up = SignUp(Details(email="c1@example.org", list_ids=(target.set_id,)), confirms=False)
    async with asyncio.timeout(BUSY_SECONDS - 1):
        await inline.write(desk.principal, signing_up)
    assert await desk.members(target) == {1}


async def test_waiting_has_an_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design, "Inline operations": bounded; then it is refused, and has left nothing."""
    monkeypatch.setattr("engine.activities.inline.BUSY_SECONDS", 0.1)
    inline, people, target = Inline(desk.db), await desk.make_contacts(1), await desk.new_list()
    await desk.remove(people, target)
    with pytest.raises(Busy):
        await inline.write(desk.principal, creating("nobody", target))
    assert len(await desk.rows("contact")) == len(await desk.rows("activity")) == 1
