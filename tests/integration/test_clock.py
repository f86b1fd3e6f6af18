"""What comes by the clock is submitted once each time, in the account's order, and never fails for want of room."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from engine import accounts, operations, principals
from engine.activities import clock, reading, submission
from engine.activities.clock import PUT_OFF_SECONDS
from engine.activities.model import Message, State
from engine.operations.retention import Retention
from engine.settings import Settings
from tests.integration.conftest import NewDesk
from tests.integration.desk import Desk

KIND = Retention.kind


async def make_due(desk: Desk, kind: str = KIND) -> None:
    await desk.owner.execute(
        "UPDATE schedule SET due_at = now() - interval '1 second' WHERE account_id = $1 AND kind = $2",
        desk.account_id,
        kind,
    )


async def seconds_until_due(desk: Desk) -> float:
    [row] = [row for row in await desk.rows("schedule") if row["kind"] == KIND]
    return float((row["due_at"] - datetime.now(UTC)).total_seconds())


async def due(desk: Desk, settings: Settings | None = None) -> list[Message]:
    """What a worker's look at the clock finds for this account."""
    messages = await clock.due(desk.db, settings or desk.settings)
    return [message for message in messages if message.account_id == desk.account_id]


async def activities(desk: Desk) -> list[Any]:
    return [row for row in await desk.rows("activity") if row["kind"] == KIND]


def test_what_every_account_is_made_with_is_a_scheduled_kind() -> None:
    assert set(accounts.SCHEDULED) <= set(operations.SCHEDULED) <= set(operations.OPERATIONS)
    assert all(kind == scheduled.request().kind for kind, scheduled in operations.SCHEDULED.items())


async def test_a_new_account_has_a_day_of_peace(desk: Desk) -> None:
    assert {row["kind"] for row in await desk.rows("schedule")} == set(accounts.SCHEDULED)
    assert await seconds_until_due(desk) == pytest.approx(86400, abs=60)
    assert await due(desk) == []
    assert await activities(desk) == []


async def test_what_is_due_is_submitted_by_muster_itself_and_comes_again(desk: Desk) -> None:
    await make_due(desk)
    [message] = await due(desk)
    [row] = await activities(desk)
    assert message == Message(desk.account_id, row["activity_id"], row["queue"])
    assert row["principal_id"] == principals.MUSTER
    assert await seconds_until_due(desk) == pytest.approx(desk.settings.pruning_hours * 3600, abs=60)
    assert await due(desk) == []
    await desk.deliver([message])
    [row] = await activities(desk)
    assert row["state"] == State.COMPLETED
    assert await desk.unfinished() == 0


async def test_the_interval_is_a_setting(desk: Desk) -> None:
    await make_due(desk)
    await due(desk, desk.settings.model_copy(update={"pruning_hours": 2}))
    assert await seconds_until_due(desk) == pytest.approx(7200, abs=60)


async def test_it_is_not_listed_nor_is_its_retry(desk: Desk) -> None:
    shown = await desk.add([uuid4()], await desk.new_list())
    await make_due(desk)
    [message] = await due(desk)
    await desk.deliver([message])
    again = await submission.retry(desk.db, desk.settings, desk.principal, message.activity_id)
    await desk.deliver(again.messages)
    page = await reading.page(desk.db, desk.settings, desk.account_id, limit=10, state=None)
    assert [activity.activity_id for activity in page] == [shown.activity.activity_id]


async def test_workers_that_look_at_once_submit_it_once(desk: Desk) -> None:
    """All of them find it due, and then wait for the account's lock."""
    await make_due(desk)
    locking = "SELECT FROM account WHERE account_id = $1 FOR NO KEY UPDATE"
    async with desk.holding(locking, desk.account_id):
        looks = [asyncio.create_task(due(desk)) for _ in range(4)]
        await desk.someone_waits(4)
    found = [message for look in looks for message in await look]
    assert len(found) == len(await activities(desk)) == 1


async def test_it_takes_its_turn_in_the_window(desk: Desk) -> None:
    """Without a place in the queue there is no message; whoever ends gives it the place."""
    settings = desk.settings.model_copy(update={"window": 1})
    await make_due(desk)
    first = await due(desk, settings)
    await make_due(desk)
    assert await due(desk, settings) == []
    assert len(await activities(desk)) == 2
    await desk.deliver(first)
    assert [row["state"] for row in await activities(desk)] == [State.COMPLETED, State.COMPLETED]


async def test_an_account_without_room_is_asked_again_later(desk: Desk) -> None:
    full = desk.settings.model_copy(update={"max_unfinished": 1})
    await desk.add([uuid4()], await desk.new_list())
    await make_due(desk)
    assert await due(desk, full) == []
    assert await activities(desk) == []
    assert await seconds_until_due(desk) == pytest.approx(PUT_OFF_SECONDS, abs=60)
    await desk.finish_everything()
    await make_due(desk)
    assert len(await due(desk, full)) == 1


async def test_each_account_has_its_own_time(desk: Desk, new_desk: NewDesk) -> None:
    other = await new_desk()
    await make_due(other)
    assert await due(desk) == []
    assert await activities(desk) == []
    assert len(await activities(other)) == 1


async def test_a_kind_that_this_worker_does_not_know_is_left_to_others(desk: Desk) -> None:
    """As while a new version is rolled out; it does not keep others from their turn either."""
    await desk.owner.execute(
        "INSERT INTO schedule VALUES ($1, 'unheard_of', now() - interval '1 day')", desk.account_id
    )
    await make_due(desk)
    assert len(await due(desk)) == 1
    [row] = [row for row in await desk.rows("schedule") if row["kind"] == "unheard_of"]
    assert row["due_at"] < datetime.now(UTC) - timedelta(hours=23)
    await desk.owner.execute("DELETE FROM schedule WHERE kind = 'unheard_of'")
