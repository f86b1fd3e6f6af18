"""An export goes on where it was when its worker stops, dies or freezes, and its file has each contact once."""

import csv
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from engine import files
from engine.activities import submission
from engine.activities.model import Activity, State
from engine.operations.contact_exports import ContactExports
from engine.sets import system
from engine.sets.chunks import CHUNK_BITS, bits_of
from tests.faults.bulk import Bulk, until
from tests.faults.conftest import StartWorker
from tests.faults.worker import Worker, wait_until

#: A batch is a chunk when it is full.
CHUNKS = 12
CONTACTS = CHUNKS * CHUNK_BITS


async def start_export(bulk: Bulk) -> Activity:
    """An export of more contacts than a worker writes before a test notices."""
    owner = await asyncpg.connect(bulk.settings.database_url)
    account_id, numbers = bulk.principal.account_id, range(10 * CHUNK_BITS, 10 * CHUNK_BITS + CONTACTS)
    await owner.execute(
        "INSERT INTO contact (account_id, contact_no, email, email_key, opt_out_reason, created_at, updated_at)"
        " SELECT $1, n, n || '@example.org', n || '@example.org', repeat('reason ', 30), now(), now()"
        " FROM generate_series($2::bigint, $3::bigint) n",
        account_id,
        numbers[0],
        numbers[-1],
    )
    for chunk, bits in bits_of(numbers).items():
        for set_no in (system.EXISTS, system.ACTIVE, bulk.target.set_no):
            await owner.execute("INSERT INTO set_chunk VALUES ($1, $2, $3, $4)", account_id, set_no, chunk, bits)
    await owner.close()
    request = ContactExports(list_ids=(bulk.target.set_id,))
    submitted = await submission.submit(bulk.db, bulk.settings, bulk.principal, request)
    bulk.doorbell.send(submitted.messages)
    return submitted.activity


async def under_way(bulk: Bulk, activity: Activity) -> None:
    async def is_under_way() -> bool:
        return (await bulk.now(activity)).items_completed > 0

    await until(is_under_way, "some batches are done")


async def is_whole(bulk: Bulk, activity: Activity) -> Path:
    """Waits for the end, and asserts that the file has each contact once, in order; answers its folder."""
    ended = await bulk.ended(activity)
    assert ended.state is State.COMPLETED, ended
    assert ended.items_total == ended.items_completed == CONTACTS
    folder = files.exports(bulk.settings, activity.account_id)
    with (folder / f"{activity.activity_id}.csv").open(newline="") as file:
        numbers = [int(row["email_address"].partition("@")[0]) for row in csv.DictReader(file, strict=True)]
    assert numbers == list(range(10 * CHUNK_BITS, 10 * CHUNK_BITS + CONTACTS))
    return folder


@pytest.mark.parametrize("end", [Worker.terminate, Worker.destroy], ids=["stopped", "killed"])
async def test_an_export_goes_on_after_its_last_batch(
    end: Callable[[Worker], object], bulk: Bulk, start_worker: StartWorker
) -> None:
    first = start_worker(queues=("bulk",))
    activity = await start_export(bulk)
    await under_way(bulk, activity)
    end(first)
    halfway = await bulk.now(activity)
    assert halfway.state is State.PROCESSING
    assert halfway.items_completed < CONTACTS
    start_worker(queues=("bulk",))
    folder = await is_whole(bulk, activity)
    assert [path.name for path in folder.iterdir()] == [f"{activity.activity_id}.csv"]


async def test_a_frozen_worker_does_no_harm_when_it_wakes_up(bulk: Bulk, start_worker: StartWorker) -> None:
    first = start_worker(queues=("bulk",))
    activity = await start_export(bulk)
    await under_way(bulk, activity)
    [frozen] = first.members()
    frozen.suspend()
    start_worker(queues=("bulk",))
    folder = await is_whole(bulk, activity)
    frozen.resume()
    wait_until(first.is_ready, "the frozen process works again")
    await is_whole(bulk, activity)
    assert [path.name for path in folder.iterdir()] == [f"{activity.activity_id}.csv"]
