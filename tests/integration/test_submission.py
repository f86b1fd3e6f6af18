"""Taking activities in: the account's sequence, its limit, its window, and that a refusal leaves nothing."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from random import Random
from typing import ClassVar
from uuid import UUID, uuid4

import asyncpg
import pytest

from engine.activities import order, submission
from engine.activities.intake import Intake
from engine.activities.model import Message, Queue, State
from engine.activities.operation import Plan, Request
from engine.activities.submission import Submitted
from engine.database import UNREACHABLE, Database, Transaction
from engine.errors import MusterError, TooManyActivities, UnknownTarget
from engine.operations.contacts_import import ContactsFileImport
from engine.operations.engagement import SetEngagement
from engine.operations.list_memberships import AddListMemberships
from engine.operations.memberships import MembershipRequest
from engine.operations.taggings import AddTaggings
from engine.segments import stored as segments
from engine.sets import catalog
from engine.sets.catalog import SetKind
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk


class TestSequence:
    """An activity's place in its account's order (design, "Words": sequence)."""

    async def test_it_is_gapless_and_in_commit_order(self, desk: Desk) -> None:
        """20 submitters at once; what one has an answer to comes before what it asks for next."""
        [target] = await desk.new_lists(1)

        async def submit_some() -> list[int]:
            return [(await desk.add([uuid4()], target)).activity.sequence for _ in range(5)]

        submitting = asyncio.gather(*(submit_some() for _ in range(20)))
        while not submitting.done():
            # Whoever sees a number sees all that are lower.
            visible = sorted(row["sequence"] for row in await desk.rows("activity"))
            assert visible == list(range(1, len(visible) + 1))
            assert await desk.unfinished() >= len(visible)
        by_submitter = await submitting
        assert sorted(sequence for each in by_submitter for sequence in each) == list(range(1, 101))
        assert all(each == sorted(each) for each in by_submitter)
        assert await desk.unfinished() == 100

    async def test_a_refused_request_takes_no_number(self, desk: Desk) -> None:
        [target] = await desk.new_lists(1)
        before = (await desk.add([uuid4()], target)).activity.sequence
        with pytest.raises(UnknownTarget):
            await desk.submit(
                AddListMemberships.model_validate({"source": {"contact_ids": [uuid4()]}, "list_ids": [uuid4()]})
            )
        assert (await desk.add([uuid4()], target)).activity.sequence == before + 1

    async def test_each_account_counts_for_itself(self, desk: Desk, new_desk: NewDesk) -> None:
        other = await new_desk()
        for each in (desk, other):
            assert (await each.add([uuid4()], await each.new_list())).activity.sequence == 1

    async def test_a_new_activity_is_as_in_the_seed(self, desk: Desk) -> None:
        """Contract v3.md 3.2: initialized, percent_done 1, equal times, neither started nor completed."""
        activity = (await desk.add([uuid4()], await desk.new_list())).activity
        assert (activity.state, activity.percent_done, activity.attempts) == (State.INITIALIZED, 1, 0)
        assert activity.created_at == activity.updated_at
        assert (activity.started_at, activity.completed_at) == (None, None)
        assert (activity.counts, activity.error_count, activity.items_total) == ({}, 0, 0)
        assert activity.principal_id == desk.principal.principal_id
        assert await desk.find(activity) == activity


class TestLimit:
    """1,000 unfinished activities in the account → 429 (contract v3.md 1.9 and 3.3)."""

    async def test_it_is_exact_under_concurrency(self, desk: Desk) -> None:
        [target] = await desk.new_lists(1)
        settings = desk.settings.model_copy(update={"max_unfinished": 13})

        async def submit_one() -> Submitted | MusterError:
            try:
                return await submission.submit(desk.db, settings, desk.principal, desk.adding([uuid4()], target))
            except TooManyActivities as error:
                return error

        answers = await asyncio.gather(*(submit_one() for _ in range(30)))
        accepted = [each for each in answers if isinstance(each, Submitted)]
        assert sorted(each.activity.sequence for each in accepted) == list(range(1, 14))
        assert await desk.unfinished() == 13

    async def test_one_that_ends_makes_room(self, desk: Desk) -> None:
        [target] = await desk.new_lists(1)
        settings = desk.settings.model_copy(update={"max_unfinished": 1})
        request = desk.adding([uuid4()], target)
        first = await submission.submit(desk.db, settings, desk.principal, request)
        with pytest.raises(TooManyActivities, match="1 unfinished"):
            await submission.submit(desk.db, settings, desk.principal, request)
        await desk.deliver(first.messages)
        second = await submission.submit(desk.db, settings, desk.principal, request)
        with pytest.raises(TooManyActivities):
            await submission.retry(desk.db, settings, desk.principal, first.activity.activity_id)
        await submission.cancel(desk.db, settings, desk.principal, second.activity.activity_id)
        await submission.retry(desk.db, settings, desk.principal, first.activity.activity_id)
        assert await desk.unfinished() == 1


class TestIntake:
    """Requests of one account that come at once share a transaction; each is answered as if it were alone."""

    async def test_they_are_queued_in_the_order_they_came(self, desk: Desk) -> None:
        [target] = await desk.new_lists(1)
        intake = Intake(desk.db, desk.settings)
        requests = [desk.adding([uuid4()], target) for _ in range(70)]
        submitted = await asyncio.gather(*(intake.submit(desk.principal, request) for request in requests))
        assert [each.activity.sequence for each in submitted] == list(range(1, 71))
        contacts = [each.activity.request["source"]["contact_ids"] for each in submitted]
        assert contacts == [[str(contact_id) for contact_id in each.source.contact_ids or ()] for each in requests]
        assert len({each.activity.created_at for each in submitted}) == 3, "the first at once, then 50, then the rest"
        assert [len(each.messages) for each in submitted] == [*[1] * desk.settings.window, *[0] * 66]
        assert await desk.unfinished() == 70

    async def test_each_is_refused_on_its_own(self, desk: Desk) -> None:
        [target] = await desk.new_lists(1)
        intake = Intake(desk.db, desk.settings.model_copy(update={"max_unfinished": 4}))
        good = desk.adding([uuid4()], target)
        bad = AddListMemberships.model_validate({"source": {"contact_ids": [uuid4()]}, "list_ids": [uuid4()]})
        requests: list[Request] = [good, bad, good, Broken(), good, BreaksItsTransaction(), bad, good, good]
        answers = await asyncio.gather(
            *(intake.submit(desk.principal, request) for request in requests), return_exceptions=True
        )
        queued = [each.activity.sequence for each in answers if isinstance(each, Submitted)]
        assert queued == [1, 2, 3, 4]
        assert [type(each) for each in answers if isinstance(each, Exception)] == [
            UnknownTarget,
            ZeroDivisionError,
            asyncpg.DivisionByZeroError,
            UnknownTarget,
            TooManyActivities,
        ]
        assert await desk.unfinished() == 4
        assert await self._still_works(intake, desk)

    async def test_the_limit_is_exact_within_a_transaction(self, desk: Desk) -> None:
        [target] = await desk.new_lists(1)
        intake = Intake(desk.db, desk.settings.model_copy(update={"max_unfinished": 5}))
        await desk.add([uuid4()], target)
        asked = [intake.submit(desk.principal, desk.adding([uuid4()], target)) for _ in range(9)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
        assert [isinstance(each, TooManyActivities) for each in answers] == [False] * 4 + [True] * 5
        assert await desk.unfinished() == 5

    async def test_those_who_have_gone_hold_nobody_up(self, desk: Desk) -> None:
        [target] = await desk.new_lists(1)
        intake = Intake(desk.db, desk.settings)
        tasks = [asyncio.create_task(intake.submit(desk.principal, desk.adding([uuid4()], target))) for _ in range(9)]
        await asyncio.sleep(0)
        for task in tasks[::2]:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
        assert [isinstance(each, Submitted) for each in done] == [number % 2 == 1 for number in range(9)]
        assert await self._still_works(intake, desk)

    async def test_accounts_do_not_wait_for_each_other(self, desk: Desk, new_desk: NewDesk) -> None:
        other = await new_desk()
        intake = Intake(desk.db, desk.settings)
        mine, theirs = desk.adding([uuid4()], await desk.new_list()), other.adding([uuid4()], await other.new_list())
        async with desk.db.scheduling(desk.account_id):
            waiting = asyncio.create_task(intake.submit(desk.principal, mine))
            await intake.submit(other.principal, theirs)
            assert not waiting.done()
        await waiting

    async def test_a_server_that_is_away_is_told_to_all(self, desk: Desk) -> None:
        [target] = await desk.new_lists(1)
        database = await Database.open(str(desk.settings.database_app_url))
        await database.close()
        intake = Intake(database, desk.settings)
        asked = [intake.submit(desk.principal, desk.adding([uuid4()], target)) for _ in range(5)]
        for answer in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(answer, UNREACHABLE)

    @staticmethod
    async def _still_works(intake: Intake, desk: Desk) -> bool:
        await desk.finish_everything()
        again = await intake.submit(desk.principal, desk.adding([uuid4()], await desk.new_list()))
        return again.activity.state is State.INITIALIZED


class Broken:
    """A request whose planning fails for a reason that nobody has thought of."""

    kind: ClassVar[str] = "broken"
    queue: ClassVar[Queue] = Queue.ACTIVITIES

    async def plan(self, tx: Transaction) -> Plan:
        raise ZeroDivisionError


class BreaksItsTransaction(Broken):
    """The same on the server."""

    async def plan(self, tx: Transaction) -> Plan:
        await tx.select("SELECT 1 / 0", ())
        raise AssertionError


class TestTargets:
    """Unknown target or source: nothing is queued (contract v3.md 3.3); a segment's criteria: segments.md tests."""

    @pytest.fixture(params=["unknown", "another account's", "deleted", "deleted since it was met", "of the other kind"])
    def fate(self, request: pytest.FixtureRequest) -> str:
        return str(request.param)

    async def test_lists_and_tags(self, desk: Desk, new_desk: NewDesk, fate: str) -> None:
        known = {kind: str(await self._made(desk, kind)) for kind in (SetKind.LIST, SetKind.TAG)}
        wrong = {kind: str(await self._wrong(desk, new_desk, kind, fate)) for kind in known}
        somebody = {"contact_ids": [str(uuid4())]}
        list_ids, tag_ids = [known[SetKind.LIST]], [known[SetKind.TAG]]
        requests: list[tuple[type[MembershipRequest], dict[str, object]]] = [
            (AddListMemberships, {"source": somebody, "list_ids": [*list_ids, wrong[SetKind.LIST]]}),
            (AddListMemberships, {"source": {"list_ids": [*list_ids, wrong[SetKind.LIST]]}, "list_ids": list_ids}),
            (AddListMemberships, {"source": {"tag_ids": [wrong[SetKind.TAG], *tag_ids]}, "list_ids": list_ids}),
            (AddTaggings, {"source": somebody, "tag_ids": [*tag_ids, wrong[SetKind.TAG]]}),
            (SetEngagement, {"source": {"tag_ids": [wrong[SetKind.TAG]]}, "engagement_level": "low"}),
        ]
        for request, body in requests:
            with pytest.raises(UnknownTarget, match="does not exist"):
                await desk.submit(request.model_validate(body))
        with pytest.raises(UnknownTarget, match=wrong[SetKind.LIST]):
            await desk.submit(ContactsFileImport.model_validate({"file": "f", "list_ids": [wrong[SetKind.LIST]]}))
        await self._assert_nothing_is_left(desk)

    async def test_of_several_at_once_only_those_that_name_it_are_refused(self, desk: Desk) -> None:
        gone, target = await desk.new_lists(2)
        await desk.add([uuid4()], gone, target)
        await desk.delete_list(gone)
        intake = Intake(desk.db, desk.settings)
        requests = [desk.adding([uuid4()], each) for each in (target, target, gone, target, gone)]
        answers = await asyncio.gather(
            *(intake.submit(desk.principal, request) for request in requests), return_exceptions=True
        )
        refused = [isinstance(each, UnknownTarget) for each in answers]
        assert refused == [False, False, True, False, True]
        assert await desk.unfinished() == 4

    @pytest.mark.parametrize("reused", [False, True])
    async def test_a_database_that_was_restored_to_an_earlier_state(self, desk: Desk, reused: bool) -> None:
        """What a process remembers of later sets is worth nothing then, though another set may have the number."""
        [lost] = await desk.new_lists(1)
        await desk.deliver((await desk.add([uuid4()], lost)).messages)
        await desk.owner.execute(
            "DELETE FROM contact_set WHERE account_id = $1 AND set_no = $2", desk.account_id, lost.set_no
        )
        await desk.owner.execute(
            "UPDATE account SET last_set_no = last_set_no - 1 WHERE account_id = $1", desk.account_id
        )
        if reused:
            [other] = await desk.new_lists(1)
            assert other.set_no == lost.set_no
        for _ in range(2):
            with pytest.raises(UnknownTarget, match=str(lost.set_id)):
                await desk.add([uuid4()], lost)
        assert await desk.unfinished() == 0

    async def test_segments(self, desk: Desk, new_desk: NewDesk) -> None:
        other = await new_desk()
        criteria = '{"version":"1.0.0","criteria":{"type":"and","group":[{"source":"contact","field":"city",'
        criteria += '"op":"is-empty"}]}}'
        async with other.db.account(other.account_id) as tx:
            theirs = await segments.create(tx, "theirs", criteria)
        body = {"source": {"segment_id": theirs.segment_id}, "list_ids": [str((await desk.new_list()).set_id)]}
        with pytest.raises(UnknownTarget, match=f"segment {theirs.segment_id}"):
            await desk.submit(AddListMemberships.model_validate(body))
        await self._assert_nothing_is_left(desk)

    async def test_unknown_contacts_are_accepted(self, desk: Desk) -> None:
        """Contract v3.md 3.3: skipped, one string in `activity_errors`."""
        submitted = await desk.add([uuid4(), uuid4()], await desk.new_list())
        await desk.deliver(submitted.messages)
        assert [code for _, code in await desk.errors(submitted)] == ["contact_not_found"] * 2

    async def test_an_id_that_is_there_twice_is_one(self, desk: Desk) -> None:
        """Contract v3.md 1.6: duplicate ids inside an id array."""
        [target], [kim] = await desk.new_lists(1), await desk.make_contacts(1)
        submitted = await desk.add([kim, kim, stranger := uuid4(), stranger], target, target)
        await desk.deliver(submitted.messages)
        found = await desk.find(submitted)
        assert (found.items_total, found.changed_count, found.error_count) == (2, 1, 1)

    @staticmethod
    async def _made(desk: Desk, kind: SetKind) -> UUID:
        async with desk.db.account(desk.account_id) as tx:
            return (await catalog.create(tx, kind, f"{kind} {uuid4()}")).set_id

    async def _wrong(self, desk: Desk, new_desk: NewDesk, kind: SetKind, fate: str) -> UUID:
        match fate:
            case "unknown":
                return uuid4()
            case "another account's":
                return await self._made(await new_desk(), kind)
            case "of the other kind":
                return await self._made(desk, SetKind.TAG if kind is SetKind.LIST else SetKind.LIST)
        set_id = await self._made(desk, kind)
        if fate == "deleted since it was met":
            async with desk.db.account(desk.account_id) as tx:
                await catalog.numbers(tx, kind, [set_id])
        await desk.owner.execute(
            "UPDATE contact_set SET deleted_at = now() WHERE account_id = $1 AND set_id = $2", desk.account_id, set_id
        )
        return set_id

    @staticmethod
    async def _assert_nothing_is_left(desk: Desk) -> None:
        assert await desk.unfinished() == 0
        assert await desk.rows("activity") == []
        assert await desk.rows("lease") == []


class TestWindow:
    """At most a small window of an account's activities is in Redis (design, life of an activity, 2)."""

    async def test_an_account_with_many_waiting_has_few_in_the_queue(self, desk: Desk) -> None:
        window, worker = desk.settings.window, desk.worker()
        lists = await desk.new_lists(10)
        large = [uuid4() for _ in range(260)]
        sent = []
        for number in range(200):
            # Every other one is too large to share a transaction.
            people = large if number % 2 else [uuid4()]
            sent += (await desk.add(people, lists[number % 10], lists[(number + 1) % 10])).messages
        assert len(sent) == window
        while sent:
            assert max((await self._places(desk)).values()) <= window
            sent += await worker.run(sent.pop(0))
        assert await desk.unfinished() == 0
        assert await self._places(desk) == {}

    async def test_each_queue_has_a_window_of_its_own(self, desk: Desk) -> None:
        [target] = await desk.new_lists(1)
        window = desk.settings.window
        imports = [ContactsFileImport(file="f", list_ids=(target.set_id,)) for _ in range(window + 2)]
        submitted = [await desk.submit(each) for each in imports]
        submitted += [await desk.add([uuid4()], target) for _ in range(window + 2)]
        assert [len(each.messages) for each in submitted] == [*[1] * window, 0, 0] * 2
        assert await self._places(desk) == {"bulk": window, "activities": window}

    async def test_those_far_behind_get_their_turn(self, desk: Desk) -> None:
        """More wait than are looked at for what may run next, and their messages come first."""
        busy, free = await desk.new_lists(2)
        intake = Intake(desk.db, desk.settings)
        first = await desk.add([uuid4() for _ in range(260)], busy, await desk.new_list())
        behind = [desk.adding([uuid4()], busy) for _ in range(order.LOOK_AHEAD + 20)]
        waiting = await asyncio.gather(*(intake.submit(desk.principal, each) for each in behind))
        last = await desk.add([uuid4()], free)
        message = Message(desk.account_id, last.activity.activity_id, last.activity.queue)
        worker = desk.worker()
        assert [sent for each in (*waiting, last) for sent in each.messages if await worker.run(sent)] == []
        assert await worker.run(message) == []
        await desk.deliver(first.messages, worker)
        assert await desk.unfinished() == 0
        assert {each.state for each in await desk.found([first, *waiting, last])} == {State.COMPLETED}

    async def test_blocked_ones_do_not_keep_others_out(self, desk: Desk) -> None:
        """What waits for another gives its place to what can run."""
        window = desk.settings.window
        busy, free = await desk.new_lists(2)
        [first] = [await desk.add([uuid4() for _ in range(501)][:500], busy, await desk.new_list())]
        blocked = [await desk.remove([uuid4()], busy) for _ in range(2 * window)]
        runnable = [await desk.add([uuid4()], free) for _ in range(3)]
        messages = [message for each in (*blocked, *runnable) for message in each.messages]
        async with desk.held(busy):
            working = asyncio.create_task(desk.worker().run(first.messages[0]))
            await desk.someone_waits()
            await desk.deliver(messages)
            assert {each.state for each in await desk.found(runnable)} == {State.COMPLETED}
            assert {each.state for each in await desk.found(blocked)} == {State.INITIALIZED}
        await desk.deliver(await working)
        assert {each.state for each in await desk.found([first, *blocked])} == {State.COMPLETED}

    @staticmethod
    async def _places(desk: Desk) -> dict[str, int]:
        rows = await desk.owner.fetch(
            "SELECT queue, count(*) FROM lease WHERE account_id = $1 GROUP BY queue", desk.account_id
        )
        return {row["queue"]: row["count"] for row in rows}


async def test_the_count_of_unfinished_is_always_right(desk: Desk) -> None:
    """Whatever is asked at once: submitting, running, cancelling, retrying."""
    random = Random(7)
    targets = await desk.new_lists(2)
    people = await desk.make_contacts(5)
    known: list[Submitted] = []

    async def act() -> None:
        for _ in range(12):
            match random.randrange(4):
                case 0 | 1:
                    known.append(await desk.add([random.choice(people)], random.choice(targets)))
                case 2 if known:
                    await unless_refused(submission.cancel, random.choice(known))
                case 3 if known:
                    await unless_refused(submission.retry, random.choice(known))
            await desk.deliver(random.choice(known).messages if known else ())

    async def unless_refused(what: Callable[..., Awaitable[Submitted]], submitted: Submitted) -> None:
        with suppress(MusterError):
            known.append(await what(desk.db, desk.settings, desk.principal, submitted.activity.activity_id))

    acting = asyncio.gather(*(act() for _ in range(6)))
    while not acting.done():
        await desk.unfinished()
    await acting
    await desk.finish_everything()
    assert await desk.rows("lease") == []
