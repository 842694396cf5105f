"""Metrics of the way that records of searches and interactions take."""

from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from core.telemetry import LATENCY_BUCKETS, REGISTRY

OUTBOX_RECORDS: Final = Gauge(
    "disco_evaluation_outbox_records",
    "Searches and interactions that a process holds until the broker confirms them.",
    registry=REGISTRY,
)
OUTBOX_CONFIRMED: Final = Counter(
    "disco_evaluation_outbox_confirmed",
    "Searches and interactions that the broker has confirmed.",
    registry=REGISTRY,
)
OUTBOX_LOST: Final = Counter(
    "disco_evaluation_outbox_lost",
    "Records that were not logged: no room while the broker was away, or a stop without it.",
    ("record",),
    registry=REGISTRY,
)
PUBLISH_SECONDS: Final = Histogram(
    "disco_evaluation_publish_seconds",
    "From the publishing of a message of many records to its confirmation.",
    registry=REGISTRY,
    buckets=LATENCY_BUCKETS,
)
STORED: Final = Counter(
    "disco_evaluation_stored",
    "Rows by record, search or interaction, and outcome: stored or repeated.",
    ("record", "outcome"),
    registry=REGISTRY,
)
REFUSED_MESSAGES: Final = Counter(
    "disco_evaluation_refused_messages",
    "Messages that are none of ours, set aside in the queue interactions.dead.",
    registry=REGISTRY,
)
CONSUMING: Final = Gauge(
    "disco_evaluation_consuming",
    "1 while the process is connected to the broker and stores what comes.",
    registry=REGISTRY,
)
