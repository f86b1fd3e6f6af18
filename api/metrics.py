"""What the API counts about itself, for Prometheus."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST

#: Upper bounds of the latency histogram, in seconds.
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)


class RouteMetrics:
    """The counters of one route, looked up once."""

    def __init__(self, requests: Counter, seconds: Histogram, route: str, method: str) -> None:
        self._requests = requests
        self._labels = (route, method)
        self._seconds = seconds.labels(route, method)
        self._by_status: dict[int, Counter] = {}

    def observe(self, status: int, seconds: float) -> None:
        counter = self._by_status.get(status)
        if counter is None:
            counter = self._by_status[status] = self._requests.labels(*self._labels, status)
        counter.inc()
        self._seconds.observe(seconds)


class Metrics:
    """The counters of one API process, in a registry of their own."""

    content_type = CONTENT_TYPE_LATEST

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "muster_api_requests",
            "Requests answered",
            ("route", "method", "status"),
            registry=self._registry,
        )
        self._seconds = Histogram(
            "muster_api_request_seconds",
            "Seconds from the head of a request to its answer",
            ("route", "method"),
            buckets=BUCKETS,
            registry=self._registry,
        )
        self._submitted = Counter(
            "muster_api_activities_submitted", "Activities submitted", ("kind",), registry=self._registry
        )
        self._by_kind: dict[str, Counter] = {}
        self._waiting = Gauge(
            "muster_api_waiting", "Requests that wait for an activity to end", registry=self._registry
        )

    def of_route(self, route: str, method: str) -> RouteMetrics:
        return RouteMetrics(self._requests, self._seconds, route, method)

    def submitted(self, kind: str) -> None:
        counter = self._by_kind.get(kind)
        if counter is None:
            counter = self._by_kind[kind] = self._submitted.labels(kind)
        counter.inc()

    @property
    def waiting(self) -> Gauge:
        return self._waiting

    def exposition(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)
