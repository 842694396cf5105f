"""Small catalogues of activity, as Parquet files, and what is made of them."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from ranker.activity import Loaded, SignalCount, load
from ranker.parquet_source import ParquetSource
from ranker.signals import Policy

TYPES = ("group", "set", "sound", "user")
NOW = datetime.now(UTC)
Act = tuple[str, int, str, int]


def acts(
    folder: Path,
    signal: str,
    rows: Sequence[Act],
    *,
    counts: Sequence[Any] | None = None,
    days: Sequence[float] | None = None,
) -> None:
    """Write what a signal finds: (source type, source, target type, target), and how often."""
    columns = list(zip(*rows, strict=True)) or [(), (), (), ()]
    table = pa.table(
        {
            "source_type": pa.array(columns[0], pa.string()),
            "source_id": pa.array(columns[1], pa.int64()),
            "target_type": pa.array(columns[2], pa.string()),
            "target_id": pa.array(columns[3], pa.int64()),
            "count": pa.array(counts or [1.0] * len(rows)),
            "last_at": pa.array(
                [NOW - timedelta(days=day) for day in days or [0.0] * len(rows)],
                pa.timestamp("us", tz="UTC"),
            ),
        }
    )
    folder.mkdir(exist_ok=True)
    parquet.write_table(table, folder / f"{signal}.parquet")


def entities(folder: Path, **ids: Sequence[int]) -> None:
    """Write which entities there are."""
    pairs = [(kind, one) for kind, some in ids.items() for one in some]
    table = pa.table(
        {
            "type": pa.array([kind for kind, _ in pairs], pa.string()),
            "id": pa.array([one for _, one in pairs], pa.int64()),
        }
    )
    parquet.write_table(table, folder / "entities.parquet")


def policy(*signals: Mapping[str, Any], **others: Any) -> Policy:
    """A policy of these signals, each of weight 1 unless it says so."""
    described = [one if "weight" in one else {"weight": 1.0, **one} for one in signals]
    return Policy.model_validate({"signals": described, **others})


def loaded(folder: Path, rules: Policy) -> Loaded:
    """The graph of a folder."""
    return load(ParquetSource(folder, TYPES, rules), rules)


def counted(folder: Path, rules: Policy) -> dict[str, SignalCount]:
    """What became of each signal's rows."""
    return {one.name: one for one in loaded(folder, rules).signals}


def edges(of: Loaded) -> dict[tuple[tuple[str, int], tuple[str, int]], float]:
    """Weight by source and target."""
    graph = of.graph
    names = of.entities.named(graph.order)
    found: dict[tuple[tuple[str, int], tuple[str, int]], float] = {}
    for position, target in enumerate(names):
        for at in range(int(graph.starts[position]), int(graph.starts[position + 1])):
            key = (names[int(graph.sources[at])], target)
            found[key] = found.get(key, 0.0) + float(graph.weights[at])
    return found
