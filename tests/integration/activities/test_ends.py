"""How activities end, and begin anew: attempts, time limit, cancel, retry; design, "An activity's life", 4 to 6."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from engine.activities import claims, submission
from engine.activities.model import Message, State
from engine.errors import AlreadyFinal, NotFinal, NotFound
from engine.operations.list_memberships import AddListMemberships
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk, message_of
from tests.integration.watched import always_fail, failing

ADD = AddListMemberships.kind


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
