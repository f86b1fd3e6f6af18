"""The doorbell: tells the queues that activities wait. API and workers ring it after their commit.

Ringing returns at once and never raises: a thread delivers, in order and in bulk. While the broker is away a bounded
number of messages waits; what does not fit is dropped, and the sweeper of the workers sends it again.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, Self

import structlog
from redis.exceptions import RedisError

from engine.activities.model import Message
from workers.broker import connect
from workers.envelope import messages_key, seal, waiting_key
from workers.outage import Outage

log = structlog.get_logger()

#: Messages that wait at most, 3 MB: an outage of 20 s at 500 submissions a second.
MOST_WAITING = 10_000
#: Messages delivered in one transaction at most, 0.3 MB: it holds the server up for about 2 ms.
MOST_AT_ONCE = 1000
#: Seconds between two tries while the broker is away.
RETRY_SECONDS = 0.5
#: Seconds that closing waits for the last messages.
FLUSH_SECONDS = 2.0


class Doorbell:
    """Delivers messages in the background, from its making until it is closed."""

    def __init__(self, redis_url: str) -> None:
        self._client = connect(redis_url)
        self._waiting: list[Message] = []
        self._changed = threading.Condition()
        self._closing = threading.Event()
        self._outage = Outage("broker")
        #: One question at a time, in a thread of its own: a broker that is frozen answers none for long.
        self._pinger = ThreadPoolExecutor(1, "ping")
        self._pinging: Future[bool] | None = None
        self._thread = threading.Thread(target=self._deliver, name="doorbell", daemon=True)
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def send(self, messages: Iterable[Message]) -> None:
        """Has the messages delivered soon."""
        with self._changed:
            self._waiting.extend(messages)
            self._drop_surplus()
            self._changed.notify()

    async def is_up(self) -> bool:
        """Whether the broker answers now."""
        if self._pinging is None or self._pinging.done():
            self._pinging = self._pinger.submit(self._ping)
        return await asyncio.shield(asyncio.wrap_future(self._pinging))

    def close(self) -> None:
        """Delivers what waits, if that is possible soon. Blocks for FLUSH_SECONDS at most."""
        self._closing.set()
        with self._changed:
            self._changed.notify()
        self._thread.join(FLUSH_SECONDS)
        self._pinger.shutdown(wait=False, cancel_futures=True)
        self._client.close()

    def _ping(self) -> bool:
        try:
            return bool(self._client.ping())
        except RedisError:
            return False

    def _deliver(self) -> None:
        while batch := self._take():
            try:
                self._enqueue(batch)
                self._outage.is_over()
            except (RedisError, OSError) as error:
                self._outage.goes_on(error)
                self._put_back(batch)
                if self._closing.wait(RETRY_SECONDS):
                    break
            except Exception:
                # The sweeper sends them again; the thread must go on.
                log.exception("messages_lost", messages=len(batch))

    def _take(self) -> list[Message]:
        """The next messages, when there are some; none when the doorbell closes."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closing.is_set())
            batch, self._waiting = self._waiting[:MOST_AT_ONCE], self._waiting[MOST_AT_ONCE:]
            return batch

    def _put_back(self, batch: Sequence[Message]) -> None:
        with self._changed:
            self._waiting[:0] = batch
            self._drop_surplus()

    def _drop_surplus(self) -> None:
        """What came first keeps its place."""
        del self._waiting[MOST_WAITING:]

    def _enqueue(self, batch: Sequence[Message]) -> None:
        queues = defaultdict[str, dict[Any, Any]](dict)
        for message in batch:
            message_id, data = seal(message)
            queues[message.queue][message_id] = data
        with self._client.pipeline(transaction=True) as pipeline:
            for queue, sealed in queues.items():
                pipeline.hset(messages_key(queue), mapping=sealed)
                pipeline.rpush(waiting_key(queue), *sealed)
            pipeline.execute()
