"""Locks are taken in one order, all up front, so that no two transactions wait for each other (engine/activities)."""

import asyncio
from uuid import UUID

import asyncpg

from engine import accounts
from engine.activities import claims
from engine.activities.model import State
from engine.operations.contacts_import import ContactsFileImport
from engine.operations.taggings import AddTaggings
from engine.sets import catalog
from engine.sets.catalog import SetKind
from engine.sets.chunks import CHUNK_BITS
from engine.sets.system import ACTIVE, EXISTS
from tests.integration.desk import Desk


async def test_a_batch_of_several_kinds_and_an_import(desk: Desk) -> None:
    """Both keep contacts of two chunks as they are; they meet in no set, so they run side by side."""
    [near] = await desk.make_contacts(1)
    [far] = await desk.make_contacts(1, first=CHUNK_BITS + 1)
    await desk.make_contacts(1, first=2, deleted=True)
    await desk.make_contacts(1, first=CHUNK_BITS + 2, deleted=True)
    first, imported = await desk.new_lists(2)
    batch = [await desk.add([far], first), await desk.submit(await tagging(desk, near))]
    (desk.settings.uploads / "two.csv").write_text(f"email\nc2@example.org\nc{CHUNK_BITS + 2}@example.org\n")
    reviving = await desk.submit(ContactsFileImport(file="two.csv", list_ids=(imported.set_id,)))
    async with desk.held(first):
        together = asyncio.create_task(desk.worker().run(batch[0].messages[0]))
        await desk.someone_waits(1)
        alone = asyncio.create_task(desk.worker().run(reviving.messages[0]))
        await desk.someone_waits(2)
    await together
    await alone
    found = await desk.found([*batch, reviving])
    assert [each.state for each in found] == [State.COMPLETED] * 3
    assert [each.fence for each in found] == [1] * 3
    assert len({each.completed_at for each in found[:2]}) == 1, "the shared transaction failed"


async def test_the_sets_of_a_batch_are_locked_as_one_union(desk: Desk) -> None:
    """Design, contact sets: ascending, as one union when several activities share a transaction."""
    lower, higher = await desk.new_lists(2)
    people = await desk.make_contacts(1)
    batch = [await desk.add(people, higher), await desk.remove(people, lower)]
    async with desk.held(lower):
        together = asyncio.create_task(desk.worker().run(batch[0].messages[0]))
        await desk.someone_waits()
        assert await is_free(desk, higher.set_no)
    await together
    assert [each.state for each in await desk.found(batch)] == [State.COMPLETED] * 2


async def test_the_mask_is_there_before_its_contacts(desk: Desk) -> None:
    """Who finds no chunk to lock would lock nothing, and write it after others who found it."""
    for count in (1, CHUNK_BITS, 1):
        await accounts.reserve_contact_numbers(desk.db, desk.account_id, count)
    places = {(row["set_no"], row["chunk"]) for row in await desk.rows("set_chunk")}
    assert places == {(set_no, chunk) for set_no in (EXISTS, ACTIVE) for chunk in (0, 1)}


async def test_handing_over_what_another_is_taking_over(desk: Desk) -> None:
    """Activity rows come before lease rows: a worker stops late, when its lease has run out and the next one claims."""
    people, target = await desk.make_contacts(1), await desk.new_list()
    [message] = (await desk.add(people, target)).messages
    late, successor = desk.worker(), desk.worker()
    claim = await claims.claim(desk.db, desk.settings, late.worker_id, message)
    await desk.let_leases_run_out()
    async with desk.holding("SELECT FROM activity WHERE account_id = $1 FOR UPDATE", desk.account_id):
        stopping = asyncio.create_task(claims.hand_over(desk.db, late.worker_id, claim.activities[0]))
        await desk.someone_waits(1)
        taking = asyncio.create_task(successor.run(message))
        await desk.someone_waits(2)
    await stopping
    await taking
    assert (await desk.find(claim.activities[0])).state is State.COMPLETED


async def test_the_heartbeat_waits_for_nobody(desk: Desk) -> None:
    """Its own process may be finishing what it renews; the other leases must not run out meanwhile."""
    people, lists = await desk.make_contacts(1), await desk.new_lists(2)
    worker = desk.worker()
    first, second = [(await desk.add(people, each, *await desk.new_lists(1))).messages[0] for each in lists]
    one = await claims.claim(desk.db, desk.settings, worker.worker_id, first)
    assert len(one.activities) == 2, "both share a transaction"
    await desk.let_leases_run_out()
    locking = "SELECT FROM lease WHERE account_id = $1 AND activity_id = $2 FOR UPDATE"
    async with desk.holding(locking, desk.account_id, second.activity_id), asyncio.timeout(5):
        sequences = [activity.sequence for activity in one.activities]
        await claims.renew(desk.db, desk.settings, worker.worker_id, desk.account_id, sequences)
    assert await desk.swept() == [second]


async def tagging(desk: Desk, contact_id: UUID) -> AddTaggings:
    async with desk.db.account(desk.account_id) as tx:
        tag = await catalog.create(tx, SetKind.TAG, "a tag")
    return AddTaggings.model_validate({"source": {"contact_ids": [contact_id]}, "tag_ids": [tag.set_id]})


async def is_free(desk: Desk, set_no: int) -> bool:
    """Whether nobody has locked the set's row."""
    query = "SELECT FROM contact_set WHERE account_id = $1 AND set_no = $2 FOR UPDATE NOWAIT"
    try:
        await desk.owner.execute(query, desk.account_id, set_no)
    except asyncpg.LockNotAvailableError:
        return False
    return True
