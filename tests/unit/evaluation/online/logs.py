"""Logs made up for tests: searches and what was done in them, as DuckDB tables."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from evaluation.online import log

NOON = datetime(2026, 5, 24, 12, tzinfo=UTC)
_TEXTS = pa.list_(pa.string())
SEARCHES = pa.schema(
    [
        ("query_id", pa.string()),
        ("first", pa.int32()),
        ("searched_at", pa.timestamp("us", "UTC")),
        ("text", pa.string()),
        ("types", _TEXTS),
        ("total", pa.int32()),
        ("hit_types", _TEXTS),
        ("hit_ids", _TEXTS),
        ("teams", _TEXTS),
        ("variant", pa.string()),
        ("experiment", pa.string()),
        ("user_hash", pa.string()),
        ("session_hash", pa.string()),
    ]
)
INTERACTIONS = pa.schema(
    [
        ("query_id", pa.string()),
        ("kind", pa.string()),
        ("entity_type", pa.string()),
        ("entity_id", pa.string()),
        ("done_at", pa.timestamp("us", "UTC")),
    ]
)


def search(query_id: str, text: str = "rain", hits: str = "", **own: Any) -> dict[str, Any]:
    """A search; each character of `hits` is the id of a sound that was shown."""
    seconds = own.pop("after", 0)
    return {
        "query_id": query_id,
        "first": 0,
        "searched_at": NOON + timedelta(seconds=seconds),
        "text": text,
        "types": ["sound"],
        "total": len(hits),
        "hit_types": ["sound"] * len(hits),
        "hit_ids": list(hits),
        "teams": None,
        "variant": "live",
        "experiment": None,
        "user_hash": None,
        "session_hash": None,
    } | own


def click(query_id: str, hit: str, *, after: float = 0, kind: str = "click") -> dict[str, Any]:
    """Somebody clicked a sound."""
    return {
        "query_id": query_id,
        "kind": kind,
        "entity_type": "sound",
        "entity_id": hit,
        "done_at": NOON + timedelta(seconds=after),
    }


def opened(
    searches: Sequence[dict[str, Any]], interactions: Sequence[dict[str, Any]] = ()
) -> duckdb.DuckDBPyConnection:
    """The log, prepared as `log.opened` does."""
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.register("searches", pa.Table.from_pylist(list(searches), SEARCHES))
    connection.register("interactions", pa.Table.from_pylist(list(interactions), INTERACTIONS))
    log.prepare(connection, NOON - timedelta(hours=1), NOON + timedelta(hours=3))
    return connection
