"""The indexer's metrics. `docs/metrics.md` says what each is for."""

from prometheus_client import Counter, Gauge, Histogram

from core.telemetry import LATENCY_BUCKETS, REGISTRY

EVENTS = Counter(
    "disco_indexer_events_total",
    "Events by outcome; every event that is consumed ends in exactly one.",
    ["queue", "outcome"],
    registry=REGISTRY,
)
WRITES = Counter(
    "disco_indexer_writes_total",
    "Items of bulk answers by outcome.",
    ["outcome"],
    registry=REGISTRY,
)
CLAMPED = Counter(
    "disco_indexer_clamped_total",
    "Events whose time was ahead of the database's clock, and was set back to it.",
    registry=REGISTRY,
)
RESETTLED = Counter(
    "disco_indexer_resettled_total",
    "Writes repeated under a newer version, because engine and database differed after a write.",
    registry=REGISTRY,
)
DEPENDENTS = Counter(
    "disco_indexer_dependents_total",
    "Refresh events published for documents that join what changed.",
    registry=REGISTRY,
)
RETRIES = Counter(
    "disco_indexer_retries_total",
    "Batches and broker sessions tried again, by the service that was away or had no room.",
    ["service"],
    registry=REGISTRY,
)
LAG_SECONDS = Histogram(
    "disco_indexer_lag_seconds",
    "From an event's time to its document being searchable (for background work, at the latest).",
    ["queue"],
    buckets=LATENCY_BUCKETS,
    registry=REGISTRY,
)
FENCE_SECONDS = Histogram(
    "disco_indexer_fence_seconds",
    "Waiting for the replica to replay what the events of a batch tell of.",
    buckets=LATENCY_BUCKETS,
    registry=REGISTRY,
)
FENCE_TIMEOUTS = Counter(
    "disco_indexer_fence_timeouts_total",
    "Batches hydrated from the primary, because the replica was behind or gone.",
    registry=REGISTRY,
)
HYDRATION_SECONDS = Histogram(
    "disco_indexer_hydration_seconds",
    "Reading the rows of a batch, one entity type at a time.",
    ["entity"],
    buckets=LATENCY_BUCKETS,
    registry=REGISTRY,
)
BULK_SECONDS = Histogram(
    "disco_indexer_bulk_seconds",
    "One bulk request, sent to answered.",
    buckets=LATENCY_BUCKETS,
    registry=REGISTRY,
)
BULK_BODY_BYTES = Gauge(
    "disco_indexer_scan_body_bytes",
    "Bytes of the last bulk body of a build; the worker finds the size that suits the engine.",
    registry=REGISTRY,
)
BULK_IN_FLIGHT = Gauge(
    "disco_indexer_scan_bodies_in_flight",
    "Bulk bodies of builds that are under way.",
    registry=REGISTRY,
)
RANGES = Counter(
    "disco_indexer_ranges_total",
    "Ranges of builds that this worker has finished, by the phase of the build.",
    ["entity", "phase"],
    registry=REGISTRY,
)
REFRESH_SECONDS = Histogram(
    "disco_indexer_refresh_seconds",
    "One refresh that a worker asked for after live changes.",
    buckets=LATENCY_BUCKETS,
    registry=REGISTRY,
)
BATCH_SIZE = Histogram(
    "disco_indexer_batch_changes",
    "Distinct entities in a batch.",
    ["queue"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000),
    registry=REGISTRY,
)
QUEUE_DEPTH = Gauge(
    "disco_indexer_queue_depth",
    "Messages that wait in a queue, as the broker says.",
    ["queue"],
    registry=REGISTRY,
)
CONSUMING = Gauge(
    "disco_indexer_consuming",
    "1 while the worker is connected to the broker and consumes.",
    registry=REGISTRY,
)
PENDING = Gauge(
    "disco_indexer_pending_changes",
    "Distinct entities that a worker holds and has not settled.",
    ["queue"],
    registry=REGISTRY,
)
SWEPT = Counter(
    "disco_indexer_swept_total",
    "Entities that the background sweep compared.",
    ["entity"],
    registry=REGISTRY,
)
SWEEP_DIFFERENCES = Counter(
    "disco_indexer_sweep_differences_total",
    "Differences that the background sweep found and sent for repair, by kind.",
    ["entity", "kind"],
    registry=REGISTRY,
)
SWEEP_COMPLETED = Gauge(
    "disco_indexer_sweep_completed_timestamp_seconds",
    "When the background sweep last went through all of an entity type.",
    ["entity"],
    registry=REGISTRY,
)
