"""The broker: Dramatiq's, on Redis 6.2 or Valkey, without what the activity's row does better.

No Retries, no TimeLimit, no delayed messages: attempts, deadlines and times are in the database.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from dramatiq.brokers.redis import RedisBroker
from dramatiq.middleware import Middleware
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from engine.errors import Unusable
from workers.consumer import QueueConsumer
from workers.envelope import NAMESPACE

#: How many of a million commands look for messages of dead workers. An idle process sends about four commands a second,
#: so two of them look every 12 s; in a busy one it is one command in a hundred. The sweeper would find them anyhow.
MAINTENANCE_CHANCE = 10_000

#: Longer than a consumer waits for a message in one command (process.py: IDLE_MILLISECONDS).
ANSWER_SECONDS = 5.0
CONNECT_SECONDS = 2.0

SENTINEL_SCHEME = "redis+sentinel"
SENTINEL_PORT = 26379


class QueueBroker(RedisBroker):
    """Dramatiq's Redis broker with prompt consumers and without queues for delayed messages.

    It connects when it is used.
    """

    def __init__(self, redis_url: str, middleware: list[Middleware]) -> None:
        super().__init__(  # type: ignore[no-untyped-call]
            client=connect(redis_url),
            middleware=middleware,
            namespace=NAMESPACE,
            maintenance_chance=MAINTENANCE_CHANCE,
        )

    @property
    def consumer_class(self) -> type[QueueConsumer]:
        return QueueConsumer

    def declare_queue(self, queue_name: str) -> None:
        """As in the library, but without the second queue, whose consumer would poll for nothing."""
        if queue_name not in self.queues:
            self.emit_before("declare_queue", queue_name)
            self.queues.add(queue_name)
            self.emit_after("declare_queue", queue_name)


def connect(redis_url: str) -> Redis:
    """A client that tells soon when the server is away; it connects when it is used.

    redis_url: redis://, rediss:// or unix://, or redis+sentinel://[user:password@]host[:port],…/service[/db].
    """
    options: dict[str, Any] = {
        "socket_timeout": ANSWER_SECONDS,
        "socket_connect_timeout": CONNECT_SECONDS,
        # Once, at once: enough for a connection that the server closed meanwhile; outages are for the callers.
        "retry": Retry(NoBackoff(), 1),
    }
    if urlsplit(redis_url).scheme == SENTINEL_SCHEME:
        return _through_sentinel(redis_url, options)
    try:
        return Redis.from_url(redis_url, **options)
    except ValueError as error:
        raise Unusable(f"REDIS_URL: {error}") from error


def _through_sentinel(url: str, options: Mapping[str, Any]) -> Redis:
    parts = urlsplit(url)
    login, _, hosts = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    service, _, database = parts.path.strip("/").partition("/")
    sentinel: Any = Sentinel(
        [_address(host) for host in hosts.split(",")],
        username=unquote(user) or None,
        password=unquote(password) or None,
        db=int(database or 0),
        **options,
    )
    master: Redis = sentinel.master_for(service)
    return master


def _address(host: str) -> tuple[str, int]:
    name, _, port = host.partition(":")
    return name, int(port or SENTINEL_PORT)
