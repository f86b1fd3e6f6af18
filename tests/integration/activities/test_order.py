"""The account's order, and transactions that are shared: design, "An activity's life", 3 and 4."""

import asyncio
from random import Random
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import pytest

from engine.activities import claims
from engine.activities.model import Activity, State
from engine.activities.submission import Submitted
from engine.errors import Invalid
from engine.operations.list_memberships import AddListMemberships
from engine.operations.memberships import SMALL
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk, deliver_at_random, message_of
from tests.integration.watched import failing

ADD = AddListMemberships.kind


async def row_version(desk: Desk, activity: Activity) -> int:
    """The transaction that wrote the activity's row."""
    found = await desk.owner.fetchval(
        "SELECT xmin FROM activity WHERE account_id = $1 AND sequence = $2", activity.account_id, activity.sequence
    )
    return int(found)


class TestOrder:
    """What an account submits behaves as if it ran in sequence (design, life of an activity, 3 and 4)."""

    async def test_activities_that_do_not_meet_run_side_by_side(self, desk: Desk) -> None:
        one, other = await desk.new_lists(2)
        people = await desk.make_contacts(3)
        # Too large to share a transaction.
        crowd = [*people, *(UUID(int=number) for number in range(SMALL))][:SMALL]
        slow, quick = await desk.add(crowd, one, await desk.new_list()), await desk.add(people, other)
        async with desk.held(one):
            working = asyncio.create_task(desk.worker().run(message_of(slow)))
            await desk.someone_waits()
            await desk.deliver([message_of(quick)])
            assert (await desk.find(quick)).state is State.COMPLETED
            assert (await desk.find(slow)).state is State.PROCESSING
        await working
        assert (await desk.find(slow)).state is State.COMPLETED

    async def test_small_ones_share_a_transaction(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(6)
        submitted = [await desk.add([person], target) for person in people]
        await desk.worker().run(message_of(submitted[0]))
        found = await desk.found(submitted)
        assert [each.state for each in found] == [State.COMPLETED] * 6
        assert len({await row_version(desk, each) for each in found}) == 1
        assert len({each.started_at for each in found}) == 1
        assert await desk.members(target) == {1, 2, 3, 4, 5, 6}
        assert await desk.unfinished() == 0

    async def test_large_ones_do_not_share(self, desk: Desk) -> None:
        one, other = await desk.new_lists(2)
        large = [UUID(int=number) for number in range(1, SMALL // 2 + 2)]
        submitted = [await desk.add(large, one, other), await desk.add(large, one, other)]
        await desk.worker().run(message_of(submitted[0]))
        assert [each.state for each in await desk.found(submitted)] == [State.COMPLETED, State.INITIALIZED]

    async def test_one_that_cannot_be_done_fails_alone(self, desk: Desk, watch: Any) -> None:
        targets, people = await desk.new_lists(3), await desk.make_contacts(1)
        submitted = [await desk.add(people, target) for target in targets]
        # Once in the shared transaction, then in each attempt of its own.
        watch(failing(1, 3, error=Invalid("no such thing")))
        await desk.deliver([message_of(submitted[0])])
        found = await desk.found(submitted)
        assert [each.state for each in found] == [State.COMPLETED, State.FAILED, State.COMPLETED]
        assert (found[1].failure_code, found[1].failure) == ("invalid", "no such thing")
        assert [await desk.members(target) for target in targets] == [{1}, set(), {1}]

    async def test_nothing_overtakes_one_that_is_tried_again_later(self, desk: Desk, watch: Any) -> None:
        """Contract v3.md 3.3: jobs of one account run in the order they were queued, also after a failure."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        added, removed = await desk.add(people, target), await desk.remove(people, target)
        watch(failing(0, 1))
        await desk.deliver([message_of(added)])
        assert not (await desk.find(added)).state.is_final
        assert not (await desk.find(removed)).state.is_final
        await desk.finish_everything()
        assert [each.state for each in await desk.found([added, removed])] == [State.COMPLETED] * 2
        assert await desk.members(target) == set()

    async def test_nothing_overtakes_one_that_another_worker_has_taken_over(self, desk: Desk, watch: Any) -> None:
        """Two activities in one batch that meet; the first is taken over while both have failed together."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        added, removed = await desk.add(people, target), await desk.remove(people, target)

        async def lose_the_first(number: int) -> None:
            if number == 0:
                await take_over(desk, added)
                raise RuntimeError("as the test wants it")

        watch(lose_the_first)
        await desk.worker().run(message_of(added))
        assert [each.state for each in await desk.found([added, removed])] == [State.PROCESSING] * 2
        await desk.finish_everything()
        assert await desk.members(target) == set()

    async def test_a_frozen_worker_does_not_do_half_of_its_batch(
        self, desk: Desk, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """It wakes up when the first of two that meet has been taken over, and the second has not."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        added, removed = await desk.add(people, target), await desk.remove(people, target)
        claim = await claims.claim(desk.db, desk.settings, (worker := desk.worker()).worker_id, message_of(added))
        await take_over(desk, added)
        monkeypatch.setattr(claims, "claim", AsyncMock(return_value=claim))
        await worker.run(message_of(added))
        monkeypatch.undo()
        assert [each.state for each in await desk.found([added, removed])] == [State.PROCESSING] * 2
        await desk.finish_everything()
        assert await desk.members(target) == set()

    @pytest.mark.parametrize("seed", range(3))
    async def test_a_burst_with_failures_ends_as_if_run_in_sequence(self, desk: Desk, watch: Any, seed: int) -> None:
        random = Random(seed)
        targets, people = await desk.new_lists(2), await desk.make_contacts(4)
        expected: dict[int, set[int]] = {target.set_no: set() for target in targets}
        messages = []
        for _ in range(40):
            target, person = random.choice(targets), random.randrange(4)
            if random.random() < 0.5:
                messages += (await desk.add([people[person]], target)).messages
                expected[target.set_no].add(person + 1)
            else:
                messages += (await desk.remove([people[person]], target)).messages
                expected[target.set_no].discard(person + 1)
        watch(failing(*random.sample(range(40), 8)))
        await deliver_at_random(random, messages, [desk.worker() for _ in range(3)])
        await desk.finish_everything()
        assert {target.set_no: await desk.members(target) for target in targets} == expected

    async def test_accounts_do_not_wait_for_each_other(self, desk: Desk, new_desk: NewDesk) -> None:
        """Set numbers of two accounts are the same, and mean nothing to each other."""
        other = await new_desk()
        mine, theirs = await desk.new_list(), await other.new_list()
        assert mine.set_no == theirs.set_no
        slow = await desk.add(await desk.make_contacts(1), mine)
        quick = await other.add(await other.make_contacts(1), theirs)
        async with desk.held(mine):
            working = asyncio.create_task(desk.worker().run(message_of(slow)))
            await desk.someone_waits()
            await other.deliver(quick.messages)
            assert (await other.find(quick)).state is State.COMPLETED
        await working


async def take_over(desk: Desk, submitted: Submitted) -> None:
    """Another worker claims the activity, because its lease has run out, and does nothing yet."""
    await desk.let_leases_run_out()
    claim = await claims.claim(desk.db, desk.settings, desk.worker().worker_id, message_of(submitted))
    assert [each.activity_id for each in claim.activities] == [submitted.activity.activity_id]
