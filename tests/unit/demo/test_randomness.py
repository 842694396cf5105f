import numpy as np
import pytest

from demo.randomness import Randomness, amounts, choices, ranks


def test_streams_are_repeatable_and_differ_by_name_and_part() -> None:
    one, again = Randomness(seed=3), Randomness(seed=3)
    assert one.numbers("a").random() == again.numbers("a").random()
    assert one.words("a").random() == again.words("a").random()
    drawn = {
        Randomness(seed=seed).numbers(name, part).random()
        for seed in (3, 4)
        for name in ("a", "b")
        for part in (0, 1)
    }
    assert len(drawn) == 8


def test_amounts_have_their_mean_and_a_long_tail() -> None:
    drawn = amounts(np.random.default_rng(1), 100_000, mean=8)
    assert drawn.mean() == pytest.approx(8, rel=0.05)
    assert np.median(drawn) < 5
    assert drawn.max() > 100
    assert drawn.min() >= 0


def test_amounts_stop_at_the_most() -> None:
    assert amounts(np.random.default_rng(1), 10_000, mean=50, most=60).max() == 60


def test_ranks_stay_in_bounds_and_prefer_the_first() -> None:
    sizes = np.full(100_000, 1_000)
    drawn = ranks(np.random.default_rng(1), sizes, exponent=3.0)
    counts = np.bincount(drawn, minlength=1_000)
    assert len(counts) == 1_000
    # The share up to rank r is (r / size) ** (1 / exponent).
    assert counts[:8].sum() / len(sizes) == pytest.approx(0.2, abs=0.01)
    assert counts[:125].sum() / len(sizes) == pytest.approx(0.5, abs=0.01)


def test_choices_follow_the_weights() -> None:
    drawn = choices(np.random.default_rng(1), np.array([1.0, 0.0, 3.0]), 100_000)
    assert np.bincount(drawn) / 100_000 == pytest.approx([0.25, 0.0, 0.75], abs=0.01)
