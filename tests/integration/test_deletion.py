"""Deleting lists and tags: a set operation in the account's order, whose effect tells what was in them."""

import asyncio
from contextlib import suppress
from random import Random
from typing import Any
from uuid import UUID, uuid4

import pytest

from engine import operations
from engine.activities.model import State
from engine.activities.operation import Request
from engine.activities.submission import Submitted
from engine.errors import NotFound, UnknownTarget
from engine.operations.list_memberships import AddListMemberships, RemoveListMemberships
from engine.operations.lists_delete import DeleteLists
from engine.operations.sets_delete import DeletionOfSets
from engine.operations.tags_delete import DeleteTags
from engine.sets import catalog, deletion, membership
from engine.sets.catalog import NamedSet, SetKind
from engine.sets.chunks import CHUNK_BITS, numbers_of
from engine.sets.membership import Change, Mask, Result
from tests.integration.desk import Desk, deliver_at_random
from tests.integration.watched import WatchedWork, failing


def deleting(*lists: NamedSet) -> DeleteLists:
    return DeleteLists(list_ids=tuple(each.set_id for each in lists))


async def test_memberships_go_and_contacts_stay(desk: Desk) -> None:
    """Contract v3.md 2.2 and 3.7: removes the lists and their memberships, contacts stay."""
    people = [*await desk.make_contacts(3), *await desk.make_contacts(2, first=CHUNK_BITS + 5)]
    kept, *doomed = await desk.new_lists(3)
    await desk.deliver((await desk.add(people, kept, *doomed)).messages)
    deleted = await desk.submit(deleting(*doomed))
    await desk.deliver(deleted.messages)
    found = await desk.find(deleted)
    assert (found.state, found.items_total, found.items_completed) == (State.COMPLETED, 2, 2)
    assert (found.changed_count, found.error_count) == (10, 0)
    assert len(await desk.members(kept)) == 5
    assert [await desk.members(each) for each in doomed] == [set(), set()]
    assert {row["set_no"] for row in await desk.rows("set_chunk")}.isdisjoint(each.set_no for each in doomed)
    assert {row["set_no"] for row in await desk.rows("contact_set") if row["deleted_at"]} == {
        each.set_no for each in doomed
    }
    assert len(await desk.rows("contact")) == 5


async def test_the_effect_tells_who_was_in_them(desk: Desk) -> None:
    """Design, words: an effect holds every bit that was turned off, so that undo can bring the sets back."""
    people = [*await desk.make_contacts(3), *await desk.make_contacts(1, first=CHUNK_BITS + 5)]
    doomed = await desk.new_list()
    await desk.deliver((await desk.add(people, doomed)).messages)
    deleted = await desk.submit(deleting(doomed))
    await desk.deliver(deleted.messages)
    effects = [row for row in await desk.rows("effect") if row["sequence"] == deleted.activity.sequence]
    assert [(row["set_no"], row["turned_on"]) for row in effects] == [(doomed.set_no, False)] * 2
    assert {n for row in effects for n in numbers_of(row["chunk"], row["bits"])} == {1, 2, 3, CHUNK_BITS + 5}
    assert sorted((row["lowest"], row["highest"]) for row in effects) == [(1, CHUNK_BITS - 1), (5, 5)]


async def test_tags_too(desk: Desk) -> None:
    """Contract v3.md 2.3 and 3.7."""
    async with desk.db.account(desk.account_id) as tx:
        tags = [await catalog.create(tx, SetKind.TAG, f"tag {number}") for number in range(2)]
    deleted = await desk.submit(DeleteTags(tag_ids=tuple(each.set_id for each in tags)))
    await desk.deliver(deleted.messages)
    async with desk.db.account(desk.account_id) as tx:
        assert await catalog.count(tx, SetKind.TAG) == 0
        assert (await catalog.create(tx, SetKind.TAG, "TAG 0")).set_no not in {each.set_no for each in tags}


async def test_one_that_was_deleted_meanwhile_is_an_item_error(desk: Desk) -> None:
    first, second = await desk.new_lists(2)
    before, after = await desk.submit(deleting(first)), await desk.submit(deleting(second, first))
    await desk.deliver([*before.messages, *after.messages])
    found = await desk.find(after)
    assert (found.state, found.items_total, found.items_completed) == (State.COMPLETED, 2, 1)
    assert await desk.errors(after) == [(str(first.set_id), "list_deleted")]
    with pytest.raises(UnknownTarget):
        await desk.submit(deleting(first))


async def test_what_was_asked_for_before_is_done_before_and_what_after_finds_nothing(desk: Desk) -> None:
    """Contract v3.md 3.3: jobs of one account run in the order they were queued."""
    people, (doomed, other) = await desk.make_contacts(3), await desk.new_lists(2)
    copying = AddListMemberships.model_validate(
        {"source": {"list_ids": [doomed.set_id]}, "list_ids": [str(other.set_id)]}
    )
    asked = [
        await desk.add(people[:2], doomed),
        await desk.submit(copying),
        await desk.submit(deleting(doomed)),
        await desk.add(people[2:], doomed, other),
        await desk.submit(copying),
    ]
    await desk.deliver([message for each in reversed(asked) for message in each.messages])
    found = await desk.found(asked)
    assert [each.state for each in found] == [State.COMPLETED] * 5
    assert [(each.items_total, each.changed_count) for each in found] == [(2, 2), (2, 2), (1, 2), (1, 1), (0, 0)]
    assert await desk.errors(asked[3]) == [(str(doomed.set_id), "list_deleted")]
    assert await desk.members(other) == {1, 2, 3}
    assert await desk.members(doomed) == set()


async def test_a_deletion_that_was_cancelled_in_time_deletes_nothing(desk: Desk) -> None:
    doomed = await desk.new_list()
    deleted = await desk.submit(deleting(doomed))
    await desk.owner.execute("UPDATE activity SET cancel_requested = true WHERE account_id = $1", desk.account_id)
    await desk.deliver(deleted.messages)
    assert (await desk.find(deleted)).state is State.CANCELLED
    assert [row["set_no"] for row in await desk.rows("contact_set") if row["deleted_at"]] == []


async def test_an_attempt_that_fails_leaves_nothing_and_the_next_does_it_all(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Design, one transaction an activity: done or not done, never half."""
    work = WatchedWork(DeletionOfSets(), after=failing(0))
    monkeypatch.setitem(operations.OPERATIONS, DeleteLists.kind, work)
    people, doomed = await desk.make_contacts(3), await desk.new_list()
    await desk.deliver((await desk.add(people, doomed)).messages)
    deleted = await desk.submit(deleting(doomed))
    await desk.deliver(deleted.messages)
    assert await desk.members(doomed) == {1, 2, 3}
    await desk.finish_everything()
    found = await desk.find(deleted)
    assert (found.state, found.changed_count, work.calls) == (State.COMPLETED, 3, 2)
    assert await desk.members(doomed) == set()


async def test_unknown_ones_and_those_of_the_other_kind_are_refused(desk: Desk) -> None:
    """Contract v3.md 3.3: nothing is queued."""
    named = await desk.new_list()
    for wrong in (
        DeleteLists(list_ids=(named.set_id, uuid4())),
        DeleteTags(tag_ids=(named.set_id,)),
    ):
        with pytest.raises(UnknownTarget):
            await desk.submit(wrong)
    assert await desk.rows("activity") == []


@pytest.mark.parametrize("seed", range(3))
async def test_deletions_race_with_everything_else(desk: Desk, seed: int) -> None:
    """Submitted and run side by side, in transactions that really meet: counts are right, deleted lists are empty."""
    random = Random(seed)
    people, lists = await desk.make_contacts(40), await desk.new_lists(12)
    runners = [desk.worker() for _ in range(4)]
    submitted: list[Submitted] = []

    def anything() -> Request:
        sources: list[dict[str, Any]] = [
            {"contact_ids": random.sample(people, 5)},
            {"list_ids": [random.choice(lists).set_id]},
            {"all_active_contacts": True},
        ]
        body = {"source": random.choice(sources), "list_ids": [each.set_id for each in random.sample(lists, 2)]}
        return random.choice((AddListMemberships, RemoveListMemberships)).model_validate(body)

    async def client(doomed: NamedSet) -> None:
        for step in range(15):
            with suppress(UnknownTarget):
                submitted.append(await desk.submit(deleting(doomed) if step == 8 else anything()))
                await deliver_at_random(random, submitted[-1].messages, runners)

    await asyncio.gather(*map(client, lists[:6]))
    await desk.finish_everything(*runners)
    found = await desk.found(submitted)
    assert {(each.state, each.attempts) for each in found} == {(State.COMPLETED, 1)}
    assert sum(each.changed_count for each in found) > len(people)
    members = [await desk.members(each) for each in lists]
    deleted = {row["set_no"] for row in await desk.rows("contact_set") if row["deleted_at"]}
    assert deleted == {each.set_no for each in lists[:6]}
    assert not any(members[:6])
    assert {code for each in submitted for _, code in await desk.errors(each)} <= {"list_deleted"}


class TestLocks:
    """Whatever the order of activities lets happen, the lists' rows keep deletions and additions apart."""

    @staticmethod
    def adding(people: list[UUID], target: NamedSet) -> Change:
        return Change(1, tuple(people), on=(target.set_no,), mask=Mask.DELETED)

    async def test_a_deletion_waits_for_an_addition_and_takes_it_back(self, desk: Desk) -> None:
        people, target = await desk.make_contacts(3), await desk.new_list()

        async def delete() -> Result:
            async with desk.db.account(desk.account_id) as tx:
                return await deletion.delete(tx, 2, [target.set_no])

        async with desk.db.account(desk.account_id) as tx:
            await membership.write(tx, [self.adding(people, target)])
            deleting = asyncio.create_task(delete())
            await desk.someone_waits()
        assert (await deleting).changed == 3
        assert await desk.members(target) == set()

    async def test_an_addition_waits_for_a_deletion_and_finds_nothing(self, desk: Desk) -> None:
        people, target = await desk.make_contacts(3), await desk.new_list()

        async def add() -> Result:
            async with desk.db.account(desk.account_id) as tx:
                return (await membership.write(tx, [self.adding(people, target)]))[1]

        async with desk.db.account(desk.account_id) as tx:
            await deletion.delete(tx, 2, [target.set_no])
            adding = asyncio.create_task(add())
            await desk.someone_waits()
        result = await adding
        assert (result.changed, [error.code for error in result.errors]) == (0, ["list_deleted"])
        assert await desk.members(target) == set()

    async def test_so_does_a_new_name(self, desk: Desk) -> None:
        target = await desk.new_list()

        async def rename() -> None:
            async with desk.db.account(desk.account_id) as tx:
                await catalog.change(tx, SetKind.LIST, target.set_id, "another")

        async with desk.db.account(desk.account_id) as tx:
            await deletion.delete(tx, 1, [target.set_no])
            renaming = asyncio.create_task(rename())
            await desk.someone_waits()
        with pytest.raises(NotFound):
            await renaming
