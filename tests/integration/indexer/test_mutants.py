"""The convergence test can fail: with any guard of the version rule switched off, it does.

The same storm, smaller and with worse luck, over workers that lack one guard each
(`mutant_worker.py`). The control lacks none, and survives.
"""

import dataclasses
from pathlib import Path

import pytest

from core.settings import Settings
from stack.assembly import Stack
from tests.integration.indexer.storm import Aftermath, rage
from tests.integration.indexer.weather import Weather
from tests.integration.indexer.worker_process import launcher

GALE = Weather(
    seed=4,
    changes=3_000,
    producers=3,
    sessions=6,
    held=0.5,
    longest_hold=0.3,
    # Each event comes once, and soon: a late or second one would mend what the first one missed.
    delays=((0.9, 0.03), (0.1, 0.5)),
    duplicates=0.0,
    kills=2,
    workers=(2,),
    lags=(0.0, 1.0, 0.0, 2.0),
    lag_lasts=1.5,
    pushbacks=2,
    settings={"batch_linger": 0.005, "tombstone_retention": "1s"},
    patience=1.0,
)
LUCK = {"jitter": 0.15, "failures": 0.1}
# What each mutant is made of stands in `mutant_worker.py`.
LETHAL = ("no_fence",)

pytestmark = pytest.mark.timeout(300)


async def _rage(stack: Stack, settings: Settings, folder: Path, mutation: str) -> Aftermath:
    weather = dataclasses.replace(GALE, command=launcher(mutation, **LUCK))
    aftermath = await rage(stack, settings, folder, weather)
    print(f"{mutation}: {aftermath}")  # noqa: T201 - shown when the test fails
    return aftermath


async def test_the_unmutated_worker_survives(
    stack: Stack, fresh_settings: Settings, tmp_path: Path
) -> None:
    aftermath = await _rage(stack, fresh_settings, tmp_path, "none")
    assert aftermath.differences == []
    assert aftermath.dead_letters == []


@pytest.mark.parametrize("mutation", LETHAL)
async def test_a_worker_without_the_guard_does_not(
    stack: Stack, fresh_settings: Settings, tmp_path: Path, mutation: str
) -> None:
    aftermath = await _rage(stack, fresh_settings, tmp_path, mutation)
    assert aftermath.differences != []
