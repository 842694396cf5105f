"""Percentiles and a histogram that can be read in a terminal."""

from collections.abc import Sequence

import numpy as np

_WIDTH = 50


def percentiles(seconds: Sequence[float], prefix: str = "") -> dict[str, float]:
    """p50, p90, p99 and the largest, in seconds."""
    values = np.asarray(seconds)
    named = {f"{prefix}p{q}": float(np.percentile(values, q)) for q in (50, 90, 99)}
    return named | {f"{prefix}max": float(values.max())}


def histogram(seconds: Sequence[float], *, step: float = 0.05) -> dict[str, int]:
    """Counts by bucket of `step` seconds; the key is the bucket's upper limit."""
    buckets = np.ceil(np.asarray(seconds) / step).astype(int)
    numbers, counts = np.unique(buckets, return_counts=True)
    return {f"{n * step:.2f}": int(c) for n, c in zip(numbers, counts, strict=True)}


def draw(counts: dict[str, int]) -> list[str]:
    """Lines of a bar chart."""
    largest = max(counts.values(), default=1)
    return [
        f"  <= {limit} s {'#' * max(1, round(_WIDTH * count / largest))} {count}"
        for limit, count in counts.items()
    ]
