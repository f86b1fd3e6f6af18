"""What is past the retention time goes, what an activity did stays, and nothing goes early (design: what expires)."""

from random import Random
from uuid import uuid4

import pytest

from engine.activities.model import State
from engine.operations import retention
from engine.operations.retention import Retention
from tests.integration.desk import Desk, deliver_at_random


async def end_long_ago(desk: Desk, *sequences: int, days: float = 11) -> None:
    """As if these activities had been submitted and had ended so many days ago."""
    await desk.owner.execute(
        "UPDATE activity SET created_at = now() - make_interval(secs => $3 * 86400),"
        " completed_at = now() - make_interval(secs => $3 * 86400) WHERE account_id = $1 AND sequence = any($2)",
        desk.account_id,
        sequences,
        days,
    )


async def prune(desk: Desk) -> None:
    submitted = await desk.submit(Retention())
    await desk.deliver(submitted.messages)
    assert (await desk.find(submitted)).state is State.COMPLETED


async def with_errors(desk: Desk) -> list[int]:
    """The activities that still have error rows, each as often as it has."""
    return sorted(row["sequence"] for row in await desk.rows("activity_error"))


async def make_activities(desk: Desk, count: int, errors: int = 1) -> list[int]:
    """Completed activities with error rows."""
    target = await desk.new_list()
    submitted = [await desk.add([uuid4() for _ in range(errors)], target) for _ in range(count)]
    await desk.finish_everything()
    return [each.activity.sequence for each in submitted]


async def test_errors_go_and_what_was_done_stays(desk: Desk) -> None:
    old, new = await make_activities(desk, 2)
    done = await desk.add(await desk.make_contacts(3), await desk.new_list())
    await desk.finish_everything()
    sources, effects = len(await desk.rows("activity_source")), len(await desk.rows("effect"))
    assert min(sources, effects) > 0
    await end_long_ago(desk, old, done.activity.sequence)
    await prune(desk)
    assert await with_errors(desk) == [new]
    assert len(await desk.rows("activity_source")) == sources
    assert len(await desk.rows("effect")) == effects
    assert len(await desk.rows("activity")) == 4
    await prune(desk)
    assert await with_errors(desk) == [new]


async def test_the_retention_time_is_a_setting(desk: Desk) -> None:
    """Of activities that ended 9 and 11 days ago with 10 days of it, one goes."""
    older, younger = await make_activities(desk, 2)
    await end_long_ago(desk, older, days=11)
    await end_long_ago(desk, younger, days=9)
    await prune(desk)
    assert await with_errors(desk) == [younger]


async def test_nothing_of_an_unfinished_activity_goes(desk: Desk) -> None:
    """It was submitted long ago; those after it wait, too, until it has ended."""
    [first] = await make_activities(desk, 1)
    waiting = await desk.add([uuid4()], await desk.new_list())
    later = await desk.add([uuid4()], await desk.new_list())
    await desk.deliver(later.messages)
    await end_long_ago(desk, first, later.activity.sequence)
    await prune(desk)
    assert await with_errors(desk) == [later.activity.sequence]
    await desk.finish_everything()
    await end_long_ago(desk, waiting.activity.sequence)
    await prune(desk)
    assert await with_errors(desk) == []


@pytest.mark.parametrize(("activities", "rows"), [(1, 1), (2, 3), (100, 2)])
async def test_it_goes_in_batches(desk: Desk, monkeypatch: pytest.MonkeyPatch, activities: int, rows: int) -> None:
    """Whatever their sizes are: several activities a batch, or several batches an activity."""
    monkeypatch.setattr(retention, "ACTIVITIES", activities)
    monkeypatch.setattr(retention, "ERROR_ROWS", rows)
    old = await make_activities(desk, 5, errors=4)
    [new] = await make_activities(desk, 1)
    await end_long_ago(desk, *old)
    await prune(desk)
    assert await with_errors(desk) == [new]
    [account] = await desk.rows("account")
    assert account["pruned_sequence"] == old[-1]


async def test_two_at_once_do_no_harm(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ERROR_ROWS", 3)
    old = await make_activities(desk, 5, errors=4)
    await end_long_ago(desk, *old)
    submitted = [await desk.submit(Retention()) for _ in range(2)]
    messages = [message for each in submitted for message in each.messages]
    await deliver_at_random(Random(1), messages, [desk.runner(), desk.runner()])
    assert [each.state for each in await desk.found(submitted)] == [State.COMPLETED] * 2
    assert await with_errors(desk) == []
