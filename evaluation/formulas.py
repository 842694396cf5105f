"""Measures that trec_eval's code does not have here, of one query's ranking and grades.

ERR is that of TREC's web track (gdeval); the tool itself takes numbers as ids of queries only.
IPrec is that of trec_eval since version 10, which rounds recall to the nearest document; the
library has the code of version 9, where the platform decided.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from evaluation.runs import ranked

Grades = Mapping[str, int]  # document -> grade
_USUAL_HIGHEST_GRADE: Final = 4


@dataclass(frozen=True, kw_only=True)
class Scale:
    """What grades mean, in a whole file of judgments."""

    highest: int = _USUAL_HIGHEST_GRADE

    @classmethod
    def of(cls, grades: Mapping[str, Grades]) -> "Scale":
        """From 0 to 4, as in the web track, or to the highest grade that was given."""
        found = max(max(one.values()) for one in grades.values())
        return cls(highest=max(_USUAL_HIGHEST_GRADE, found))

    def satisfies(self, grade: int) -> float:
        """How likely a document of that grade ends the search: from 0 to below 1."""
        return 2.0 ** (grade - self.highest) - 2.0**-self.highest if grade > 0 else 0.0


def expected_reciprocal_rank(ranking: Sequence[str], grades: Grades, scale: Scale) -> float:
    """Mean of 1 / the rank at which a reader is satisfied (Chapelle et al., CIKM 2009)."""
    total, still_reading = 0.0, 1.0
    for rank, doc in enumerate(ranking, start=1):
        satisfied = scale.satisfies(grades.get(doc, 0))
        total += still_reading * satisfied / rank
        still_reading *= 1.0 - satisfied
    return total


def reciprocal_rank(ranking: Sequence[str], grades: Grades, least: int) -> float:
    """1 / the rank of the first document with at least that grade; 0 without one."""
    ranks = (rank for rank, doc in enumerate(ranking, start=1) if grades.get(doc, 0) >= least)
    return 1.0 / next(ranks, float("inf"))


def interpolated_precision(
    ranking: Sequence[str], grades: Grades, recall: float, least: int
) -> float:
    """Highest precision at any rank from the one on that reaches the recall; 0 if none does."""
    relevant = {doc for doc, grade in grades.items() if grade >= least}
    wanted = math.floor(recall * len(relevant) + 0.5)
    ranks = [rank for rank, doc in enumerate(ranking, start=1) if doc in relevant]
    if wanted > len(ranks):
        return 0.0
    precisions = (found / rank for found, rank in enumerate(ranks, start=1) if found >= wanted)
    return max(precisions, default=0.0)


def judged(ranking: Sequence[str], grades: Grades) -> float:
    """Share of the documents that have a judgment; 0 of none."""
    return sum(doc in grades for doc in ranking) / len(ranking) if ranking else 0.0


def _ranking(measure: Any, scores: Mapping[str, float], grades: Grades) -> list[str]:
    if measure.params.get("judged_only", False):
        scores = {doc: score for doc, score in scores.items() if doc in grades}
    return ranked(scores, measure.params.get("cutoff"))


_FORMULAS: Final[Mapping[str, Callable[[Any, Sequence[str], Grades, Scale], float]]] = {
    "ERR": lambda _, ranking, grades, scale: expected_reciprocal_rank(ranking, grades, scale),
    "IPrec": lambda measure, ranking, grades, _: interpolated_precision(
        ranking, grades, measure["recall"], measure["rel"]
    ),
    "Judged": lambda _, ranking, grades, __: judged(ranking, grades),
    "RR": lambda measure, ranking, grades, _: reciprocal_rank(ranking, grades, measure["rel"]),
}
NAMES: Final = frozenset(_FORMULAS)
#: Those that are calculated here although the library has them.
INSTEAD: Final = frozenset({"IPrec"})


def value(measure: Any, scores: Mapping[str, float], grades: Grades, scale: Scale) -> float:
    """A measure of ours (one of NAMES), with its cutoff and other parameters, of a query."""
    return _FORMULAS[measure.NAME](measure, _ranking(measure, scores, grades), grades, scale)
