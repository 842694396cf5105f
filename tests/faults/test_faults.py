"""A short cut of the fault suite: faults of the product's own processes and connections.

The whole of it, with the services killed and paused, is `make faults`.
"""

import random
from pathlib import Path

import pytest

from core.settings import Settings
from stack.assembly import Stack
from tests.faults.happenings import HAPPENINGS
from tests.faults.schedules import schedules
from tests.faults.stage import set_up
from tests.faults.trial import Load, undergo

_LOAD = Load().scaled(0.1)
_SEED = 1
_SECONDS = 4.0  # longer than a search waits for the engine, or nobody would notice
_SHORT = (
    "wire to the broker: half closed",
    "wire to the engine: nothing arrives",
    "snapshot file truncated",
)


@pytest.mark.timeout(200)
async def test_faults_are_survived(stack: Stack, settings: Settings, tmp_path: Path) -> None:
    chance = random.Random(_SEED)
    async with set_up(stack, settings, tmp_path, chance) as stage:
        for name in _SHORT:
            verdict = await undergo(
                stage, HAPPENINGS[name], seconds=_SECONDS, load=_LOAD, chance=chance
            )
            assert verdict.complaints == []
            assert verdict.fates["answered"] > 0
            assert verdict.compared > len(stage.beacons.lit)
            if "engine" in name:
                assert verdict.failed, "a fault that nobody notices was none"


def test_a_seed_says_which_faults_happen() -> None:
    happenings = list(HAPPENINGS.values())
    drawn, again, other = (
        schedules(happenings, seed=seed, length=len(happenings)) for seed in (1, 1, 2)
    )
    first = next(drawn)
    assert first == next(again)
    assert first != next(other)
    assert {step.happening.name for step in first} == HAPPENINGS.keys()
