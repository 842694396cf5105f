"""The progress of builds: how far they are, how fast they go, and what they wait for."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from indexer.builds import Build, Phase
from indexer.obstacles import obstacle_to
from indexer.services import Services

_RATE_WINDOW = 15.0  # seconds that a rate is the mean of


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a build is."""

    entity: str
    index: str
    copied_from: str  # the index whose documents it began with; empty: it is filled by a scan
    phase: Phase
    is_paused: bool
    turn: int  # which comparison, from 1; 0 in other phases
    rows: int  # rows of the table gone over in this phase
    expected: int  # rows of the table, as the planner estimates; 0: it does not know
    read: int  # documents that the scan has read
    outcomes: Mapping[str, int]  # of the scan's writes
    mended: int  # differences from the database that were mended
    since: Mapping[str, int]  # when each phase began, microseconds by the primary's clock
    rate: float = 0.0  # rows a second, lately; 0: not known yet
    eta: float | None = None  # seconds that this phase will take at this rate
    waits_for: str = ""  # what keeps it from going on; empty: nothing that is known
    failure: str = ""  # why the build failed

    @property
    def seconds(self) -> float:
        """From the beginning of the build to the beginning of the phase that it is in."""
        return (max(self.since.values()) - min(self.since.values())) / 1e6


async def builds(services: Services, entities: Sequence[str]) -> list[Progress]:
    """The last build of each of the entity types that has one, under way or ended."""
    return [
        replace(progress_of(build), waits_for=await obstacle_to(services, build))
        for build in await services.journal.builds(entities)
    ]


def progress_of(build: Build) -> Progress:
    """The progress that a record tells of."""
    return Progress(
        entity=build.entity,
        index=build.index,
        copied_from=build.copied_from,
        phase=build.phase,
        is_paused=build.is_paused,
        turn=build.turn,
        rows=build.rows,
        expected=build.expected,
        read=build.documents,
        outcomes=build.outcomes,
        mended=build.mended,
        since=build.since,
        failure=build.failure,
    )


@dataclass
class Gauge:
    """Measures the rate of a phase from looks at it."""

    _phase: tuple[Phase, int] | None = None
    _looks: list[tuple[float, int]] = field(default_factory=list)  # monotonic seconds, rows

    def measure(self, build: Build) -> Progress:
        """The progress, with rate and time to come as far as they are known."""
        now = time.monotonic()
        if (build.phase, build.turn) != self._phase:
            self._phase, self._looks = (build.phase, build.turn), []
        self._looks.append((now, build.rows))
        while self._looks[0][0] < now - _RATE_WINDOW and len(self._looks) > 2:
            self._looks.pop(0)
        seconds = now - self._looks[0][0]
        rate = (build.rows - self._looks[0][1]) / seconds if seconds > 1 else 0.0
        left = max(0, build.expected - build.rows)
        eta = left / rate if rate > 0 and build.expected and not build.is_paused else None
        return replace(progress_of(build), rate=rate, eta=eta)
