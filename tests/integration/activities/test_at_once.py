"""Bulk activities done while the caller waits; design, "Inline operations"."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from engine.activities import reading
from engine.activities.at_once import AtOnce
from engine.activities.intake import Intake
from engine.activities.model import Activity, Message, State
from engine.errors import Busy, UnknownTarget
from engine.operations.members_change import ChangeMembers
from engine.sets import catalog, system
from engine.sets.catalog import NamedSet, SetKind
from tests.integration.desk import Desk
from tests.integration.effects import assert_effects

#: Numbers of nobody, however many contacts there are.
NOBODYS = (0, -1, 999, 2**31, 2**40, 2**70)


def at_once(desk: Desk) -> tuple[AtOnce, list[Message]]:
    """One process' bulk activities, and the messages that it sends to workers."""
    sent: list[Message] = []
    return AtOnce(desk.db, desk.settings, Intake(desk.db, desk.settings), sent.extend), sent


async def done(desk: Desk, contact_nos: Sequence[int], *on: NamedSet, off: Sequence[NamedSet] = ()) -> Activity:
    request = ChangeMembers(tuple(contact_nos), tuple(e.set_no for e in on), tuple(e.set_no for e in off))
    return await at_once(desk)[0].do(desk.principal, request)


async def accepted(desk: Desk, activity: Activity) -> frozenset[int]:
    async with desk.db.account(desk.account_id) as tx:
        return await reading.frozen_source(tx, activity.sequence)


async def new_set(desk: Desk, kind: SetKind) -> NamedSet:
    async with desk.db.account(desk.account_id) as tx:
        return await catalog.create(tx, kind, f"a {kind}")


async def test_it_is_done_when_it_answers(desk: Desk) -> None:
    """Who is nobody, deleted or unsubscribed is skipped; done again it changes nothing and accepts the same."""
    await desk.make_contacts(3)
    await desk.make_contacts(1, first=4, permission="unsubscribed")
    await desk.make_contacts(1, first=5, deleted=True)
    first, second = await desk.new_lists(2)
    for changed in (6, 0):
        activity = await done(desk, (3, 1, 2, 4, 5, 3, *NOBODYS), first, second)
        assert (activity.state, activity.changed_count, activity.listed) == (State.COMPLETED, changed, False)
        assert await accepted(desk, activity) == {1, 2, 3}
    assert await desk.members(first) == await desk.members(second) == {1, 2, 3}
    activity = await done(desk, (1, 2, 999), off=[first])
    assert await accepted(desk, activity) == {1, 2}
    assert await desk.members(first) == {3}
    assert await desk.unfinished() == 0
    await assert_effects_of_members(desk)


async def assert_effects_of_members(desk: Desk) -> None:
    """Contacts of tests have no effect of their own."""
    await desk.owner.execute("DELETE FROM set_chunk WHERE account_id = $1 AND set_no < 0", desk.account_id)
    await assert_effects(desk)


@pytest.mark.parametrize("kind", [SetKind.TAG, SetKind.COMPANY, SetKind.EVENT])
async def test_only_lists_refuse_the_unsubscribed(desk: Desk, kind: SetKind) -> None:
    await desk.make_contacts(1, permission="unsubscribed")
    await desk.make_contacts(1, first=2, deleted=True)
    target = await new_set(desk, kind)
    assert await accepted(desk, await done(desk, (1, 2), target)) == {1} == await desk.members(target)


async def test_nobody_is_asked_for(desk: Desk) -> None:
    target = await desk.new_list()
    assert await accepted(desk, await done(desk, (), target)) == frozenset()


@pytest.mark.parametrize("set_no", [0, 99, system.ACTIVE, system.UNSUBSCRIBED, 2**31, 2**70])
async def test_what_is_no_named_set_is_refused(desk: Desk, set_no: int) -> None:
    with pytest.raises(UnknownTarget):
        await at_once(desk)[0].do(desk.principal, ChangeMembers((1,), on=(set_no,)))
    with pytest.raises(UnknownTarget):
        await at_once(desk)[0].do(desk.principal, ChangeMembers((1,), off=(set_no,)))
    assert await desk.rows("activity") == []


async def test_many_at_the_same_time(desk: Desk) -> None:
    """By several processes on the same sets: as if one after the other, in the account's order."""
    await desk.make_contacts(8)
    targets = await desk.new_lists(2)
    asked: list[Any] = []
    for number in range(12):
        on, off = targets[number % 2].set_no, targets[(number + 1) % 2].set_no
        asked.append(ChangeMembers((number % 8 + 1, (3 * number) % 8 + 1), (on,), (off,)))
    processes = [at_once(desk)[0] for _ in range(3)]
    await asyncio.gather(*(processes[n % 3].do(desk.principal, each) for n, each in enumerate(asked)))
    assert await desk.unfinished() == 0
    await assert_effects_of_members(desk)


async def test_waiting_for_what_comes_first(desk: Desk) -> None:
    people, target = await desk.make_contacts(2), await desk.new_list()
    earlier = await desk.remove(people, target)
    task = asyncio.create_task(done(desk, (1,), target))
    await asyncio.sleep(0.1)
    assert not task.done()
    await desk.deliver(earlier.messages)
    assert (await task).changed_count == 1
    assert await desk.members(target) == {1}


async def test_waiting_has_an_end(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Then it is cancelled, and never done."""
    monkeypatch.setattr("engine.activities.at_once.BUSY_SECONDS", 0.1)
    people, target = await desk.make_contacts(1), await desk.new_list()
    earlier = await desk.remove(people, target)
    with pytest.raises(Busy):
        await done(desk, (1,), target)
    await desk.deliver(earlier.messages)
    await desk.finish_everything()
    assert sorted(row["state"] for row in await desk.rows("activity")) == ["cancelled", "completed"]
    assert await desk.members(target) == set()


async def test_beside_a_window_that_is_full(desk: Desk) -> None:
    """One that has no place in its queue is done all the same."""
    people, target = await desk.make_contacts(1), await desk.new_list()
    for _ in range(desk.settings.window):
        await desk.add(people, *await desk.new_lists(1))
    assert (await done(desk, (1,), target)).changed_count == 1


async def test_workers_finish_it_when_the_process_dies(desk: Desk) -> None:
    """Its place in the queue is there, without a message: whoever sweeps finds it."""
    await desk.make_contacts(1)
    target = await desk.new_list()
    process, _ = at_once(desk)
    async with desk.held(target):
        task = asyncio.create_task(process.do(desk.principal, ChangeMembers((1,), on=(target.set_no,))))
        await desk.someone_waits()
        task.cancel()
        await asyncio.wait({task})
    await desk.finish_everything()
    assert await desk.members(target) == {1}


async def test_a_worker_may_be_faster(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sweeps it takes it, and the caller is told what became of it."""
    await desk.make_contacts(1)
    target = await desk.new_list()
    process, _ = at_once(desk)
    run = process._runner.run

    async def late(message: Message) -> None:
        await desk.finish_everything()
        await run(message)

    monkeypatch.setattr(process._runner, "run", late)
    activity = await process.do(desk.principal, ChangeMembers((1,), on=(target.set_no,)))
    assert (activity.state, activity.changed_count) == (State.COMPLETED, 1)


async def test_what_was_done_under_a_record_is_not_done_again(desk: Desk) -> None:
    """Whoever asks again, be it another process at the same moment, gets the activity that there is."""
    await desk.make_contacts(2)
    target, record_id = await desk.new_list(), uuid4()
    one, another = at_once(desk)[0], at_once(desk)[0]
    adding, other = ChangeMembers((1,), (target.set_no,)), ChangeMembers((2,), (target.set_no,))
    assert await one.done_before(desk.principal, record_id) is None
    first, second = await asyncio.gather(
        one.do_once(desk.principal, adding, record_id), another.do_once(desk.principal, adding, record_id)
    )
    third = await another.do_once(desk.principal, other, record_id)
    assert first.sequence == second.sequence == third.sequence
    assert first == await another.done_before(desk.principal, record_id)
    assert await desk.members(target) == {1}
    assert (await one.do_once(desk.principal, other, uuid4())).sequence > first.sequence


async def test_a_record_of_what_was_cancelled_is_not_in_the_way(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    await desk.make_contacts(1)
    target, record_id = await desk.new_list(), uuid4()
    adding = ChangeMembers((1,), (target.set_no,))
    monkeypatch.setattr("engine.activities.at_once.BUSY_SECONDS", 0.01)
    earlier = await desk.submit(desk.adding([uuid4()], target))
    for _ in range(2):
        with pytest.raises(Busy):
            await at_once(desk)[0].do_once(desk.principal, adding, record_id)
    await desk.deliver(earlier.messages)
    await at_once(desk)[0].do_once(desk.principal, adding, record_id)
    assert await desk.members(target) == {1}


async def test_sets_of_another_kind_are_not_those_that_are_meant(desk: Desk) -> None:
    target = await desk.new_list()
    with pytest.raises(UnknownTarget, match="must be events"):
        await at_once(desk)[0].do(desk.principal, ChangeMembers((1,), (target.set_no,), of=SetKind.EVENT))
    activity = await at_once(desk)[0].do(desk.principal, ChangeMembers((), (target.set_no,), of=SetKind.LIST))
    assert activity.changed_count == 0
