"""What a worker counts, for Prometheus. Its processes write into files of one folder, and the worker reads them all.

The folder is the environment variable PROMETHEUS_MULTIPROC_DIR of the processes, as the client library wants it.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from workers.delivery import Outcome

#: Calls that are counted while they wait.
MOST_DUE = 100_000
#: Tells the client library of a process where its files are.
FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

#: Upper bounds of the histogram, in seconds: from an activity that must wait to a long import.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


class ProcessMetrics:
    """The figures of one process."""

    def __init__(self, queue: str) -> None:
        registry = CollectorRegistry()
        self._seconds = Histogram(
            "muster_worker_message_seconds",
            "Seconds of work on a message, whatever became of its activity",
            ("queue",),
            buckets=BUCKETS,
            registry=registry,
        ).labels(queue)
        self._in_progress = Gauge(
            "muster_worker_messages_in_progress",
            "Messages being worked on",
            ("queue",),
            multiprocess_mode="livesum",
            registry=registry,
        ).labels(queue)
        self._sent_again = Counter(
            "muster_worker_messages_sent_again",
            "Messages sent again because the first got lost or its worker died",
            registry=registry,
        )
        calls = Counter(
            "muster_worker_hook_calls",
            "Calls of hooks and of other URLs, by what became of them: delivered, retried later, given up",
            ("outcome",),
            registry=registry,
        )
        self._calls = {outcome: calls.labels(outcome) for outcome in Outcome}
        self._calls_due = Gauge(
            "muster_worker_hook_calls_due",
            f"Calls that are due in all accounts, of which no worker makes one yet, {MOST_DUE:,} at most",
            multiprocess_mode="livemostrecent",
            registry=registry,
        )

    @contextmanager
    def working(self) -> Iterator[None]:
        """Counts a message while it is worked on."""
        with self._in_progress.track_inprogress(), self._seconds.time():
            yield

    def sent_again(self, messages: int) -> None:
        self._sent_again.inc(messages)

    def call_made(self, outcome: Outcome) -> None:
        self._calls[outcome].inc()

    def calls_due(self, calls: int) -> None:
        self._calls_due.set(calls)


class WorkerMetrics:
    """The figures of a worker: those of its processes, and how often it started one again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._registry = CollectorRegistry()
        self._restarts = Counter(
            "muster_worker_restarts", "Processes started again after they died", registry=self._registry
        )

    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to be counted."""
        return {**os.environ, FOLDER_VARIABLE: str(self._folder)}

    def restarted(self) -> None:
        self._restarts.inc()

    def ended(self, pid: int) -> None:
        """The process is not working on anything any more."""
        mark_process_dead(pid, str(self._folder))

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        processes = CollectorRegistry()
        MultiProcessCollector(processes, str(self._folder))
        return generate_latest(processes) + generate_latest(self._registry)
