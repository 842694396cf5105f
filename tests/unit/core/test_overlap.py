"""Rank-biased overlap: against the paper's definition, and in what it says of rankings."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.overlap import rank_biased_overlap

RANKINGS = st.lists(st.integers(0, 30), unique=True, max_size=20)
PERSISTENCE = st.floats(0.1, 0.95)


def by_definition(one: list[int], other: list[int], p: float) -> float:
    """Equation 32 of the paper, term by term."""
    short, long = sorted((one, other), key=len)
    s, l = len(short), len(long)  # noqa: E741 - as the paper names them

    def x(depth: int) -> int:
        return len(set(short[:depth]) & set(long[:depth]))

    seen = sum(x(d) / d * p**d for d in range(1, l + 1))
    beyond = sum(x(s) * (d - s) / (s * d) * p**d for d in range(s + 1, l + 1))
    return (1 - p) / p * (seen + beyond) + ((x(l) - x(s)) / l + x(s) / s) * p**l


@given(RANKINGS.filter(bool), RANKINGS.filter(bool), PERSISTENCE)
def test_it_is_what_the_paper_defines(one: list[int], other: list[int], p: float) -> None:
    expected = by_definition(one, other, p)
    assert rank_biased_overlap(one, other, persistence=p) == pytest.approx(expected, abs=1e-9)


@given(RANKINGS, RANKINGS, PERSISTENCE)
def test_it_does_not_matter_which_is_first(one: list[int], other: list[int], p: float) -> None:
    found = rank_biased_overlap(one, other, persistence=p)
    assert 0 <= found <= 1
    assert math.isclose(found, rank_biased_overlap(other, one, persistence=p), abs_tol=1e-12)


@given(RANKINGS)
def test_equal_rankings_are_alike_and_disjoint_ones_are_not(ranking: list[int]) -> None:
    assert rank_biased_overlap(ranking, ranking) == pytest.approx(1)
    strangers = [item + 100 for item in ranking]
    assert rank_biased_overlap(ranking, strangers) == (0 if ranking else 1)


def test_an_empty_ranking_is_like_no_other() -> None:
    assert rank_biased_overlap([], [1]) == 0
    assert rank_biased_overlap([], []) == 1


def test_a_change_at_the_top_weighs_more_than_one_below() -> None:
    ranking = list(range(10))
    top = [1, 0, *ranking[2:]]
    bottom = [*ranking[:8], 9, 8]
    assert rank_biased_overlap(ranking, top) < rank_biased_overlap(ranking, bottom) < 1


@pytest.mark.parametrize("persistence", [0, 1, -0.1, 1.1])
def test_a_persistence_that_means_nothing_is_refused(persistence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        rank_biased_overlap([1], [1], persistence=persistence)
