"""The processes of a worker: none that cannot work stays up, none that dies is missed, none outlives its worker."""

import os
import signal
import socket
import subprocess
import sys
from uuid import uuid4

import psutil
import pytest

from engine.activities.model import Message
from engine.settings import Settings
from tests.faults.bulk import Bulk
from tests.faults.conftest import StartWorker
from tests.faults.servers import Servers
from tests.faults.worker import environment, wait_until
from workers.envelope import seal


def refusal(settings: Settings) -> str:
    """What a worker that cannot start says when it ends, which must be soon and with a failure."""
    ended = subprocess.run(
        [sys.executable, "-P", "-m", "deploy.cli", "work", "--queue", "bulk", "--processes", "2"],
        env=environment(settings),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode == 1
    return ended.stderr


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("postgresql://muster_app@127.0.0.1:1/muster", "cannot connect to PostgreSQL"),
        ("postgresql://[", "muster: "),
    ],
)
def test_a_worker_without_its_database_says_so_and_ends(settings: Settings, url: str, reason: str) -> None:
    assert reason in refusal(settings.model_copy(update={"database_app_url": url}))


def test_a_worker_whose_role_could_see_everything_does_not_start(settings: Settings) -> None:
    said = refusal(settings.model_copy(update={"database_app_url": settings.database_url}))
    assert "bypasses row-level security" in said


def test_a_worker_whose_port_is_taken_says_so_and_ends(settings: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "set MUSTER_METRICS_PORT" in refusal(settings.model_copy(update={"metrics_port": port}))


async def test_a_process_that_dies_is_started_again_while_the_others_work(
    bulk: Bulk, start_worker: StartWorker
) -> None:
    worker = start_worker(processes=2)
    dying, staying = worker.members()
    dying.kill()
    assert (await bulk.completed_once(await bulk.start())).attempts == 1
    wait_until(lambda: len(worker.members()) == 2 and worker.is_ready(), "both processes work again")
    assert staying in worker.members()
    [died] = worker.events("process_died")
    assert died["code"] == -signal.SIGKILL
    assert "muster_worker_restarts_total 1.0" in worker.get("/metrics")[1]


def test_processes_end_when_their_worker_is_killed(start_worker: StartWorker) -> None:
    worker = start_worker(queues=("activities", "bulk"), processes=1)
    members = worker.members()
    assert len(members) == 2
    os.kill(worker.process.pid, signal.SIGKILL)
    gone, alive = psutil.wait_procs(members, timeout=15)
    assert not alive
    assert len(gone) == 2


def test_a_worker_stops_in_order_without_a_broker(servers: Servers, start_worker: StartWorker) -> None:
    worker = start_worker()
    servers.stop(servers.valkey)
    try:
        assert worker.terminate() == 0
    finally:
        servers.start(servers.valkey)


async def test_rubbish_in_the_queue_does_not_stop_it(bulk: Bulk, servers: Servers, start_worker: StartWorker) -> None:
    worker = start_worker()
    sealed = [seal(Message(bulk.principal.account_id, uuid4(), "activities"))[1] for _ in range(3)]
    rubbish = [
        b"\xff",
        b"{}",
        sealed[0].replace(b"do_activity", b"do_nothing"),
        sealed[1].replace(b'"args":[', b'"args":["more",'),
        sealed[2].replace(b'"queue_name":"activities"', b'"queue_name":"bulk"'),
    ]
    for number, data in enumerate(rubbish * 3):
        servers.broker.hset("muster:activities.msgs", str(number), data)
        servers.broker.rpush("muster:activities", str(number))
    bulk.doorbell.send([Message(2**40, uuid4(), "activities")])
    assert (await bulk.completed_once(await bulk.start())).attempts == 1
    assert len(worker.events("message_dropped")) == 12
    assert len(worker.members()) == 1
    status, figures = worker.get("/metrics")
    assert status == 200
    assert 'muster_worker_messages_in_progress{queue="activities"} 0.0' in figures
