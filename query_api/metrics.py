"""Metrics of the query API. Labels never carry what people search for."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from core.telemetry import LATENCY_BUCKETS, REGISTRY

REQUESTS: Final = Counter(
    "disco_query_api_requests",
    "Requests by route template, method and status.",
    ("route", "method", "status"),
    registry=REGISTRY,
)
REQUEST_SECONDS: Final = Histogram(
    "disco_query_api_request_seconds",
    "Time from a request's arrival to the end of its answer.",
    ("route",),
    registry=REGISTRY,
    buckets=LATENCY_BUCKETS,
)
REQUESTS_IN_PROGRESS: Final = Gauge(
    "disco_query_api_requests_in_progress",
    "Requests that wait for their answer.",
    registry=REGISTRY,
)
ENGINE_SECONDS: Final = Histogram(
    "disco_query_api_engine_seconds",
    "Time that one call of the engine took, failed calls included.",
    registry=REGISTRY,
    buckets=LATENCY_BUCKETS,
)
SEARCHES: Final = Counter(
    "disco_query_api_searches",
    "Answered searches by outcome: found or nothing.",
    ("outcome",),
    registry=REGISTRY,
)
