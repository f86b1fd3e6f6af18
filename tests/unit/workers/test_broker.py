"""The broker's URL, and what of Dramatiq is left out."""

from typing import Any

import pytest
from redis import Redis
from redis.sentinel import SentinelConnectionPool

from workers.broker import QueueBroker, connect


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://:secret@host:1/2", {"host": "host", "port": 1, "db": 2, "password": "secret"}),
        ("unix:///run/valkey.sock?db=3", {"path": "/run/valkey.sock", "db": 3}),
    ],
)
def test_urls_of_one_server(url: str, expected: dict[str, Any]) -> None:
    settings = connect(url).connection_pool.connection_kwargs
    assert {name: settings[name] for name in expected} == expected


def test_a_url_of_sentinels() -> None:
    client: Redis = connect("redis+sentinel://me:p%40ss@one:1,two/the-service/4")
    pool = client.connection_pool
    assert isinstance(pool, SentinelConnectionPool)
    assert pool.service_name == "the-service"
    assert pool.connection_kwargs["db"] == 4
    assert (pool.connection_kwargs["username"], pool.connection_kwargs["password"]) == ("me", "p@ss")
    sentinels = [sentinel.connection_pool.connection_kwargs for sentinel in pool.sentinel_manager.sentinels]
    assert [(sentinel["host"], sentinel["port"]) for sentinel in sentinels] == [("one", 1), ("two", 26379)]


def test_there_is_no_queue_of_delayed_messages() -> None:
    broker = QueueBroker("redis://localhost:1", [])
    broker.declare_queue("activities")
    assert broker.get_declared_queues() == {"activities"}
    assert broker.get_declared_delay_queues() == set()
