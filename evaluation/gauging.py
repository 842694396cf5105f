"""Gauging: how good rankings are that were just made, and whether others were better before.

The same measures as of files, with what a decision needs besides: how sure the value is, and how
much of what was found nobody has judged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evaluation import measures
from evaluation.measurement import Measurement, measured
from evaluation.qrels import Qrels
from evaluation.runs import Run

Grades = Mapping[str, Mapping[str, int]]  # query -> document -> grade
Rankings = Mapping[str, Sequence[str]]  # query -> documents, best first

SAMPLES: Final = 2_000  # of the bootstrap
_CONFIDENCE: Final = 0.95
_DEPTH: Final = 10  # results of a query that are asked for being judged
_HERE: Final = "<rankings>"


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean over queries, and its 95 % confidence interval by the bootstrap's percentiles."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Gauge:
    """What a measure says of rankings."""

    measure: str
    queries: int
    value: Interval
    unjudged: float  # share, 0 to 1, of the first ten hits that nobody has judged
    difference: Interval | None  # value - value before; None: there was nothing before


def gauged(
    grades: Grades, rankings: Rankings, before: Rankings | None, name: str, *, seed: int
) -> Gauge:
    """Gauge rankings, by one measure. A query without hits counts as one that found nothing.

    The same seed gives the same interval. Raises `MeasureError`, and `ValueError` without grades.
    """
    if not grades:
        raise ValueError("no query has judgments: there is nothing to gauge")
    asked = measures.parse([name])
    now = _values(grades, rankings, asked)
    then = None if before is None else _values(grades, before, asked)
    hits = [(query, hit) for query in grades for hit in rankings.get(query, ())[:_DEPTH]]
    unjudged = sum(hit not in grades[query] for query, hit in hits)
    return Gauge(
        measure=str(asked[0]),
        queries=len(grades),
        value=interval(now, seed=seed),
        unjudged=unjudged / len(hits) if hits else 0.0,
        difference=None if then is None else interval(now - then, seed=seed),
    )


def interval(values: NDArray[np.float64], *, seed: int) -> Interval:
    """The mean of values, one or more, and how sure it is."""
    draws = np.random.default_rng(seed).integers(len(values), size=(SAMPLES, len(values)))
    low, high = np.quantile(
        values[draws].mean(axis=1), [(1 - _CONFIDENCE) / 2, (1 + _CONFIDENCE) / 2]
    )
    return Interval(mean=float(values.mean()), low=float(low), high=float(high))


def _values(
    grades: Grades, rankings: Rankings, asked: Sequence[measures.Measure]
) -> NDArray[np.float64]:
    """The value of each query, in the order of the grades."""
    scores = {query: _scores(rankings.get(query, ())) for query in grades}
    found: Measurement = measured(
        Qrels(path=_HERE, grades=grades), Run(path=_HERE, scores=scores), asked, complete=True
    )
    name = str(asked[0])
    return np.array([found.queries[query].get(name, 0.0) for query in grades])


def _scores(ranking: Sequence[str]) -> dict[str, float]:
    """Scores that give this order."""
    return {document: float(len(ranking) - place) for place, document in enumerate(ranking)}
