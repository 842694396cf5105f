"""A window: what some processes did between two looks at their metrics.

Counters only mean something as differences. A process that has begun anew in between counts from
nothing, as in Prometheus' `rate`; percentiles are interpolated as in its `histogram_quantile`.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from query_api.dashboard.exposition import Exposition, Labels

#: Wanted labels: by name the values that will do.
Wanted = Mapping[str, Collection[str]]
ANY: Final[Wanted] = {}
_BOUND: Final = "le"  # the label of a bucket


@dataclass(frozen=True, kw_only=True)
class Window:
    """Two looks at each process, the earlier first."""

    looks: Sequence[tuple[Exposition, Exposition]]

    def knows(self, name: str) -> bool:
        """Whether any process has samples of that name."""
        return any(after.samples.get(name) for _, after in self.looks)

    def increase(self, name: str, wanted: Wanted = ANY) -> float:
        """How much the counters grew, all processes together."""
        return sum(
            grown
            for look in self.looks
            for labels, grown in _grown(*look, name)
            if _fits(labels, wanted)
        )

    def rate(self, name: str, wanted: Wanted = ANY) -> float:
        """The same, a second."""
        return sum(
            grown / _seconds(*look)
            for look in self.looks
            for labels, grown in _grown(*look, name)
            if _fits(labels, wanted)
        )

    def share(self, name: str, part: Wanted, whole: Wanted = ANY) -> float | None:
        """How much of the growth of the whole was that of a part; None if nothing grew."""
        total = self.increase(name, whole)
        return self.increase(name, {**whole, **part}) / total if total > 0 else None

    def quantile(self, q: float, histogram: str, wanted: Wanted = ANY) -> float | None:
        """The value below which the share `q` of what was observed lies; None: nothing was."""
        counts: dict[float, float] = defaultdict(float)
        for look in self.looks:
            for labels, grown in _grown(*look, f"{histogram}_bucket"):
                if _fits(labels, wanted):
                    counts[float(dict(labels)[_BOUND])] += grown
        return _interpolated(q, sorted(counts.items()))

    def gauges(self, name: str, wanted: Wanted = ANY) -> list[float]:
        """The latest values of a gauge, of all processes."""
        return [
            value
            for _, after in self.looks
            for labels, value in after.samples.get(name, {}).items()
            if _fits(labels, wanted)
        ]


def _grown(before: Exposition, after: Exposition, name: str) -> Iterator[tuple[Labels, float]]:
    former = before.samples.get(name, {})
    for labels, value in after.samples.get(name, {}).items():
        was = former.get(labels, 0.0)
        yield labels, value - was if value >= was else value


def _seconds(before: Exposition, after: Exposition) -> float:
    return max(after.at - before.at, 1e-3)


def _fits(labels: Labels, wanted: Wanted) -> bool:
    return not wanted or all(dict(labels).get(name) in values for name, values in wanted.items())


def _interpolated(q: float, buckets: Sequence[tuple[float, float]]) -> float | None:
    """A quantile of cumulative buckets, which are sorted by their upper bounds."""
    if not buckets or buckets[-1][1] <= 0:
        return None
    wanted = q * buckets[-1][1]
    for (low, below), (high, upto) in pairwise([(0.0, 0.0), *buckets]):
        if upto >= wanted:
            if math.isinf(high):
                return low  # beyond what the histogram can tell
            return low + (high - low) * (wanted - below) / (upto - below) if upto > below else high
    return buckets[-1][0]
