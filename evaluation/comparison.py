"""Is one run better than another, or was it luck with the queries? Paired tests of their measures.

Both tests look at the differences of each query. They are those that Smucker, Allan and Carterette
recommend (A comparison of statistical significance tests for information retrieval evaluation,
CIKM 2007).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evaluation.errors import ComparisonError
from evaluation.measurement import Measurement
from evaluation.measures import Measure, is_count

SAMPLES: Final = 9_999  # of each test
DEFAULT_SEED: Final = 1
_CONFIDENCE: Final = 0.95
_NUMBERS_A_BATCH: Final = 4_000_000  # so that memory does not grow with the queries
_ROUNDING: Final = 1e-12  # differences that are this close are equal

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Difference:
    """What a measure says of two runs, over the queries that both have."""

    first: float
    second: float
    difference: float  # second - first, as the mean of the queries
    low: float  # the 95 % confidence interval of the difference, by the bootstrap's percentiles
    high: float
    p_permutation: float  # two-sided: signs exchanged; exact where there are few queries
    p_bootstrap: float  # two-sided: queries drawn with replacement, moved to a mean of 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Comparison:
    """Two runs, by the same judgments."""

    first: Measurement
    second: Measurement
    queries: Sequence[str]  # that count in both, in the order of the judgments
    differences: dict[str, Difference]  # measure -> difference
    seed: int


def check(asked: Sequence[Measure]) -> None:
    """Refuse measures that say nothing about which run is better.

    Raises:
        ComparisonError: one is a count.
    """
    for measure in asked:
        if is_count(measure):
            raise ComparisonError(f"{measure} is a count, and no mean; leave it out to compare")


def compared(first: Measurement, second: Measurement, seed: int = DEFAULT_SEED) -> Comparison:
    """Compare two runs that were measured by the same judgments and measures.

    The same seed gives the same numbers, whichever measures are compared besides.

    Raises:
        ComparisonError: fewer than two queries count in both runs.
    """
    queries = [query for query in first.queries if query in second.queries]
    if len(queries) < 2:
        raise ComparisonError(
            f"only {len(queries)} queries count in both runs, and two are the least that can be "
            "compared; judge more queries, or use --complete if the runs left some out"
        )
    differences = {
        name: _difference(_values(first, name, queries), _values(second, name, queries), seed)
        for name in map(str, first.asked)
    }
    return Comparison(
        first=first, second=second, queries=queries, differences=differences, seed=seed
    )


def _values(measurement: Measurement, name: str, queries: Sequence[str]) -> Floats:
    return np.array([measurement.queries[query][name] for query in queries])


def _difference(first: Floats, second: Floats, seed: int) -> Difference:
    differences = second - first
    mean = float(differences.mean())
    means = _bootstrapped_means(differences, seed)
    low, high = np.quantile(means, [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2])
    as_far = np.abs(means - mean) >= abs(mean) - _ROUNDING
    return Difference(
        first=float(first.mean()),
        second=float(second.mean()),
        difference=mean,
        low=float(low),
        high=float(high),
        p_permutation=_permutation(differences, seed),
        p_bootstrap=float((1 + as_far.sum()) / (1 + SAMPLES)),
    )


def _bootstrapped_means(differences: Floats, seed: int) -> Floats:
    from scipy import stats  # noqa: PLC0415 - takes longer to load than most runs to measure

    found = stats.bootstrap(
        (differences,),
        np.mean,
        n_resamples=SAMPLES,
        batch=_batch(differences),
        method="percentile",
        rng=np.random.default_rng(seed),
    )
    means: Floats = found.bootstrap_distribution
    return means


def _permutation(differences: Floats, seed: int) -> float:
    from scipy import stats  # noqa: PLC0415

    found = stats.permutation_test(
        (differences,),
        np.mean,
        permutation_type="samples",
        n_resamples=SAMPLES,
        batch=_batch(differences),
        rng=np.random.default_rng(seed),
    )
    return float(found.pvalue)


def _batch(differences: Floats) -> int:
    return max(1, _NUMBERS_A_BATCH // len(differences))
