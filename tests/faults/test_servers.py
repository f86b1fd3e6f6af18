"""Servers that go away, lose what they had, and come back: every activity is done all the same."""

from collections.abc import Iterator
from contextlib import contextmanager

from deploy.parts import RunningPart
from tests.faults.bulk import Bulk, message_of
from tests.faults.conftest import StartWorker
from tests.faults.servers import Servers
from tests.faults.worker import wait_until


@contextmanager
def gone(servers: Servers, server: RunningPart) -> Iterator[None]:
    """The server is away while the block runs."""
    servers.stop(server)
    with started_at_last(servers, server):
        yield


@contextmanager
def started_at_last(servers: Servers, server: RunningPart) -> Iterator[None]:
    try:
        yield
    finally:
        servers.start(server)


async def test_messages_that_the_broker_forgot_are_sent_again(
    bulk: Bulk, servers: Servers, start_worker: StartWorker
) -> None:
    activities = [await bulk.start() for _ in range(3)]
    wait_until(lambda: servers.broker.hlen("muster:activities.msgs") == 3, "the messages are queued")
    servers.broker.flushall()
    worker = start_worker()
    await bulk.let_leases_run_out()
    for activity in activities:
        await bulk.ended(activity)
    assert await bulk.member_count() == len(bulk.contact_ids)
    assert worker.events("messages_sent_again")
    status, figures = worker.get("/metrics")
    assert status == 200
    assert "muster_worker_messages_sent_again_total 3.0" in figures


async def test_a_waiting_worker_survives_a_broker_that_forgets(
    bulk: Bulk, servers: Servers, start_worker: StartWorker
) -> None:
    start_worker()
    servers.broker.flushall()
    servers.broker.script_flush()
    await bulk.completed_once(await bulk.start())


async def test_what_is_submitted_while_the_broker_is_down_is_done_when_it_is_back(
    bulk: Bulk, servers: Servers, start_worker: StartWorker
) -> None:
    worker = start_worker()
    with gone(servers, servers.valkey):
        activity = await bulk.start()
        assert not await bulk.doorbell.is_up()
        wait_until(lambda: worker.get("/readyz")[0] == 503, "the worker says that it is not ready")
        assert '"broker": false' in worker.get("/readyz")[1]
        assert worker.get("/healthz")[0] == 200
    await bulk.completed_once(activity)
    wait_until(worker.is_ready, "the worker is ready again")


async def test_a_broker_that_restarts_in_the_middle_of_an_activity_does_not_matter(
    bulk: Bulk, servers: Servers, start_worker: StartWorker
) -> None:
    start_worker()
    async with bulk.held_up():
        activity = await bulk.start()
        await bulk.claimed(activity)
        with gone(servers, servers.valkey):
            pass
    assert (await bulk.completed_once(activity)).attempts == 1
    await bulk.ended(await bulk.start())


async def test_a_database_that_restarts_in_the_middle_of_an_activity_does_not_matter(
    bulk: Bulk, servers: Servers, start_worker: StartWorker
) -> None:
    worker = start_worker()
    async with bulk.held_up():
        activity = await bulk.start()
        await bulk.claimed(activity)
        servers.stop(servers.postgres)
    with started_at_last(servers, servers.postgres):
        bulk.doorbell.send([message_of(activity)])
        wait_until(lambda: worker.get("/readyz")[0] == 503, "the worker says that it is not ready")
    await bulk.completed_once(activity)
    wait_until(worker.is_ready, "the worker is ready again")
    assert not worker.events("process_died")
