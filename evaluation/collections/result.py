"""Results: systems that searched a collection, measured, and ours compared with each other one.

Fields were weighted by looking at the queries with odd numbers, so those with even numbers are
measured by themselves as well: what only fits the former does not show there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from evaluation import comparison, measures
from evaluation.collections.collection import JudgedCollection
from evaluation.comparison import Difference
from evaluation.measurement import Measurement, measured
from evaluation.qrels import Qrels
from evaluation.runs import of_rankings

MEASURES: Final = ("nDCG@10", "RR", "R@50", "Judged@10")
DEPTH: Final = 50  # results of a query that the measures look at
Rankings = Mapping[str, Sequence[str]]  # query -> documents, best first


@dataclass(frozen=True, kw_only=True)
class Part:
    """What systems are worth over some of the queries."""

    queries: int
    systems: Mapping[str, Mapping[str, float]]  # system -> measure -> value
    # Other system -> measure -> ours - other; empty where there are too few queries.
    differences: Mapping[str, Mapping[str, Difference]]


@dataclass(frozen=True, kw_only=True)
class CollectionResult:
    """What came of a collection."""

    collection: str
    documents: int
    seed: int  # of the tests
    ours: str  # the system that the others are compared with
    parts: Mapping[str, Part]  # all, odd and even; those that have queries

    def document(self) -> dict[str, Any]:
        """The result as JSON has it."""
        return asdict(self)


def result(
    collection: JudgedCollection,
    systems: Mapping[str, Rankings],
    *,
    ours: str,
    seed: int = comparison.DEFAULT_SEED,
) -> CollectionResult:
    """Measure systems over all judged queries, over the odd and over the even ones.

    `systems` has what each found for every query. A query that found nothing counts, as 0.
    """
    judged = collection.qrels.grades
    queries = {
        "all": [*judged],
        "odd": [query for query in judged if int(query) % 2],
        "even": [query for query in judged if not int(query) % 2],
    }
    return CollectionResult(
        collection=collection.name,
        documents=len(collection.documents),
        seed=seed,
        ours=ours,
        parts={
            name: _part(collection.qrels, chosen, systems, ours, seed)
            for name, chosen in queries.items()
            if chosen
        },
    )


def _part(
    qrels: Qrels, queries: Sequence[str], systems: Mapping[str, Rankings], ours: str, seed: int
) -> Part:
    asked = measures.parse(MEASURES)
    grades = Qrels(path=qrels.path, grades={query: qrels.grades[query] for query in queries})
    found = {
        name: measured(grades, of_rankings(name, rankings), asked, complete=True)
        for name, rankings in systems.items()
    }
    return Part(
        queries=len(queries),
        systems={name: one.measures for name, one in found.items()},
        differences={
            name: _differences(one, found[ours], seed)
            for name, one in found.items()
            if name != ours
        },
    )


def _differences(other: Measurement, ours: Measurement, seed: int) -> Mapping[str, Difference]:
    if len(other.queries) < 2:
        return {}
    return comparison.compared(other, ours, seed).differences
