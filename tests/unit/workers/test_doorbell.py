"""The doorbell without a broker: nobody is held up, memory is bounded, and an outage is told once."""

import time
from pathlib import Path
from uuid import uuid4

import pytest
import structlog
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ResponseError

from engine.activities.model import Message
from workers import doorbell as doorbells
from workers.doorbell import MOST_WAITING, Doorbell


def messages(count: int) -> list[Message]:
    return [Message(number, uuid4(), "activities") for number in range(count)]


class Delivering(Doorbell):
    """Delivers into a list, or fails."""

    def __init__(self) -> None:
        self.failure: Exception | None = None
        self.batches: list[list[Message]] = []
        self.tries = 0
        super().__init__("redis://localhost:1")

    def _enqueue(self, batch: list[Message]) -> None:  # type: ignore[override]
        self.tries += 1
        if self.failure:
            raise self.failure
        self.batches.append(list(batch))

    def delivered(self) -> list[Message]:
        return [message for batch in self.batches for message in batch]


def wait_for(condition: object, seconds: float = 10) -> None:
    assert callable(condition)
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doorbells, "RETRY_SECONDS", 0.02)


async def test_without_a_broker_it_returns_at_once_and_closes_soon(tmp_path: Path) -> None:
    began = time.monotonic()
    bell = Doorbell(f"unix://{tmp_path}/nobody.sock")
    for message in messages(100):
        bell.send([message])
    assert not await bell.is_up()
    bell.close()
    assert time.monotonic() - began < 3


def test_messages_arrive_in_order_and_closing_delivers_the_last() -> None:
    sent = messages(2500)
    with Delivering() as bell:
        bell.send(sent[:1])
        bell.send(sent[1:])
    assert bell.delivered() == sent
    assert len(bell.batches) <= 4


@pytest.mark.parametrize("failure", [RedisConnectionError("gone"), ResponseError("OOM"), OSError("no route")])
def test_an_outage_is_told_once_and_what_was_sent_meanwhile_arrives(failure: Exception) -> None:
    sent = messages(30)
    with structlog.testing.capture_logs() as logs, Delivering() as bell:
        bell.failure = failure
        for message in sent:
            bell.send([message])
        wait_for(lambda: bell.tries > 3)
        bell.failure = None
        wait_for(lambda: len(bell.delivered()) == len(sent))
    assert bell.delivered() == sent
    assert [log["event"] for log in logs] == ["broker_down", "broker_up_again"]


def test_memory_is_bounded_while_the_broker_is_away() -> None:
    with Delivering() as bell:
        bell.failure = RedisConnectionError("gone")
        sent = messages(MOST_WAITING)
        bell.send(sent)
        wait_for(lambda: bell.tries > 2)
        bell.send(messages(5000))
        bell.failure = None
        wait_for(lambda: len(bell.delivered()) >= MOST_WAITING)
    assert bell.delivered() == sent


def test_a_mistake_of_ours_does_not_end_the_thread() -> None:
    with structlog.testing.capture_logs() as logs, Delivering() as bell:
        bell.failure = TypeError("a mistake")
        bell.send(messages(1))
        wait_for(lambda: bell.tries == 1)
        bell.failure = None
        good = messages(1)
        bell.send(good)
        wait_for(lambda: bell.delivered() == good)
    assert [log["event"] for log in logs] == ["messages_lost"]
