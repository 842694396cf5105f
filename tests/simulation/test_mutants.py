"""A simulation that cannot fail proves nothing: without any one guard it must find a schedule."""

import pytest
from hypothesis import HealthCheck, Phase, find, settings
from hypothesis import strategies as st

from tests.simulation.hunt import SCHEDULE_BYTES, failure, hunt
from tests.simulation.mutants import MUTANTS, Mutant, NoCascade, NoFence
from tests.simulation.tally import TALLY

LIMIT = 60_000


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_missing_guard_is_found(mutant: type[Mutant]) -> None:
    prey = hunt(mutant, limit=LIMIT)
    assert prey is not None, f"{mutant.__doc__} No schedule of {LIMIT} shows what that does."
    TALLY.add(f"without a guard, {mutant.__name__}", schedules=prey.schedules, steps=prey.steps)


@pytest.mark.parametrize("mutant", [NoFence, NoCascade])
def test_a_counterexample_is_short_enough_to_read(mutant: type[Mutant]) -> None:
    schedule = find(
        st.binary(min_size=SCHEDULE_BYTES, max_size=SCHEDULE_BYTES),
        lambda schedule: failure(mutant, schedule) is not None,
        settings=settings(
            max_examples=1_000,
            deadline=None,
            database=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        ),
    )
    prey = failure(mutant, schedule)
    assert prey is not None
    assert prey.story.count("\n") < 25, prey.story
