"""Agreement: do raters say the same of the same? Krippendorff's alpha.

K. Krippendorff, Computing Krippendorff's alpha-reliability (2011). It takes any number of raters,
and that each judges only a part. 1 is perfect, 0 is what chance brings about, below 0 is worse.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from evaluation.judgments import Judgment

Distance = Callable[[int, int], float]


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """How far raters agree."""

    raters: int
    items: int  # pairs of query and entity that two or more raters judged
    alpha: float | None  # Krippendorff's, ordinal: near grades differ less. None: not defined
    equal: float | None  # share of the pairs of judgments of one item that are equal, 0 to 1
    pairs: Mapping[str, float | None]  # alpha of each pair of raters, as `ana, bo`


def agreement(judgments: Iterable[Judgment]) -> Agreement:
    """How far the raters of a set agree."""
    by_item: dict[tuple[object, ...], dict[str, int]] = {}
    for one in judgments:
        by_item.setdefault((one.query, one.entity), {})[one.rater] = one.grade
    raters = sorted({rater for item in by_item.values() for rater in item})
    shared = [item for item in by_item.values() if len(item) > 1]
    units = [list(item.values()) for item in shared]
    return Agreement(
        raters=len(raters),
        items=len(shared),
        alpha=alpha(units),
        equal=_equal(units),
        pairs={
            f"{one}, {other}": alpha(both)
            for one, other in combinations(raters, 2)
            if (both := [[i[one], i[other]] for i in shared if one in i and other in i])
        },
    )


def alpha(units: Iterable[Sequence[int]], metric: str = "ordinal") -> float | None:
    """Krippendorff's alpha of units, each with the values that raters gave it.

    A unit with a single value says nothing. None where no two values could differ: there are none,
    or all are the same. `metric` is `nominal`, `ordinal` or `interval`.
    """
    pairable = [unit for unit in units if len(unit) > 1]
    totals = Counter(value for unit in pairable for value in unit)
    count = sum(totals.values())
    distance = _METRICS[metric](totals)
    expected = _within(totals, distance) / (count - 1) if count else 0.0
    if expected == 0:
        return None
    observed = sum(_within(Counter(unit), distance) / (len(unit) - 1) for unit in pairable)
    return 1.0 - observed / expected


def _within(values: Mapping[int, int], distance: Distance) -> float:
    """The sum of the distances of all pairs of values."""
    pairs = combinations(values.items(), 2)
    return sum(2 * n * m * distance(one, other) for (one, n), (other, m) in pairs)


def _ordinal(totals: Mapping[int, int]) -> Distance:
    """Grades are as far apart as the judgments that lie between them are many."""
    below: dict[int, float] = {}
    reached = 0
    for value in sorted(totals):
        below[value] = reached + totals[value] / 2
        reached += totals[value]
    return lambda one, other: (below[one] - below[other]) ** 2


_METRICS: Final[Mapping[str, Callable[[Mapping[int, int]], Distance]]] = {
    "nominal": lambda _: lambda one, other: float(one != other),
    "ordinal": _ordinal,
    "interval": lambda _: lambda one, other: float(one - other) ** 2,
}


def _equal(units: Iterable[Sequence[int]]) -> float | None:
    pairs = [one == other for unit in units for one, other in combinations(unit, 2)]
    return sum(pairs) / len(pairs) if pairs else None
