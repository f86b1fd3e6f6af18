"""Deleting contacts set by set (contract v3.md 3.7, 2.1.12; design, "Deleting clears every bit")."""

import asyncio
from random import Random
from uuid import UUID, uuid4

import pytest

from engine import operations
from engine.activities import deletions, reading, submission
from engine.activities.at_once import AtOnce
from engine.activities.inline import MOST_TOGETHER, Inline
from engine.activities.intake import Intake
from engine.activities.model import Message, State
from engine.contacts.details import Details
from engine.errors import MusterError
from engine.operations.contact_delete import DeleteContact, DeleteContacts, DeleteNumbers, DeletionOfContacts
from engine.operations.contact_sign_up import SignUp
from engine.operations.contact_update import UpdateContact
from engine.sets import catalog, system
from engine.sets.catalog import NamedSet, SetKind
from engine.sets.chunks import CHUNK_BITS
from tests.integration.desk import Desk
from tests.integration.watched import WatchedBatches, failing


def naming(*contact_ids: UUID) -> DeleteContacts:
    return DeleteContacts(contact_ids=contact_ids)


def on(*lists: NamedSet) -> DeleteContacts:
    return DeleteContacts(list_ids=tuple(each.set_id for each in lists))


def new_at_once(desk: Desk) -> AtOnce:
    return AtOnce(desk.db, desk.settings, Intake(desk.db, desk.settings), list[Message]().extend)


async def at_once(desk: Desk, *contact_nos: int) -> set[int]:
    """Whom deleting these numbers while the caller waits has deleted."""
    activity = await new_at_once(desk).do(desk.principal, DeleteNumbers(contact_nos))
    assert (activity.state, activity.kind, activity.listed) == (State.COMPLETED, "contact_delete", False)
    async with desk.db.account(desk.account_id) as tx:
        return set(await reading.frozen_source(tx, activity.sequence))


async def deleted(desk: Desk) -> set[int]:
    return {row["contact_no"] for row in await desk.rows("contact") if row["deleted_at"] is not None}


async def insist_on_counts(desk: Desk) -> None:
    """Every set counts its bits, and nobody who is deleted is in any."""
    gone = await deleted(desk)
    for row in await desk.rows("contact_set"):
        if row["deleted_at"] is None:
            assert not await desk.members(row["set_no"]) & gone


async def test_their_bits_go_from_every_set(desk: Desk) -> None:
    """Contract 3.7 and 2.1.12: kept as deleted, on no list, with no tag, in no count."""
    people = [*await desk.make_contacts(3), *await desk.make_contacts(3, first=3 * CHUNK_BITS)]
    lists = await desk.new_lists(3)
    await desk.deliver((await desk.add(people, *lists)).messages)
    asked = await desk.submit(naming(people[0], people[3], people[0]))
    await desk.deliver(asked.messages)
    found = await desk.find(asked)
    assert (found.state, found.items_total, found.items_completed, found.error_count) == (State.COMPLETED, 2, 2, 0)
    assert found.changed_count == 2 * (3 + 2)
    assert await deleted(desk) == {1, 3 * CHUNK_BITS}
    for set_no in (*(each.set_no for each in lists), system.EXISTS, system.ACTIVE):
        assert await desk.members(set_no) == {2, 3, 3 * CHUNK_BITS + 1, 3 * CHUNK_BITS + 2}
    rows = {row["contact_no"]: row for row in await desk.rows("contact")}
    assert (rows[1]["opt_out_source"], rows[1]["permission"]) == ("Account", "implicit")
    assert rows[1]["opt_out_date"] == rows[1]["deleted_at"]
    assert rows[2]["opt_out_date"] is None


async def test_all_members_of_lists(desk: Desk) -> None:
    """Contract 3.7: with lists all their members, and the lists stay."""
    people, lists = await desk.make_contacts(6), await desk.new_lists(3)
    await desk.deliver((await desk.add(people[:3], lists[0])).messages)
    await desk.deliver((await desk.add(people[2:4], lists[1])).messages)
    await desk.deliver((await desk.add(people[4:], lists[2])).messages)
    asked = await desk.submit(on(*lists[:2]))
    await desk.deliver(asked.messages)
    found = await desk.find(asked)
    assert (found.items_total, found.items_completed, found.counts) == (4, 4, {"list_count": 2})
    assert await deleted(desk) == {1, 2, 3, 4}
    assert [await desk.members(each) for each in lists] == [set(), set(), {5, 6}]


async def test_who_is_unknown_or_deleted_already_is_told(desk: Desk) -> None:
    """Contract 3.3: accepted, skipped, told."""
    [known], [gone], unknown = (
        await desk.make_contacts(1),
        await desk.make_contacts(1, first=2, deleted=True),
        uuid4(),
    )
    asked = await desk.submit(naming(known, gone, unknown))
    await desk.deliver(asked.messages)
    found = await desk.find(asked)
    assert (found.state, found.items_total, found.items_completed) == (State.COMPLETED, 3, 3)
    assert set(await desk.errors(asked)) == {(str(unknown), "contact_not_found"), (str(gone), "contact_deleted")}
    again = await desk.submit(naming(known))
    await desk.deliver(again.messages)
    assert await desk.errors(again) == [(str(known), "contact_deleted")]
    assert (await desk.find(again)).changed_count == 0


async def test_numbers_at_once(desk: Desk) -> None:
    """Contract convio.md 6.7: those there are, once; nobodys and deleted ones are skipped."""
    people, target = await desk.make_contacts(4), await desk.new_list()
    await desk.make_contacts(1, first=3 * CHUNK_BITS)
    await desk.make_contacts(1, first=9, deleted=True)
    await desk.deliver((await desk.add(people, target)).messages)
    assert await at_once(desk, 3, 1, 3, 3 * CHUNK_BITS, 9, 999, 0, -1, 2**31, 2**70) == {1, 3, 3 * CHUNK_BITS}
    assert await at_once(desk, 1, 2) == {2}
    assert await at_once(desk) == set()
    assert await deleted(desk) == {1, 2, 3, 9, 3 * CHUNK_BITS}
    assert await desk.members(target) == {4} == await desk.members(system.EXISTS)
    assert await desk.unfinished() == 0


@pytest.mark.parametrize(("count", "activities"), [(MOST_TOGETHER, MOST_TOGETHER - 1), (MOST_TOGETHER + 1, 1)])
async def test_few_and_many_while_the_caller_waits(desk: Desk, count: int, activities: int) -> None:
    """Contract convio.md 6.7: the same answer, whether each is a write of its own or all are one activity."""
    await desk.make_contacts(count - 1)
    services = Inline(desk.db), new_at_once(desk)
    for left in (set(range(1, count)), set()):
        assert await deletions.delete(*services, desk.principal, range(1, count + 1)) == left
        assert {row["kind"] for row in await desk.rows("activity")} == {"contact_delete"}
        assert len(await desk.rows("activity")) == activities or not left
    assert await desk.members(system.EXISTS) == set()


async def test_of_several_at_once_each_tells_whom_it_has_deleted(desk: Desk) -> None:
    """Contract convio.md 6.7: nobody is deleted twice, be it that both found the contact before either deleted it."""
    await desk.make_contacts(4)
    async with desk.holding("SELECT FROM contact WHERE account_id = $1 FOR UPDATE", desk.account_id):
        asked = [asyncio.create_task(at_once(desk, *numbers)) for numbers in ((1, 2, 3), (2, 3, 4))]
        await desk.someone_waits(2)
    first, second = await asyncio.gather(*asked)
    assert first | second == {1, 2, 3, 4}
    assert not first & second


async def test_numbers_at_once_wait_for_no_import(desk: Desk) -> None:
    """Design, "Inline operations": an import may take long, and somebody waits for this."""
    [contact_id] = await desk.make_contacts(1)
    earlier = await desk.submit(naming(contact_id))
    assert await at_once(desk, 1) == {1}
    await desk.deliver(earlier.messages)
    assert await desk.errors(earlier) == [(str(contact_id), "contact_deleted")]


async def test_who_had_unsubscribed_has_opted_out_then_and_not_now(desk: Desk) -> None:
    """Contract 6, 10: a consent that was withdrawn is not forgotten by deleting and reviving."""
    inline = Inline(desk.db)
    [contact_id] = await desk.make_contacts(1)
    gone = Details(email="c1@example.org", permission="unsubscribed")
    await inline.write(desk.principal, UpdateContact(contact_id, gone, "Contact"))
    [before] = await desk.rows("contact")
    await desk.deliver((await desk.submit(naming(contact_id))).messages)
    assert await desk.members(system.UNSUBSCRIBED) == set()
    await inline.write(desk.principal, UpdateContact(contact_id, Details(), "Account"))
    [after] = await desk.rows("contact")
    for name in ("permission", "opt_out_source", "opt_out_date"):
        assert after[name] == before[name]
    assert await desk.members(system.UNSUBSCRIBED) == {1}
    assert await desk.members(system.ACTIVE) == set()


async def test_another_worker_goes_on(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design, an activity's life: a killed worker's successor goes on from the last batch."""
    numbers = [1, CHUNK_BITS + 1, 2 * CHUNK_BITS + 1, 3 * CHUNK_BITS + 1]
    people = [(await desk.make_contacts(1, first=number))[0] for number in numbers]
    target = await desk.new_list()
    await desk.deliver((await desk.add(people, target)).messages)
    work = WatchedBatches(DeletionOfContacts(at_once=1), after=failing(2))
    monkeypatch.setitem(operations.OPERATIONS, DeleteContacts.kind, work)
    asked = await desk.submit(on(target))
    await desk.deliver(asked.messages)
    assert len(await deleted(desk)) == 1
    await desk.finish_everything()
    found = await desk.find(asked)
    assert (found.state, found.items_total, found.items_completed) == (State.COMPLETED, 4, 4)
    assert await deleted(desk) == set(numbers)
    await insist_on_counts(desk)


async def test_a_retry_goes_on_with_whom_the_first_meant(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Design, one policy: a retry is a new activity linked to the first."""
    numbers = [1, CHUNK_BITS + 1, 2 * CHUNK_BITS + 1]
    people = [(await desk.make_contacts(1, first=number))[0] for number in numbers]
    target = await desk.new_list()
    await desk.deliver((await desk.add(people, target)).messages)
    work = WatchedBatches(DeletionOfContacts(at_once=1), after=failing(2))
    monkeypatch.setitem(operations.OPERATIONS, DeleteContacts.kind, work)
    asked = await desk.submit(on(target))
    await desk.deliver(asked.messages)
    await desk.owner.execute("UPDATE activity SET cancel_requested = true WHERE account_id = $1", desk.account_id)
    await desk.finish_everything()
    assert (await desk.find(asked)).state is State.CANCELLED
    assert await deleted(desk) == {1}
    again = await submission.retry(desk.db, desk.settings, desk.principal, asked.activity.activity_id)
    await desk.deliver(again.messages)
    assert await deleted(desk) == set(numbers)
    await insist_on_counts(desk)


async def test_a_revived_contact_has_the_tags_of_its_last_deletion(desk: Desk) -> None:
    """Design, one policy: reviving brings back tags, not lists."""
    [contact_id], inline = await desk.make_contacts(1), Inline(desk.db)
    async with desk.db.account(desk.account_id) as tx:
        tags = [await catalog.create(tx, SetKind.TAG, f"tag {number}") for number in range(3)]
    given = Details(tag_ids=(tags[0].set_id, tags[1].set_id))
    await inline.write(desk.principal, UpdateContact(contact_id, Details(email="c1@example.org"), "Account"))
    for wanted, deletion in ((given, naming(contact_id)), (Details(tag_ids=(tags[2].set_id,)), None)):
        await inline.write(desk.principal, UpdateContact(contact_id, wanted, "Account"))
        if deletion is not None:
            await desk.deliver((await desk.submit(deletion)).messages)
        else:
            await inline.write(desk.principal, DeleteContact(contact_id))
        await inline.write(desk.principal, UpdateContact(contact_id, Details(), "Account"))
        carried = {each.set_id for each in tags if 1 in await desk.members(each)}
        assert carried == set(wanted.tag_ids or ())


async def test_single_writes_and_deletions_side_by_side(desk: Desk) -> None:
    """Whatever the schedule, counts are exact and nobody deleted is in any set; nothing waits for ever."""
    random, inlines = Random(7), [Inline(desk.db) for _ in range(3)]
    people, lists = await desk.make_contacts(12), await desk.new_lists(4)
    outcomes: list[object] = []

    async def one_writer(inline: Inline) -> None:
        for _ in range(15):
            chosen = random.choice(people)
            list_ids = tuple(each.set_id for each in random.sample(lists, 2))
            number = people.index(chosen) + 1
            write = random.choice(
                (
                    DeleteContact(chosen),
                    UpdateContact(chosen, Details(list_ids=list_ids), "Account"),
                    SignUp(Details(email=f"c{number}@example.org", list_ids=list_ids), confirms=False),
                    SignUp(Details(email=f"new{random.randrange(5)}@example.org", list_ids=list_ids), confirms=False),
                )
            )
            try:
                outcomes.append(await inline.write(desk.principal, write))
            except MusterError as error:
                outcomes.append(error.code)

    async def bulk() -> None:
        for _ in range(6):
            chosen = random.sample(people, 4)
            request = random.choice((naming(*chosen), desk.adding(chosen, *random.sample(lists, 2))))
            asked = await desk.submit(request)
            await desk.deliver(asked.messages)

    async with asyncio.timeout(60):
        await asyncio.gather(*map(one_writer, inlines), bulk(), bulk())
        await desk.finish_everything()
    assert set(filter(lambda each: isinstance(each, str), outcomes)) <= {"not_found", "written_meanwhile"}
    await insist_on_counts(desk)
    exists = await desk.members(system.EXISTS)
    assert exists == {row["contact_no"] for row in await desk.rows("contact") if row["deleted_at"] is None}
    activities = await desk.rows("activity")
    assert sorted(each["sequence"] for each in activities) == list(range(1, len(activities) + 1))
