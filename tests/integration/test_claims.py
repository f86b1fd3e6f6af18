"""Claims, leases, fencing, order, and what becomes of failures: design, "An activity's life", 2 to 6."""

import asyncio
from collections.abc import Sequence
from random import Random
from typing import Any
from unittest.mock import AsyncMock
from uuid import UUID

import pytest

from engine import operations
from engine.activities import claims, order, submission
from engine.activities.model import Activity, Message, State
from engine.activities.operation import MembershipOperation
from engine.activities.order import End
from engine.activities.submission import Submitted
from engine.errors import AlreadyFinal, Invalid, LeaseLost, NotFinal, NotFound
from engine.operations.list_memberships import AddListMemberships
from engine.operations.memberships import SMALL
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk, deliver_at_random
from tests.integration.watched import WatchedChange, always_fail, failing

ADD = AddListMemberships.kind


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Replaces the operation that adds to lists by one that calls a hook."""

    def install(hook: Any) -> WatchedChange:
        inner = operations.OPERATIONS[ADD]
        assert isinstance(inner, MembershipOperation)
        watched = WatchedChange(inner, hook)
        monkeypatch.setitem(operations.OPERATIONS, ADD, watched)
        return watched

    return install


def message_of(submitted: Submitted) -> Message:
    activity = submitted.activity
    return Message(activity.account_id, activity.activity_id, activity.queue)


async def row_version(desk: Desk, activity: Activity) -> int:
    """The transaction that wrote the activity's row."""
    found = await desk.owner.fetchval(
        "SELECT xmin FROM activity WHERE account_id = $1 AND sequence = $2", activity.account_id, activity.sequence
    )
    return int(found)


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


class TestAttempts:
    """Attempts are counted in the row (issue 2, section 4)."""

    async def test_a_poison_activity_ends_failed_with_its_reason(self, desk: Desk, watch: Any) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        watched = watch(always_fail)
        submitted = await desk.add(people, target)
        await desk.deliver(submitted.messages, desk.worker(max_attempts=3))
        for attempt in (1, 2, 3):
            assert (await desk.find(submitted)).attempts == attempt
            await desk.let_leases_run_out()
            await desk.deliver(await desk.swept(), desk.worker(max_attempts=3))
        found = await desk.find(submitted)
        assert (found.state, found.failure_code, watched.calls) == (State.FAILED, "attempts_exhausted", 3)
        assert "RuntimeError" in (found.failure or "")
        assert found.completed_at
        assert await desk.unfinished() == 0
        assert await desk.rows("lease") == []

    async def test_one_whose_workers_die_ends_failed(self, desk: Desk) -> None:
        """Also when nobody is left to tell: the attempt is counted when it is claimed."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add(people, target)
        settings = desk.settings.model_copy(update={"max_attempts": 2})
        for _ in range(2):
            claim = await claims.claim(desk.db, settings, desk.worker().worker_id, message_of(submitted))
            assert len(claim.activities) == 1
            await desk.let_leases_run_out()
        claim = await claims.claim(desk.db, settings, desk.worker().worker_id, message_of(submitted))
        assert claim.activities == ()
        found = await desk.find(submitted)
        assert (found.state, found.failure_code) == (State.FAILED, "attempts_exhausted")
        assert await desk.unfinished() == 0

    async def test_a_failed_one_lets_those_behind_it_go_on(self, desk: Desk, watch: Any) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(2)
        poison, next_one = await desk.add(people, target), await desk.remove(people, target)
        watch(always_fail)
        await desk.deliver([message_of(poison)], desk.worker(max_attempts=1))
        await desk.finish_everything()
        assert [each.state for each in await desk.found([poison, next_one])] == [State.FAILED, State.COMPLETED]

    async def test_a_new_attempt_waits_longer_each_time(self, desk: Desk, watch: Any) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add(people, target)
        watch(always_fail)
        pauses = []
        for _ in range(3):
            await desk.deliver([message_of(submitted)])
            waiting = "SELECT extract(epoch FROM expires_at - now()) FROM lease WHERE account_id = $1"
            pauses.append(float(await desk.owner.fetchval(waiting, desk.account_id)))
            await desk.let_leases_run_out()
        assert 0 < pauses[0] <= 1 < pauses[1] <= 2 < pauses[2] <= 4


class TestTimeLimit:
    """`timed_out`: processing time since the first claim (issue 2, section 2; contract v3.md 3.2.1)."""

    async def test_what_takes_too_long_is_timed_out(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add(people, target)
        async with desk.held(target):
            await desk.deliver([message_of(submitted)], desk.worker(activity_time_limit=1))
        found = await desk.find(submitted)
        assert (found.state, found.failure_code, found.changed_count) == (State.TIMED_OUT, "timed_out", 0)
        assert found.failure
        assert await desk.members(target) == set()
        assert await desk.unfinished() == 0

    async def test_time_counts_from_the_first_claim(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add(people, target)
        await claims.claim(desk.db, desk.settings, desk.worker().worker_id, message_of(submitted))
        await desk.let_leases_run_out()
        await desk.owner.execute(
            "UPDATE activity SET started_at = started_at - interval '1 day' WHERE account_id = $1", desk.account_id
        )
        await desk.deliver([message_of(submitted)])
        assert (await desk.find(submitted)).state is State.TIMED_OUT
        assert await desk.unfinished() == 0

    async def test_waiting_costs_no_time(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add(people, target)
        await desk.owner.execute(
            "UPDATE activity SET created_at = created_at - interval '2 hours' WHERE account_id = $1", desk.account_id
        )
        await desk.deliver([message_of(submitted)])
        assert (await desk.find(submitted)).state is State.COMPLETED


class TestCancel:
    """Before the transaction; what was done is reported exactly (issue 2, section 2). Batches: imports/."""

    async def test_what_has_not_begun_never_begins(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(2)
        cancelled, after = await desk.add(people, target), await desk.remove(people, target)
        answer = await submission.cancel(desk.db, desk.settings, desk.principal, cancelled.activity.activity_id)
        assert answer.activity.state is State.CANCELLED
        assert answer.activity.completed_at
        assert answer.activity.started_at is None
        await desk.deliver([message_of(cancelled), *answer.messages, message_of(after)])
        assert (await desk.find(cancelled)).attempts == 0
        assert (await desk.find(after)).state is State.COMPLETED
        assert await desk.unfinished() == 0

    async def test_cancelling_wakes_what_waited_for_it(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(2)
        first, second = await desk.add(people, target), await desk.remove(people, target)
        assert await desk.worker().run(message_of(second)) == []
        answer = await submission.cancel(desk.db, desk.settings, desk.principal, first.activity.activity_id)
        assert answer.messages == [message_of(second)]

    async def test_what_runs_in_one_transaction_is_done_or_not(self, desk: Desk) -> None:
        """Asked for after its transaction began: it is done, not half."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(2)
        submitted = await desk.add(people, target)
        async with desk.held(target):
            working = asyncio.create_task(desk.worker().run(message_of(submitted)))
            await desk.someone_waits()
            answer = await submission.cancel(desk.db, desk.settings, desk.principal, submitted.activity.activity_id)
            assert (answer.activity.state, answer.messages) == (State.PROCESSING, [])
        await working
        found = await desk.find(submitted)
        assert (found.state, found.changed_count) == (State.COMPLETED, 2)

    async def test_what_a_dead_worker_left_is_cancelled_by_the_next(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(2)
        submitted = await desk.add(people, target)
        await claims.claim(desk.db, desk.settings, desk.worker().worker_id, message_of(submitted))
        await submission.cancel(desk.db, desk.settings, desk.principal, submitted.activity.activity_id)
        await desk.let_leases_run_out()
        await desk.deliver(await desk.swept())
        found = await desk.find(submitted)
        assert (found.state, found.changed_count) == (State.CANCELLED, 0)
        assert await desk.members(target) == set()
        assert await desk.unfinished() == 0

    async def test_one_of_a_batch_is_cancelled_alone(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        submitted = [await desk.add([person], target) for person in people]
        claim = await claims.claim(desk.db, desk.settings, desk.worker().worker_id, message_of(submitted[0]))
        assert len(claim.activities) == 3
        await submission.cancel(desk.db, desk.settings, desk.principal, submitted[1].activity.activity_id)
        await desk.finish_everything()
        states = [each.state for each in await desk.found(submitted)]
        assert states == [State.COMPLETED, State.CANCELLED, State.COMPLETED]
        assert await desk.members(target) == {1, 3}

    async def test_a_final_state_never_changes(self, desk: Desk, watch: Any) -> None:
        """Contract v3.md 3.2.1."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        completed, cancelled = await desk.add(people, target), await desk.add(people, target)
        await submission.cancel(desk.db, desk.settings, desk.principal, cancelled.activity.activity_id)
        await desk.deliver([message_of(completed)])
        failed = await desk.add(people, target)
        watch(always_fail)
        await desk.deliver([message_of(failed)], desk.worker(max_attempts=1))
        before = await desk.rows("activity")
        assert {row["state"] for row in before} == {"completed", "cancelled", "failed"}
        for row in before:
            with pytest.raises(AlreadyFinal):
                await submission.cancel(desk.db, desk.settings, desk.principal, row["activity_id"])
            await desk.deliver([Message(desk.account_id, row["activity_id"], row["queue"])])
        assert await desk.rows("activity") == before

    async def test_unknown_ones_cannot_be_cancelled_or_retried(self, desk: Desk, new_desk: NewDesk) -> None:
        other = await new_desk()
        theirs = await other.add(await other.make_contacts(1), await other.new_list())
        for activity_id in (UUID(int=0), theirs.activity.activity_id):
            with pytest.raises(NotFound):
                await submission.cancel(desk.db, desk.settings, desk.principal, activity_id)
            with pytest.raises(NotFound):
                await submission.retry(desk.db, desk.settings, desk.principal, activity_id)
        assert (await other.find(theirs)).state is State.INITIALIZED


class TestRetry:
    """A new activity linked to the first (design, one policy). Imports: imports/."""

    async def test_a_membership_kind_is_done_again(self, desk: Desk, watch: Any) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        watch(failing(0))
        first = await desk.add(people, target)
        await desk.deliver([message_of(first)], desk.worker(max_attempts=1))
        assert (await desk.find(first)).state is State.FAILED
        again = await submission.retry(desk.db, desk.settings, desk.principal, first.activity.activity_id)
        assert again.activity.retry_of == first.activity.activity_id
        assert again.activity.sequence > first.activity.sequence
        await desk.deliver(again.messages)
        found = await desk.find(again)
        assert (found.state, found.changed_count) == (State.COMPLETED, 3)
        assert (await desk.find(first)).state is State.FAILED

    async def test_only_what_has_ended_can_be_retried(self, desk: Desk) -> None:
        [target], people = await desk.new_lists(1), await desk.make_contacts(3)
        submitted = await desk.add(people, target)
        with pytest.raises(NotFinal):
            await submission.retry(desk.db, desk.settings, desk.principal, submitted.activity.activity_id)
        assert await desk.unfinished() == 1

    async def test_it_has_its_place_at_the_end(self, desk: Desk) -> None:
        """What was submitted meanwhile comes first."""
        [target], people = await desk.new_lists(1), await desk.make_contacts(1)
        first = await desk.add(people, target)
        await submission.cancel(desk.db, desk.settings, desk.principal, first.activity.activity_id)
        removed = await desk.remove(people, target)
        again = await submission.retry(desk.db, desk.settings, desk.principal, first.activity.activity_id)
        assert await desk.worker().run(message_of(again)) == []
        await desk.deliver([message_of(removed)])
        assert (await desk.find(again)).state is State.COMPLETED
        assert await desk.members(target) == {1}


class TestTargets:
    """Destinations deleted meanwhile are item errors (design, life of an activity, 4)."""

    async def test_a_deleted_list_is_an_error_and_the_rest_is_done(self, desk: Desk) -> None:
        gone, stays = await desk.new_lists(2)
        people = await desk.make_contacts(2)
        submitted = await desk.add(people, gone, stays)
        await desk.delete_list(gone)
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.state, found.changed_count, found.error_count) == (State.COMPLETED, 2, 1)
        assert await desk.errors(submitted) == [(str(gone.set_id), "list_deleted")]
        assert await desk.members(stays) == {1, 2}
        assert await desk.members(gone) == set()

    async def test_all_lists_deleted(self, desk: Desk) -> None:
        gone = await desk.new_lists(2)
        people = await desk.make_contacts(1)
        added, removed = await desk.add(people, *gone), await desk.remove(people, *gone)
        for each in gone:
            await desk.delete_list(each)
        await desk.deliver([message_of(added), message_of(removed)])
        for submitted in (added, removed):
            found = await desk.find(submitted)
            assert (found.state, found.changed_count, found.error_count) == (State.COMPLETED, 0, 2)
        assert await desk.rows("effect") == []


async def finish(desk: Desk, state: State, activities: Sequence[Activity]) -> None:
    async with desk.db.account(desk.account_id) as tx:
        ends = [End(each.sequence, each.fence, changed_count=9) for each in activities]
        await order.finish(tx, desk.settings, state, ends)


async def take_over(desk: Desk, submitted: Submitted) -> None:
    """Another worker claims the activity, because its lease has run out, and does nothing yet."""
    await desk.let_leases_run_out()
    claim = await claims.claim(desk.db, desk.settings, desk.worker().worker_id, message_of(submitted))
    assert [each.activity_id for each in claim.activities] == [submitted.activity.activity_id]
