"""The progress of builds: how far they are, how fast they go, and what they wait for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from indexer.builds import Build, Phase
from indexer.obstacles import obstacle_to, unattended
from indexer.services import Services


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
    found = await services.journal.builds(entities)
    if not any(build.is_under_way for build in found):
        return [progress_of(build) for build in found]
    now, _ = await services.fence.wait()
    return [
        replace(progress_of(build, now), waits_for=await _waits_for(services, build))
        for build in found
    ]


async def _waits_for(services: Services, build: Build) -> str:
    return await obstacle_to(services, build) or await unattended(services, build)


def progress_of(build: Build, now: int | None = None) -> Progress:
    """The progress that a record tells of; with `now`, by the primary's clock, how fast it goes."""
    rate = 0.0 if now is None else build.rate(now)
    left = max(0, build.expected - build.rows)
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
        rate=rate,
        eta=left / rate if rate and build.expected else None,
        failure=build.failure,
    )
