"""Activities while they run, and as they ended, over HTTP (contract v3.md 3.2)."""

from dataclasses import replace
from typing import Any

import pytest

from engine.activities import reading
from engine.activities.model import Activity
from tests.e2e.api.front import Front

COUNTERS = ("person_count", "error_count", "correctable_count", "cannot_add_to_list_count")


async def begun(front: Front, href: str, batches: int) -> Any:
    """The activity after some batches, of three rows each, by a worker that is gone then."""
    desk = replace(front.desk, settings=front.desk.settings.model_copy(update={"import_batch_rows": 3}))
    await desk.begin(await found(front, href.rpartition("/")[2]), batches)
    return await front.get(href)


async def found(front: Front, activity_id: Any) -> Activity:
    return await reading.find(front.desk.db, front.desk.settings, front.desk.account_id, activity_id)


async def new_import(front: Front, rows: int) -> str:
    body = {
        "import_data": [{"email": f"c{number}@example.org"} for number in range(rows)],
        "list_ids": [await front.new_list("L")],
    }
    return str((await front.submit("contacts_json_import", body))["_links"]["self"]["href"])


async def test_an_activity_that_runs(front: Front) -> None:
    """Contract 3.2, 3.2.1, 3.2.2 and 3.2.4: started_at and no completed_at, figures of what is done, a filter's too."""
    href = await new_import(front, 10)
    at_first = await front.get(href)
    assert "started_at" not in at_first
    shown = await begun(front, href, 1)
    assert (shown["state"], "completed_at" in shown) == ("processing", False)
    assert at_first["created_at"] == shown["created_at"] <= shown["started_at"] <= shown["updated_at"]
    assert (shown["percent_done"], shown["status"]["person_count"]) == (27, 3)
    assert set(shown["status"]) == {"items_total_count", *COUNTERS}
    assert not {"changed_count", "error_count"} & set(shown)
    for state, listed in (("processing", [shown]), ("completed", [])):
        assert (await front.get(f"/v3/activities?state={state}"))["activities"] == listed
    await front.desk.finish_everything()
    ended = await front.get(href)
    assert (ended["state"], ended["percent_done"]) == ("completed", 100)
    assert ended["started_at"] == shown["started_at"] <= ended["completed_at"] == ended["updated_at"]
    assert ended["status"]["items_total_count"] == ended["status"]["person_count"] == 10


@pytest.mark.parametrize("state", ["cancelled", "failed", "timed_out"])
async def test_one_that_ended_early(front: Front, state: str) -> None:
    """Contract 3.2, 3.2.1 and 3.2.2: completed_at in every final state; `percent_done` stays where it was."""
    href = await new_import(front, 10)
    shown = await begun(front, href, 1)
    await front.desk.owner.execute(
        "UPDATE activity SET state = $2, completed_at = now(), failure_code = $2, failure = 'it ended'"
        " WHERE account_id = $1",
        front.desk.account_id,
        state,
    )
    ended = await front.get(href)
    assert (ended["state"], ended["percent_done"]) == (state, shown["percent_done"])
    assert ended["completed_at"] >= ended["started_at"]
    assert ended["activity_errors"] == ["it ended"]


async def test_one_that_was_cancelled_before_it_began(front: Front) -> None:
    """Contract 3.2: it has completed, and never started."""
    href = await new_import(front, 1)
    ended = (await front.request("POST", f"{href}/cancel")).body
    assert ended["state"] == "cancelled"
    assert "completed_at" in ended
    assert "started_at" not in ended
