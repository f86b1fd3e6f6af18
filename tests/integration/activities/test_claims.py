"""Messages, leases and fencing: design, "An activity's life", 1, 2 and 5."""

import asyncio
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from engine.activities import claims, order
from engine.activities.model import Activity, Message, State
from engine.activities.order import End
from engine.errors import LeaseLost
from engine.operations.list_memberships import AddListMemberships
from tests.integration.desk import Desk, message_of

ADD = AddListMemberships.kind


class TestMessages:
    """A message may be lost, doubled or reordered without harm (design, life of an activity, 1)."""

    async def test_doubled_ones_do_the_work_once(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        submitted = await desk.add(people, target)
        await desk.deliver(submitted.messages * 3)
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.attempts, found.changed_count) == (State.COMPLETED, 1, 3)
        assert await desk.rows("lease") == []

    async def test_two_runners_at_once_claim_it_once(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        submitted = await desk.add(people, target)
        await asyncio.gather(*(worker.run(message_of(submitted)) for worker in [desk.worker() for _ in range(5)]))
        found = await desk.find(submitted)
        assert (found.state, found.attempts, found.fence) == (State.COMPLETED, 1, 1)

    async def test_one_that_overtakes_waits_and_is_woken(self, desk: Desk) -> None:
        """Design, life of an activity, 3: a claim is refused while an earlier unfinished one meets it."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(2)
        first, second = await desk.add(people, target), await desk.remove(people[:1], target)
        worker = desk.worker()
        assert await worker.run(message_of(second)) == []
        assert (await desk.find(second)).state is State.INITIALIZED
        woken = await worker.run(message_of(first))
        assert (await desk.find(first)).state is State.COMPLETED
        await desk.deliver(woken)
        assert (await desk.find(second)).state is State.COMPLETED
        assert await desk.members(target) == {2}

    async def test_a_lost_one_is_sent_again_by_one_sweeper(self, desk: Desk) -> None:
        """Design, life of an activity, 2: a sweeper dispatches again what got lost."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add(people, target)
        assert await desk.swept() == []
        await desk.let_leases_run_out()
        found = await asyncio.gather(*(desk.swept() for _ in range(3)))
        messages = [message for each in found for message in each]
        assert messages == [message_of(submitted)]
        assert await desk.swept() == []
        await desk.deliver(messages)
        assert (await desk.find(submitted)).state is State.COMPLETED

    async def test_one_of_an_unknown_activity_does_nothing(self, desk: Desk) -> None:
        assert await desk.worker().run(Message(desk.account_id, UUID(int=0), "activities")) == []
        assert await desk.worker().run(Message(2**62, UUID(int=0), "activities")) == []


class TestLeases:
    """Judged by the database's clock; the fencing token is checked where it is written (design, life, 5)."""

    async def test_a_live_worker_keeps_what_it_has(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add(people, target)
        async with desk.held(target):
            working = asyncio.create_task(desk.worker().run(message_of(submitted)))
            await desk.someone_waits()
            assert await desk.swept() == []
            assert await desk.worker().run(message_of(submitted)) == []
        await working
        assert (await desk.find(submitted)).attempts == 1

    async def test_the_heartbeat_keeps_a_lease(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add(people, target)
        worker = desk.worker()
        async with desk.held(target):
            working = asyncio.create_task(worker.run(message_of(submitted)))
            await desk.someone_waits()
            await desk.let_leases_run_out()
            await worker.heartbeat()
            [lease] = await desk.rows("lease")
            assert lease["worker_id"] == worker.worker_id
            assert await desk.swept() == []
        await working
        await worker.heartbeat()
        assert await desk.rows("lease") == []

    async def test_a_zombie_finishes_nothing_while_another_works(self, desk: Desk) -> None:
        """The zombie's transaction is open all the while; what it wrote is rolled back."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        submitted = await desk.add(people, target)
        zombie, successor = desk.worker(), desk.worker()
        async with desk.held(target):
            slow = asyncio.create_task(zombie.run(message_of(submitted)))
            await desk.someone_waits(1)
            await desk.let_leases_run_out()
            [message] = await desk.swept()
            quick = asyncio.create_task(successor.run(message))
            await desk.someone_waits(2)
            await zombie.heartbeat()
        assert await slow == []
        await quick
        found = await desk.find(submitted)
        assert (found.state, found.attempts, found.fence, found.changed_count) == (State.COMPLETED, 2, 2, 3)
        assert await desk.members(target) == {1, 2, 3}
        assert len(await desk.rows("effect")) == 1
        assert await desk.unfinished() == 0

    async def test_a_zombie_that_wakes_up_late_finishes_nothing(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        submitted = await desk.add(people, target)
        claim = await claims.claim(desk.db, desk.settings, desk.worker().worker_id, message_of(submitted))
        await desk.let_leases_run_out()
        await desk.deliver(await desk.swept())
        before = await desk.rows("activity")
        for state in (State.COMPLETED, State.FAILED, State.CANCELLED, State.TIMED_OUT):
            with pytest.raises(LeaseLost):
                await finish(desk, state, claim.activities)
        assert await desk.rows("activity") == before
        assert await desk.unfinished() == 0

    async def test_a_zombie_cannot_give_back_what_is_another_s(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        submitted = await desk.add(people, target)
        zombie, successor = desk.worker(), desk.worker()
        claim = await claims.claim(desk.db, desk.settings, zombie.worker_id, message_of(submitted))
        await desk.let_leases_run_out()
        [message] = await desk.swept()
        await claims.claim(desk.db, desk.settings, successor.worker_id, message)
        before = await desk.rows("lease")
        [activity] = claim.activities
        await claims.release(desk.db, zombie.worker_id, activity, seconds=0)
        await claims.renew(desk.db, desk.settings, zombie.worker_id, desk.account_id, [activity.sequence])
        assert await desk.rows("lease") == before

    async def test_a_process_keeps_what_it_took_over_from_itself(self, desk: Desk, watch: Any) -> None:
        """A whole machine stood still: its own sweeper sends again what it still works on."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add(people, target)
        arrived, go_on = [asyncio.Event(), asyncio.Event()], [asyncio.Event(), asyncio.Event()]

        async def pause(number: int) -> None:
            arrived[number].set()
            await go_on[number].wait()

        watch(pause)
        worker = desk.worker()
        zombie = asyncio.create_task(worker.run(message_of(submitted)))
        await arrived[0].wait()
        await desk.let_leases_run_out()
        successor = asyncio.create_task(worker.run((await desk.swept())[0]))
        await arrived[1].wait()
        go_on[0].set()
        await zombie
        await desk.let_leases_run_out()
        await worker.heartbeat()
        assert await desk.swept() == []
        go_on[1].set()
        await successor
        found = await desk.find(submitted)
        assert (found.state, found.fence, found.changed_count) == (State.COMPLETED, 2, 1)

    async def test_a_cancelled_task_gives_its_lease_back(self, desk: Desk) -> None:
        """Issue 2, section 4: a graceful shutdown hands over what is not done."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        submitted = await desk.add(people, target)
        async with desk.held(target):
            working = asyncio.create_task(desk.worker().run(message_of(submitted)))
            await desk.someone_waits()
            working.cancel()
            with pytest.raises(asyncio.CancelledError):
                await working
        [lease] = await desk.rows("lease")
        assert lease["worker_id"] is None
        assert await desk.swept() == [message_of(submitted)]
        await desk.deliver([message_of(submitted)])
        found = await desk.find(submitted)
        assert (found.state, found.attempts, found.fence, found.changed_count) == (State.COMPLETED, 1, 2, 3)
        assert await desk.members(target) == {1, 2, 3}

    async def test_a_batch_that_was_handed_over_is_done_whatever_comes_first(self, desk: Desk) -> None:
        """Design, life of an activity, 4: nothing is lost, also when messages come in another order."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        first, second = await desk.add(people, target), await desk.add(people[:2], target)
        async with desk.held(target):
            working = asyncio.create_task(desk.worker().run(message_of(first)))
            await desk.someone_waits()
            working.cancel()
            await asyncio.wait([working])
        assert [found.state for found in await desk.found([first, second])] == [State.PROCESSING] * 2
        await desk.deliver([message_of(second), message_of(first)])
        assert [found.state for found in await desk.found([first, second])] == [State.COMPLETED] * 2
        assert [found.changed_count for found in await desk.found([first, second])] == [3, 0]


async def finish(desk: Desk, state: State, activities: Sequence[Activity]) -> None:
    async with desk.db.account(desk.account_id) as tx:
        ends = [End(each.sequence, each.fence, changed_count=9) for each in activities]
        await order.finish(tx, desk.settings, state, ends)
