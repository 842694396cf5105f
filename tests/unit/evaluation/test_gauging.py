"""Rankings that were just made are measured, with how sure the values are."""

import numpy as np
import pytest

from evaluation.errors import MeasureError
from evaluation.gauging import gauged, interval

GRADES = {str(number): {"a": 1} for number in range(40)}


def test_a_query_that_found_nothing_counts() -> None:
    rankings = {query: ["a"] if int(query) < 20 else [] for query in GRADES}
    gauge = gauged(GRADES, rankings, None, "RR@10", seed=1)
    assert gauge.value.mean == 0.5
    assert 0.3 < gauge.value.low < 0.5 < gauge.value.high < 0.7
    assert gauge.difference is None


def test_the_difference_is_paired() -> None:
    before = {query: ["b", "a"] for query in GRADES}
    gauge = gauged(GRADES, {query: ["a", "b"] for query in GRADES}, before, "RR@10", seed=1)
    assert gauge.difference is not None
    assert (gauge.difference.low, gauge.difference.mean, gauge.difference.high) == (0.5, 0.5, 0.5)


def test_unjudged_hits_are_a_share_of_the_first_ten() -> None:
    rankings = {query: ["a", *(f"x{n}" for n in range(20))] for query in GRADES}
    assert gauged(GRADES, rankings, None, "nDCG@10", seed=1).unjudged == pytest.approx(0.9)


def test_what_cannot_be_measured_is_an_error() -> None:
    with pytest.raises(MeasureError):
        gauged(GRADES, {}, None, "goodness", seed=1)
    with pytest.raises(ValueError, match="nothing to gauge"):
        gauged({}, {}, None, "RR@10", seed=1)


@pytest.mark.thorough
def test_the_interval_holds_the_mean_in_nineteen_of_twenty_samples() -> None:
    chance = np.random.default_rng(7)
    found = [interval(chance.normal(3.0, 1.0, 60), seed=1) for _ in range(400)]
    held = sum(one.low <= 3.0 <= one.high for one in found)
    assert 0.90 < held / len(found) < 0.98
