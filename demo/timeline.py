"""When things happened in a generated catalogue: years of growth that end at a given moment.

Times are int64 microseconds since 1970. Nothing lies after the end, so that no version can be ahead
of the database's clock.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from core.events import to_microseconds
from demo.randomness import Indices

YEARS = 8


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """The life of the site so far."""

    start: int
    until: int

    @classmethod
    def ending(cls, until: datetime) -> "Timeline":
        """The years before `until`, which must be aware of its time zone."""
        return cls(
            start=to_microseconds(until - timedelta(days=YEARS * 365.25)),
            until=to_microseconds(until),
        )

    def arrivals(self, rng: np.random.Generator, count: int) -> Indices:
        """When `count` things came into being, ascending: ever more of them as the site grows."""
        drawn = np.sort(rng.random(count))
        return self.start + (np.sqrt(drawn) * (self.until - self.start)).astype(np.int64)

    def later(self, rng: np.random.Generator, moments: Indices, *, haste: float = 1.0) -> Indices:
        """For each moment a later one; with more `haste` the sooner after it."""
        left = self.until - moments
        return moments + (left * rng.random(len(moments)) ** haste).astype(np.int64)


def today() -> datetime:
    """The start of this day, UTC: where a generated catalogue ends unless told otherwise."""
    return datetime.now(tz=UTC).replace(hour=0, minute=0, second=0, microsecond=0)
