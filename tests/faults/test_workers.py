"""Workers that are stopped, killed or frozen in the middle of an activity: it is done, and exactly once."""

import signal

import asyncpg

from engine.activities.model import State
from tests.faults.bulk import Bulk, message_of
from tests.faults.conftest import StartWorker
from tests.faults.worker import wait_until


async def test_a_worker_that_is_stopped_finishes_what_it_does(bulk: Bulk, start_worker: StartWorker) -> None:
    worker = start_worker()
    async with bulk.held_up():
        activity = await bulk.start()
        await bulk.claimed(activity)
        worker.process.send_signal(signal.SIGTERM)
    assert worker.process.wait(10) == 0
    assert (await bulk.completed_once(activity)).attempts == 1


async def test_what_a_stopping_worker_cannot_finish_is_handed_over(bulk: Bulk, start_worker: StartWorker) -> None:
    first = start_worker()
    async with bulk.held_up():
        activity = await bulk.start()
        await bulk.claimed(activity)
        second = start_worker(lease_seconds=30)
        assert first.terminate() == 0
        await bulk.claimed(activity, times=2)
    assert (await bulk.completed_once(activity)).fence == 2
    assert first.events("activity_handed_over")
    assert second.is_ready()


async def test_another_worker_takes_over_from_a_killed_one(bulk: Bulk, start_worker: StartWorker) -> None:
    first = start_worker()
    async with bulk.held_up():
        activity = await bulk.start()
        await bulk.claimed(activity)
        first.destroy()
        start_worker()
        await bulk.claimed(activity, times=2)
    await bulk.completed_once(activity)


async def test_a_frozen_worker_does_no_harm_when_it_wakes_up(bulk: Bulk, start_worker: StartWorker) -> None:
    first = start_worker()
    async with bulk.held_up():
        activity = await bulk.start()
        await bulk.claimed(activity)
        [frozen] = first.members()
        frozen.suspend()
        start_worker()
        await bulk.claimed(activity, times=2)
    await bulk.completed_once(activity)
    frozen.resume()
    wait_until(first.is_ready, "the frozen process works again")
    again = await bulk.start()
    assert (await bulk.ended(again)).changed_count == 0


async def test_a_session_that_falls_silent_within_a_statement_is_ended(bulk: Bulk, start_worker: StartWorker) -> None:
    """As a worker that is frozen between the parts of a message: to the server it is at work, and not idle."""
    silent = await asyncpg.connect(bulk.settings.database_app_url)
    await silent.execute(f"SET muster.account_id = '{bulk.principal.account_id}'; BEGIN")
    await silent.execute("SELECT FROM contact_set WHERE set_no = $1 FOR UPDATE", bulk.target.set_no)
    await silent.prepare("SELECT 1")
    start_worker()
    await bulk.completed_once(await bulk.start())
    silent.terminate()


async def test_an_activity_that_kills_its_worker_each_time_fails(bulk: Bulk, start_worker: StartWorker) -> None:
    worker = start_worker(lease_seconds=1)
    async with bulk.held_up():
        activity = await bulk.start()
        for attempt in range(1, bulk.settings.max_attempts + 1):
            await bulk.claimed(activity, attempt)
            [member] = worker.members()
            member.kill()
        ended = await bulk.ended(activity)
    assert ended.state is State.FAILED
    assert ended.failure_code == "attempts_exhausted"
    assert await bulk.member_count() == 0
    assert len(worker.events("process_died")) == bulk.settings.max_attempts


async def test_a_doubled_message_does_no_harm(bulk: Bulk, start_worker: StartWorker) -> None:
    start_worker(processes=2)
    submitted = await bulk.submit()
    bulk.doorbell.send(submitted.messages * 20)
    assert (await bulk.completed_once(submitted.activity)).attempts == 1
    bulk.doorbell.send([message_of(submitted.activity)])
    another = await bulk.start()
    assert (await bulk.ended(another)).attempts == 1
