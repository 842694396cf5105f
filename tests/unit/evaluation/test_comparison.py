import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from evaluation import measures
from evaluation.comparison import Comparison, Difference, check, compared
from evaluation.errors import ComparisonError
from evaluation.measurement import Counts, Measurement

COUNTS = Counts(
    queries=1, missing_queries=0, unjudged_queries=0, judgments=1, results=1, complete=False
)


def measurement(values: Sequence[float], first_query: int = 0) -> Measurement:
    return Measurement(
        asked=measures.parse(["AP"]),
        measures={"AP": 0.0},
        queries={f"q{place}": {"AP": value} for place, value in enumerate(values, first_query)},
        counts=COUNTS,
    )


def compare(first: Sequence[float], second: Sequence[float], seed: int = 1) -> Comparison:
    return compared(measurement(first), measurement(second), seed)


def ap(comparison: Comparison) -> Difference:
    return comparison.differences["AP"]


def test_few_queries_are_permuted_in_all_ways() -> None:
    first, second = [0.1, 0.4, 0.3, 0.2, 0.5], [0.3, 0.45, 0.2, 0.5, 0.9]
    differences = np.subtract(second, first)
    signs = np.array(list(itertools.product([1, -1], repeat=5)))
    as_far = np.abs(signs @ differences) >= abs(differences.sum()) - 1e-9
    found = ap(compare(first, second))
    assert found.p_permutation == pytest.approx(as_far.mean())
    assert found.first == pytest.approx(0.3)
    assert found.second == pytest.approx(0.47)
    assert found.difference == pytest.approx(0.17)


def test_the_bootstrap_agrees_with_the_normal_distribution_where_queries_are_many() -> None:
    values = np.random.default_rng(5).normal(0.02, 0.1, 200)
    found = ap(compare([0.0] * 200, values.tolist()))
    error = values.std() / np.sqrt(200)
    assert found.low == pytest.approx(values.mean() - 1.96 * error, abs=0.1 * error)
    assert found.high == pytest.approx(values.mean() + 1.96 * error, abs=0.1 * error)
    assert found.p_bootstrap == pytest.approx(found.p_permutation, abs=0.01)


def test_equal_runs_do_not_differ() -> None:
    found = ap(compare([0.1, 0.5, 0.7], [0.1, 0.5, 0.7]))
    assert (found.difference, found.low, found.high) == (0.0, 0.0, 0.0)
    assert (found.p_permutation, found.p_bootstrap) == (1.0, 1.0)


def test_no_p_value_is_zero() -> None:
    found = ap(compare([0.0] * 50, [1.0 - place / 1000 for place in range(50)]))
    assert found.p_permutation == pytest.approx(2 / 10_000)  # 1 of either side
    assert found.p_bootstrap == pytest.approx(1 / 10_000)


@pytest.mark.thorough
def test_chance_alone_alarms_as_often_as_it_should() -> None:
    source = np.random.default_rng(7)
    alarms = {"permutation": 0, "bootstrap": 0}
    for _ in range(60):
        first, second = source.uniform(size=(2, 30))
        found = ap(compare(first.tolist(), second.tolist()))
        alarms["permutation"] += found.p_permutation < 0.05
        alarms["bootstrap"] += found.p_bootstrap < 0.05
    # 3 are expected; more than 9 come about once in 1,000.
    assert all(1 <= count <= 9 for count in alarms.values()), alarms


def test_a_seed_gives_the_same_numbers_and_another_one_others() -> None:
    source = np.random.default_rng(3)
    first, second = source.uniform(size=(2, 40)).tolist()
    assert ap(compare(first, second)) == ap(compare(first, second))
    other = ap(compare(first, second, seed=2))
    assert other.p_bootstrap != ap(compare(first, second)).p_bootstrap
    assert other.p_bootstrap == pytest.approx(ap(compare(first, second)).p_bootstrap, abs=0.03)


def test_queries_that_count_in_one_run_only_are_left_out() -> None:
    found = compared(measurement([0.9, 0.1, 0.2]), measurement([0.3, 0.4, 0.9], first_query=1))
    assert found.queries == ["q1", "q2"]
    assert ap(found).difference == pytest.approx(0.2)


def test_one_query_cannot_be_compared() -> None:
    with pytest.raises(ComparisonError, match="only 1 queries count in both runs"):
        compare([0.1], [0.2])


def test_counts_are_not_compared() -> None:
    with pytest.raises(ComparisonError, match=r"NumRet is a count.*leave it out"):
        check(measures.parse(["AP", "NumRet"]))
