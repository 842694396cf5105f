"""Stalls: for how long builds have come no further, as one process sees it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from indexer.builds import Build, Range, Step

# Seconds without a question after which somebody has paused it, or worked on: it stalls anew.
_LONGEST_ATTEMPT = 600.0


class _Mark(NamedTuple):
    """Where a build stands. It moves when anybody finishes a range."""

    step: Step
    rows: int
    open: Sequence[Range]


@dataclass
class Stalls:
    """Remembers since when each build stands where it stands."""

    # By index: where it stands, since when, and when that was asked last.
    _known: dict[str, tuple[_Mark, float, float]] = field(default_factory=dict)

    def seconds(self, build: Build, now: float) -> float:
        """For how long a build that cannot go on has not; `now` is monotonic seconds.

        The first time that somebody asks is the beginning.
        """
        mark = _Mark(build.step, build.rows, tuple(build.open))
        before, since, asked = self._known.get(build.index, (None, now, now))
        if before != mark or now - asked > _LONGEST_ATTEMPT:
            since = now
        self._known[build.index] = (mark, since, now)
        return now - since
