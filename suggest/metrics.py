"""Metrics of the suggest service. Labels never carry what people type."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from core.telemetry import LATENCY_BUCKETS, REGISTRY

# Seconds: an answer takes some ten millionths of one.
_BUCKETS: Final = (
    *(0.00001, 0.00002, 0.00005, 0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005),
    *(0.01, 0.02, 0.05, 0.1, 0.5),
)

REQUESTS: Final = Counter(
    "disco_suggest_requests",
    "Answered requests by route and status.",
    ("route", "status"),
    registry=REGISTRY,
)
LOOKUP_SECONDS: Final = Histogram(
    "disco_suggest_lookup_seconds",
    "Time to find and write the completions of one request.",
    registry=REGISTRY,
    buckets=_BUCKETS,
)
SNAPSHOT_PHRASES: Final = Gauge(
    "disco_suggest_snapshot_phrases",
    "Phrases of the snapshot that is served; 0 without one.",
    registry=REGISTRY,
)
SNAPSHOT_LOADED: Final = Gauge(
    "disco_suggest_snapshot_loaded_timestamp_seconds",
    "When the snapshot that is served was loaded.",
    registry=REGISTRY,
)
OVERLAY_ENTITIES: Final = Gauge(
    "disco_suggest_overlay_entities",
    "Entities that the overlay shows otherwise than the snapshot does, or hides.",
    registry=REGISTRY,
)
OVERLAY_PHRASES: Final = Gauge(
    "disco_suggest_overlay_phrases",
    "Phrases of the overlay.",
    registry=REGISTRY,
)
OVERLAY_WAITING: Final = Gauge(
    "disco_suggest_overlay_waiting",
    "Entities with a change that the overlay does not have yet.",
    registry=REGISTRY,
)
OVERLAY_CHANGES: Final = Counter(
    "disco_suggest_overlay_changes",
    "Changes that the overlay looked at, by outcome.",
    ("outcome",),
    registry=REGISTRY,
)
OVERLAY_SECONDS: Final = Histogram(
    "disco_suggest_overlay_seconds",
    "From the arrival of an event until the service suggests by it.",
    registry=REGISTRY,
    buckets=LATENCY_BUCKETS,
)
OVERLAY_STATE: Final = Gauge(
    "disco_suggest_overlay_state",
    "1 for the state that the overlay is in, 0 for the others.",
    ("state",),
    registry=REGISTRY,
)
SWAPS: Final = Counter(
    "disco_suggest_swaps",
    "Snapshots that were to be served, by outcome: served or refused.",
    ("outcome",),
    registry=REGISTRY,
)
