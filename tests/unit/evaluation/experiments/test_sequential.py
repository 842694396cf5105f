"""The tests decide where something differs, and hardly ever where nothing does."""

import numpy as np
import pytest

from evaluation.experiments import sequential
from evaluation.experiments.sequential import FEWEST, Sequential


def test_a_difference_is_found_and_its_direction() -> None:
    rng = np.random.default_rng(1)
    low, high = rng.random(4_000), rng.random(4_000) + 0.1
    for first, second, sign in ((low, high, 1), (high, low, -1)):
        found = sequential.two_arms(first, second)
        assert found is not None
        assert found.decided
        assert np.sign(found.difference) == sign
        assert found.low < found.difference < found.high
        assert (found.low > 0) == (sign > 0)
        assert (found.high < 0) == (sign < 0)


def test_an_arm_against_nothing_is_the_same_test() -> None:
    rng = np.random.default_rng(2)
    found = sequential.one_arm(rng.normal(0.2, 1, 2_000))
    assert found is not None
    assert found.decided
    assert found.low < 0.2 < found.high


def looks(rng: np.random.Generator) -> list[Sequential | None]:
    """What somebody sees who looks fifty times at arms that are alike."""
    first, second = rng.random(10_000) < 0.3, rng.random(10_000) < 0.3
    return [
        sequential.two_arms(first[:count].astype(float), second[:count].astype(float))
        for count in range(200, 10_001, 200)
    ]


@pytest.mark.thorough
def test_looking_again_and_again_finds_nothing_where_nothing_is() -> None:
    rng = np.random.default_rng(3)
    runs = [looks(rng) for _ in range(200)]
    alarms = sum(any(look and look.decided for look in run) for run in runs)
    assert alarms <= 0.05 * len(runs)


@pytest.mark.thorough
def test_the_interval_holds_at_every_look() -> None:
    rng = np.random.default_rng(4)
    missed = sum(
        any(look is not None and not look.low <= 0 <= look.high for look in looks(rng))
        for _ in range(100)
    )
    assert missed <= 5


def test_too_few_or_all_alike_decide_nothing() -> None:
    few = np.zeros(FEWEST - 1)
    assert sequential.two_arms(few, np.ones(10_000)) is None
    assert sequential.one_arm(few) is None
    alike = sequential.two_arms(np.zeros(1_000), np.zeros(1_000))
    assert alike is not None
    assert (alike.p, alike.decided) == (1, False)


def test_a_large_difference_does_not_overflow() -> None:
    rng = np.random.default_rng(5)
    found = sequential.two_arms(rng.normal(0, 1e-3, 10**6), rng.normal(1, 1e-3, 10**6))
    assert found is not None
    assert 0 <= found.p < 1e-100


@pytest.mark.parametrize(
    ("observed", "holds"),
    [
        ({"live": 9_030, "wide": 970}, True),
        ({"live": 8_600, "wide": 1_400}, False),
        ({"live": 10_000}, False),
        ({}, True),
    ],
)
def test_the_sample_ratio_is_held_against_the_shares(observed: dict[str, int], holds: bool) -> None:
    ratio = sequential.sample_ratio(observed, {"live": 0.9, "wide": 0.1})
    assert ratio.holds == holds
    assert set(ratio.observed) == {"live", "wide"}


def test_the_p_of_a_sample_ratio_is_that_of_the_chi_square_test() -> None:
    ratio = sequential.sample_ratio({"a": 60, "b": 40}, {"a": 0.5, "b": 0.5})
    assert ratio.p == pytest.approx(0.0455, abs=1e-4)
