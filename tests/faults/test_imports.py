"""Long work in batches goes on where it was when its worker stops or dies."""

from collections.abc import Callable
from pathlib import Path

import pytest

from engine.activities import submission
from engine.activities.model import Activity, State
from engine.operations.contacts_import import ContactsFileImport
from tests.faults.bulk import Bulk, until
from tests.faults.conftest import StartWorker
from tests.faults.worker import Worker

ROWS = 20_000
BATCH_ROWS = 200


@pytest.mark.parametrize("end", [Worker.terminate, Worker.destroy], ids=["stopped", "killed"])
async def test_an_import_goes_on_after_its_last_batch(
    end: Callable[[Worker], object], bulk: Bulk, start_worker: StartWorker
) -> None:
    first = start_worker(queues=("bulk",), import_batch_rows=BATCH_ROWS)
    activity = await _start_import(bulk)

    async def is_under_way() -> bool:
        return (await bulk.now(activity)).items_completed > 3 * BATCH_ROWS

    await until(is_under_way, "some batches are done")
    end(first)
    halfway = await bulk.now(activity)
    assert halfway.state is State.PROCESSING
    assert halfway.items_completed < ROWS
    start_worker(queues=("bulk",), import_batch_rows=2000)
    ended = await bulk.ended(activity)
    assert ended.state is State.COMPLETED
    assert ended.counts["person_count"] == ROWS
    assert ended.changed_count == await bulk.member_count() == ROWS


async def _start_import(bulk: Bulk) -> Activity:
    uploads: Path = bulk.settings.uploads
    rows = (f"person{number}@example.org,First{number},Last{number}" for number in range(ROWS))
    (uploads / "people.csv").write_text("\n".join(["email,first_name,last_name", *rows]))
    request = ContactsFileImport(file="people.csv", list_ids=(bulk.target.set_id,))
    submitted = await submission.submit(bulk.db, bulk.settings, bulk.principal, request)
    bulk.doorbell.send(submitted.messages)
    return submitted.activity
