"""The product's analysis finds in simulated sessions what is known to be there."""

import numpy as np
import pytest

from benchmarks import experiments, simulated_users


@pytest.mark.thorough
def test_interleaving_finds_the_better_variant_with_a_tenth_of_the_sessions() -> None:
    world, rng = simulated_users.world(0), np.random.default_rng([0, 1])
    by_ab, ab = experiments.sessions_of_ab(world, rng)
    by_interleaving, interleaving = experiments.sessions_of_interleaving(world, rng)
    assert ab is not None
    assert interleaving is not None
    assert ab.difference > 0
    assert interleaving.difference > 0
    assert by_interleaving <= by_ab / 10


@pytest.mark.thorough
def test_where_nothing_differs_hardly_anything_is_found() -> None:
    found = experiments.false_alarms(simulated_users.world(2), runs=10, seed=2)
    assert set(found) == {
        "ab_false_alarms",
        "interleaving_false_alarms",
        "sample_ratio_false_alarms",
    }
    assert max(found.values()) <= 0.1
