"""After any storm, index and database are equal."""

from pathlib import Path

import pytest

from core.settings import Settings
from stack.assembly import Stack
from tests.integration.indexer.storm import rage
from tests.integration.indexer.weather import Weather

STORM = Weather(
    seed=20_260,
    changes=50_000,
    producers=3,
    sessions=6,
    connections=6,
    from_the_future=0.002,
    kills=10,
    workers=(1, 2, 2, 1),
    lags=(0.0, 0.5, 5.0, 0.0, 2.0, 4.0, 0.1),
    lag_lasts=4.0,
    # A refresh that waits for company finds its row committed; one that does not meets more races.
    # With less patience than the replica's worst lag, both ways of hydrating are taken.
    settings={"batch_linger": 0.01, "replica_patience": 3.0},
)


@pytest.mark.timeout(900)
async def test_fifty_thousand_changes_converge(
    stack: Stack, fresh_settings: Settings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    aftermath = await rage(stack, fresh_settings, tmp_path, STORM)
    with capsys.disabled():
        print(f"\n{aftermath}")  # noqa: T201 - the figures are part of the result
    assert aftermath.differences == []
    assert aftermath.ahead == []
    assert aftermath.dead_letters == []
    # The storm was one: everything that makes it hard did happen.
    assert aftermath.changes >= STORM.changes
    assert aftermath.kills == STORM.kills
    assert aftermath.repeated > 1_000
    assert aftermath.conflicts > 1_000
    assert aftermath.resettled > 10
    assert aftermath.refreshes > 10_000
    assert aftermath.clamped > 10
    assert aftermath.fence_timeouts > 0
    assert aftermath.compared > 1_000
