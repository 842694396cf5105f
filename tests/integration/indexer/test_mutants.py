"""The convergence test can fail: with any guard of the version rule switched off, it does.

Shorter storms than that test's, each hostile to some guards, over workers that lack one guard
(`mutant_worker.py`). Workers that lack none survive every one of them.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from core.settings import Settings
from stack.assembly import Stack
from tests.integration.indexer.storm import Aftermath, rage
from tests.integration.indexer.storm_profiles import (
    FAMILIES_CROSS,
    RIVALS_RACE,
    ROWS_VANISH,
    SERVICES_FAIL,
    Profile,
)

PROFILES = {
    "rivals_race": RIVALS_RACE,
    "families_cross": FAMILIES_CROSS,
    "rows_vanish": ROWS_VANISH,
    "services_fail": SERVICES_FAIL,
}
# What each mutant is made of stands in `mutant_worker.py`.
LETHAL: Mapping[str, str] = {
    "no_fence": "services_fail",
    "no_version": "rivals_race",
    "newest_version": "rivals_race",
    "ignore_missing_rows": "rows_vanish",
    "no_cascade": "families_cross",
    "early_stamps": "families_cross",
    "trust_conflicts": "families_cross",
    "trust_foreign_times": "families_cross",
    "trust_memory": "families_cross",
    "repeat_old_hydration": "rows_vanish",
    "acknowledge_first": "services_fail",
    "acknowledge_up_to": "services_fail",
    "ignore_pushback": "services_fail",
}

pytestmark = pytest.mark.timeout(300)


async def _rage(
    stack: Stack, settings: Settings, folder: Path, profile: Profile, mutation: str
) -> Aftermath:
    aftermath = await rage(stack, settings, folder, profile.against(mutation))
    print(f"{mutation}: {aftermath}")  # noqa: T201 - shown when the test fails
    return aftermath


@pytest.mark.parametrize("profile", PROFILES)
async def test_a_worker_with_all_guards_survives(
    stack: Stack, fresh_settings: Settings, tmp_path: Path, profile: str
) -> None:
    aftermath = await _rage(stack, fresh_settings, tmp_path, PROFILES[profile], "none")
    assert aftermath.differences == []
    assert aftermath.ahead == []
    assert aftermath.dead_letters == []


@pytest.mark.parametrize(("mutation", "profile"), LETHAL.items())
async def test_a_worker_without_one_guard_does_not(
    stack: Stack, fresh_settings: Settings, tmp_path: Path, mutation: str, profile: str
) -> None:
    aftermath = await _rage(stack, fresh_settings, tmp_path, PROFILES[profile], mutation)
    assert aftermath.differences != []


async def test_a_worker_that_believes_every_clock_leaves_versions_of_the_future(
    stack: Stack, fresh_settings: Settings, tmp_path: Path
) -> None:
    aftermath = await _rage(stack, fresh_settings, tmp_path, RIVALS_RACE, "no_clamp")
    assert aftermath.ahead != []
