"""Tests that may be looked at whenever one likes, and a check that the units were shared out right.

The test is the mixture sequential probability ratio test, with a normal mixture of effects (Johari,
Koomen, Pekelis and Walsh, Peeking at A/B tests, KDD 2017; Always valid inference, Operations
Research 70(3), 2022): of two variants that are alike it errs in at most 5 % of experiments,
however often it was looked at until then. It is exact for normal means of known variance; here
means are of many units, and their variance is estimated.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

LEVEL: Final = 0.05
#: Units of an arm below which nothing is decided: their means are not normal yet.
FEWEST: Final = 100
#: Of sample ratios: small, for it is looked at often, and what is wrong shows soon.
RATIO_LEVEL: Final = 0.0005
# The size of effects that the test is best at, in standard deviations of a unit.
_EFFECT: Final = 0.1


@dataclass(frozen=True, kw_only=True)
class Sequential:
    """What a test says at this moment; it may be looked at again at the next."""

    difference: float  # of the means, second - first
    low: float  # of a confidence sequence: at all moments together it holds in 95 % of experiments
    high: float
    p: float  # always valid: below 0.05 the difference is no chance

    @property
    def decided(self) -> bool:
        """Whether the experiment can end."""
        return self.p <= LEVEL


@dataclass(frozen=True, kw_only=True)
class SampleRatio:
    """Whether as many units are in each arm as should be."""

    expected: Mapping[str, float]
    observed: Mapping[str, int]
    p: float  # of a chi-square test

    @property
    def holds(self) -> bool:
        """Whether what is measured can be trusted."""
        return self.p > RATIO_LEVEL


def two_arms(first: Floats, second: Floats) -> Sequential | None:
    """Test the means of two arms, a value a unit; None: there are too few units yet."""
    if min(len(first), len(second)) < FEWEST:
        return None
    variances = float(first.var(ddof=1)), float(second.var(ddof=1))
    difference = float(second.mean() - first.mean())
    variance = variances[0] / len(first) + variances[1] / len(second)
    return _sequential(difference, variance, spread=sum(variances) / 2)


def one_arm(values: Floats) -> Sequential | None:
    """Test whether a mean is 0, a value a unit; None: there are too few units yet."""
    if len(values) < FEWEST:
        return None
    spread = float(values.var(ddof=1))
    return _sequential(float(values.mean()), spread / len(values), spread=spread)


def sample_ratio(observed: Mapping[str, int], shares: Mapping[str, float]) -> SampleRatio:
    """Hold the units of each arm against its share; shares sum to 1."""
    from scipy import stats  # noqa: PLC0415 - takes longer to load than all else

    total = sum(observed.values())
    expected = {arm: total * share for arm, share in shares.items()}
    seen = {arm: observed.get(arm, 0) for arm in shares}
    statistic = sum((seen[arm] - one) ** 2 / one for arm, one in expected.items() if one)
    p = float(stats.chi2.sf(statistic, df=len(shares) - 1)) if total and len(shares) > 1 else 1.0
    return SampleRatio(expected=expected, observed=seen, p=p)


def _sequential(difference: float, variance: float, *, spread: float) -> Sequential:
    if variance <= 0:  # all units are alike: nothing can be said
        return Sequential(difference=difference, low=difference, high=difference, p=1.0)
    mixture = _EFFECT**2 * spread
    both = variance + mixture
    ratio = np.sqrt(variance / both) * np.exp(
        min(mixture * difference**2 / (2 * variance * both), 700.0)
    )
    width = float(np.sqrt(2 * variance * both / mixture * np.log(np.sqrt(both / variance) / LEVEL)))
    return Sequential(
        difference=difference,
        low=difference - width,
        high=difference + width,
        p=float(min(1.0, 1 / ratio)),
    )
