"""A reindex under a storm of changes, while workers are killed and the engine restarts.

The services belong to this module alone: others could not work meanwhile.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.settings import Settings
from indexer import operations
from indexer.builds import Build, Phase
from indexer.errors import TemporarilyUnavailableError
from indexer.generation import State
from indexer.range_lane import RANGE_ROWS
from stack import faults
from stack import operations as stack_operations
from stack.assembly import Stack
from tests.integration.indexer.command_line import disco
from tests.integration.indexer.crew import Crew
from tests.integration.indexer.oracle import Index, open_index
from tests.integration.indexer.storm import rage
from tests.integration.indexer.waiting import until
from tests.integration.indexer.weather import Weather
from tests.services import ROOT, place

NAME = "reindex"
_SOUNDS = 35_000  # beyond those of the storm, so that a build has many ranges
_MORE_SOUNDS = f"""
INSERT INTO users (username, display_name)
SELECT 'quiet-' || n, 'Quiet ' || n FROM generate_series(1, 100) AS n;
INSERT INTO sounds (user_id, title, permalink, duration_ms, description)
SELECT u.id, 'More ' || n, 'more-' || n, n, repeat('rain on a tin roof ', 20)
FROM generate_series(1, {_SOUNDS}) AS n
JOIN users u ON u.username = 'quiet-' || n % 100 + 1
"""

STORM = Weather(
    seed=20_261,
    changes=2_000,
    producers=2,
    sessions=3,
    sql=_MORE_SOUNDS,
    workers=(2,),
    lags=(0.0, 0.5, 2.0),
    settings={"batch_linger": 0.01, "replica_patience": 1.0},
    deadline=180,
)


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    """Services for this module alone, deleted at the end."""
    stack_operations.up(NAME, root=ROOT, heap="512m", progress=print)
    try:
        yield stack_operations.open_stack(NAME, root=ROOT)
    finally:
        stack_operations.down(NAME, root=ROOT, purge=True, progress=print)


class _Reindex:
    """Reindexes sounds beside a storm, and has things go wrong in the middle of it."""

    def __init__(self, stack: Stack, settings: Settings) -> None:
        self._stack = stack
        self._settings = settings
        self.build: Build | None = None
        self.failed_in: list[Phase] = []  # phases in which something went wrong

    async def run(self, index: Index, crew: Crew) -> None:
        """Begin a build, kill two workers and restart the engine, and see it to its end."""
        done = await disco(self._settings, "index", "reindex", "sound", "--detach", "--json")
        assert done.code == 0, done.err
        await self._scanned(index, 1)
        await crew.lose_one()
        self._note()
        await self._scanned(index, 9_000)
        await asyncio.to_thread(faults.restart, self._stack, "elasticsearch")
        self._note()
        await self._scanned(index, 18_000)
        await crew.lose_one()
        self._note()
        await self._reaches(index, Phase.COMPLETE)

    async def _scanned(self, index: Index, documents: int) -> None:
        async def enough() -> bool:
            build = await self._look(index)
            return build is not None and build.documents >= documents

        await until(enough, within=120, what=f"{documents} scanned", state=lambda: self.build)

    async def _reaches(self, index: Index, phase: Phase) -> None:
        async def reached() -> bool:
            build = await self._look(index)
            return build is not None and build.phase is phase

        await until(reached, within=400, what=f"{phase}", state=lambda: self.build)

    async def _look(self, index: Index) -> Build | None:
        try:
            entry = await index.services.journal.read("sound")
        except TemporarilyUnavailableError:
            return None
        self.build = entry.build if entry else None
        assert self.build is None or self.build.phase is not Phase.FAILED, self.build
        return self.build

    def _note(self) -> None:
        assert self.build is not None
        self.failed_in.append(self.build.phase)


@pytest.mark.timeout(900)
async def test_both_generations_are_right_after_kills_and_a_restart(
    stack: Stack, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with place(stack) as settings:
        reindex = _Reindex(stack, settings)
        aftermath = await rage(stack, settings, tmp_path, STORM, meanwhile=reindex.run)
        with capsys.disabled():
            print(f"\n{aftermath}\n{reindex.build}")  # noqa: T201 - figures are part of the result
        assert aftermath.differences == []
        assert aftermath.dead_letters == []
        async with open_index(settings) as index:
            states = await _compare_all(index)
        assert sorted(states) == [State.LIVE, State.READY]
    # It was what it claims to be.
    assert aftermath.kills == 2
    assert aftermath.changes >= STORM.changes
    assert reindex.failed_in[:2] == [Phase.SCANNING] * 2
    build = reindex.build
    assert build is not None
    # Every range counts once, whoever did it again.
    assert _SOUNDS < build.documents < _SOUNDS + RANGE_ROWS


async def _compare_all(index: Index) -> list[State]:
    """Compare every generation of sounds with the database; their states."""
    states = []
    generations = await operations.generations_of(index.services, "sound", live_only=False)
    for generation in generations:
        compared = 0
        verdicts = operations.verify(index.services, "sound", generation=generation, patience=5)
        async for verdict in verdicts:
            compared = verdict.compared
            assert not verdict.kinds, f"{generation.index}: {verdict.differences[:10]}"
        assert compared > _SOUNDS / 2
        states.append(generation.state)
    return states
