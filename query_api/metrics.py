"""Metrics of the query API. Labels never carry what people search for."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from core.telemetry import LATENCY_BUCKETS, REGISTRY

# Fine where a candidate hardly differs from what is live.
OVERLAP_BUCKETS: Final = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.99, 1.0)

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
REQUESTS_WAITING: Final = Gauge(
    "disco_query_api_requests_waiting",
    "Requests that wait to be let in.",
    registry=REGISTRY,
)
REQUESTS_SHED: Final = Counter(
    "disco_query_api_requests_shed",
    "Requests sent away in overload: queue_full, waited or background.",
    ("reason",),
    registry=REGISTRY,
)
REQUESTS_LIMITED: Final = Counter(
    "disco_query_api_requests_limited",
    "Requests above a rate limit, by whose it is: key or address.",
    ("whose",),
    registry=REGISTRY,
)
BREAKER_OPEN: Final = Gauge(
    "disco_query_api_breaker_open",
    "1 while a service is left alone because it did not answer.",
    ("service",),
    registry=REGISTRY,
)
BREAKER_REFUSALS: Final = Counter(
    "disco_query_api_breaker_refusals",
    "Calls that were not made because their service did not answer the last ones.",
    ("service",),
    registry=REGISTRY,
)
ENGINE_SECONDS: Final = Histogram(
    "disco_query_api_engine_seconds",
    "Time that one call of the engine took, failed calls included.",
    registry=REGISTRY,
    buckets=LATENCY_BUCKETS,
)
PARTIAL_ANSWERS: Final = Counter(
    "disco_query_api_partial_answers",
    "Answers of the engine that lack a part of an index: out of time, or it could not be read.",
    registry=REGISTRY,
)
SEARCHES: Final = Counter(
    "disco_query_api_searches",
    "Answered searches by outcome, found or nothing (as it was typed), and by variant.",
    ("outcome", "variant"),
    registry=REGISTRY,
)
WIDENED_SEARCHES: Final = Counter(
    "disco_query_api_widened_searches",
    "First pages of searches that found nothing until they were widened, by step.",
    ("step", "variant"),
    registry=REGISTRY,
)
VARIANT_FALLBACKS: Final = Counter(
    "disco_query_api_variant_fallbacks",
    "Searches answered by live because the variant of their experiment has no index.",
    ("variant",),
    registry=REGISTRY,
)
SHADOW_SEARCHES: Final = Counter(
    "disco_query_api_shadow_searches",
    "Searches done again by a candidate, by outcome: compared, failed or shed.",
    ("variant", "outcome"),
    registry=REGISTRY,
)
SHADOW_SECONDS: Final = Histogram(
    "disco_query_api_shadow_seconds",
    "Time that compared searches took, by side: candidate or live.",
    ("variant", "side"),
    registry=REGISTRY,
    buckets=LATENCY_BUCKETS,
)
SHADOW_OVERLAP: Final = Histogram(
    "disco_query_api_shadow_overlap",
    "Rank-biased overlap of the candidate's hits with the live ones, 0 to 1.",
    ("variant",),
    registry=REGISTRY,
    buckets=OVERLAP_BUCKETS,
)
INTERACTIONS: Final = Counter(
    "disco_query_api_interactions",
    "Events sent to /v1/interactions by outcome; of a body that is refused whole, the body.",
    ("outcome",),
    registry=REGISTRY,
)
INTERACTIONS_CLAMPED: Final = Counter(
    "disco_query_api_interactions_clamped",
    "Accepted events whose time could not be, and was moved to the nearest that can.",
    registry=REGISTRY,
)
