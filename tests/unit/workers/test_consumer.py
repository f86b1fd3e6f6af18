"""The consumer: at once, no more than there is room for, and through an outage."""

import threading
import time
from typing import Any, cast
from uuid import uuid4

import pytest
from dramatiq.errors import ConnectionClosed
from redis.exceptions import ConnectionError as RedisConnectionError

from engine.activities.model import Message
from workers.broker import QueueBroker
from workers.consumer import QueueConsumer
from workers.envelope import seal


class Queue:
    """Stands for the broker and its server: a queue of sealed messages."""

    def __init__(self, *waiting: bytes | None) -> None:
        self.waiting = list(waiting)
        self.commands: list[str] = []
        self.down = False

    @property
    def client(self) -> "Queue":
        return self

    def do_fetch(self, _queue: str, count: int) -> list[bytes | None]:
        self._note(f"fetch {count}")
        fetched, self.waiting = self.waiting[:count], self.waiting[count:]
        return fetched

    def do_ack(self, _queue: str, _message_id: str) -> None:
        self._note("ack")

    def do_requeue(self, _queue: str, *message_ids: str) -> None:
        self._note(f"requeue {len(message_ids)}")

    def blmove(self, *_arguments: Any) -> bytes | None:
        self._note("wait")
        return b"id" if self.waiting else None

    def _note(self, command: str) -> None:
        if self.down:
            raise RedisConnectionError("down")
        self.commands.append(command)


def sealed() -> bytes:
    return seal(Message(1, uuid4(), "activities"))[1]


def consumer(queue: Queue, *, places: int = 2, timeout: int = 50) -> QueueConsumer:
    return QueueConsumer(cast(QueueBroker, queue), "activities", places, timeout)


def test_it_waits_in_the_server_when_there_is_nothing() -> None:
    queue = Queue()
    assert next(consumer(queue)) is None
    assert queue.commands == ["fetch 1", "wait"]


def test_it_takes_no_more_than_there_is_room_for_and_shows_life_meanwhile() -> None:
    queue = Queue(sealed(), sealed(), sealed())
    taking = consumer(queue)
    messages = [next(taking), next(taking)]
    assert None not in messages
    assert next(taking) is None
    assert queue.commands[-1] == "fetch 0"
    assert len(queue.waiting) == 1


def test_it_goes_on_as_soon_as_a_message_is_acknowledged() -> None:
    taking = consumer(Queue(sealed(), sealed()), places=1, timeout=10_000)
    first = next(taking)
    assert first is not None
    began = time.monotonic()
    threading.Timer(0.1, lambda: taking.ack(first)).start()
    assert next(taking) is not None
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"{}", None, sealed().replace(b"activities", b"elsewhere")])
def test_what_is_none_of_ours_is_dropped(data: bytes | None) -> None:
    good = sealed()
    taken = next(consumer(Queue(data, good)))
    assert taken is not None
    assert taken.encode() == good


def test_it_goes_on_after_an_outage_and_keeps_count() -> None:
    queue = Queue(sealed(), sealed())
    taking = consumer(queue, places=1)
    first = next(taking)
    assert first is not None
    queue.down = True
    assert next(taking) is None
    with pytest.raises(ConnectionClosed):
        taking.ack(first)
    queue.down = False
    assert next(taking) is not None
    assert next(taking) is None
    assert queue.commands[-1] == "fetch 0"


def test_what_nobody_began_with_goes_back() -> None:
    queue = Queue(sealed())
    taking = consumer(queue)
    message = next(taking)
    assert message is not None
    taking.requeue([message])
    taking.requeue([])
    assert queue.commands[-1] == "requeue 1"
