"""Measuring a run against judgments, as trec_eval does."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

import ir_measures

from evaluation import formulas, measures
from evaluation.errors import NothingInCommonError
from evaluation.formulas import Scale
from evaluation.lines import name_of
from evaluation.measures import Measure
from evaluation.qrels import Qrels
from evaluation.runs import Run

_NO_DOCUMENT: Final = ""  # an id that no file can have

Values = Mapping[str, float]  # measure -> value


@dataclass(frozen=True, kw_only=True)
class Counts:
    """What the values were calculated of."""

    queries: int  # that count: the values are means over them
    missing_queries: int  # with judgments, but without results
    unjudged_queries: int  # with results, but without judgments: never counted
    judgments: int  # in the file
    results: int  # in the file
    complete: bool  # whether missing queries count, as 0


@dataclass(frozen=True, kw_only=True, eq=False)
class Measurement:
    """How good a run is."""

    asked: Sequence[Measure]
    measures: Values  # over all queries that count
    queries: Mapping[str, Values]  # by query, in the order of the judgments
    counts: Counts


def measured(
    qrels: Qrels, run: Run, asked: Sequence[Measure], *, complete: bool = False
) -> Measurement:
    """Measure a run.

    Args:
        qrels: The judgments.
        run: What is measured.
        asked: The measures.
        complete: Whether queries that have judgments, but no results in the run, count as if
            nothing had been found (`trec_eval -c`); else they do not count.

    Raises:
        NothingInCommonError: no query of the run has judgments.
    """
    common = [query for query in qrels.grades if query in run.scores]
    if not common:
        raise NothingInCommonError(_nothing_in_common(qrels, run))
    counted = list(qrels.grades) if complete else common
    grades = {query: qrels.grades[query] for query in counted}
    scores = {query: run.scores.get(query, {}) for query in counted}
    queries: dict[str, dict[str, float]] = {query: {} for query in counted}
    values = _by_measure(grades, scores, asked, Scale.of(qrels.grades))
    for measure in asked:
        for query, value in values[measure].items():
            queries[query][str(measure)] = value
    return Measurement(
        asked=asked,
        measures={str(measure): total(measure, values[measure].values()) for measure in asked},
        queries=queries,
        counts=Counts(
            queries=len(counted),
            missing_queries=len(qrels.grades) - len(common),
            unjudged_queries=len(run.scores) - len(common),
            judgments=qrels.judgments,
            results=run.results,
            complete=complete,
        ),
    )


def total(measure: Measure, values: Any) -> float:
    """The value over several queries: their mean, or the sum of what is counted."""
    aggregator = measure.aggregator()
    for value in values:
        aggregator.add(value)
    return float(aggregator.result())


def _nothing_in_common(qrels: Qrels, run: Run) -> str:
    wanted, found = next(iter(qrels.grades)), next(iter(run.scores))
    return (
        f"no query of {name_of(run.path)} (such as {found!r}) has judgments in "
        f"{name_of(qrels.path)} (such as {wanted!r}); give files with the same ids of queries"
    )


_Grades = Mapping[str, Mapping[str, int]]
_Scores = Mapping[str, Mapping[str, float]]


def _by_measure(
    grades: _Grades, scores: _Scores, asked: Sequence[Measure], scale: Scale
) -> dict[Measure, dict[str, float]]:
    values: dict[Measure, dict[str, float]] = {measure: {} for measure in asked}
    for metric in _by_trec_eval(grades, scores, filter(measures.by_trec_eval, asked)):
        values[metric.measure][metric.query_id] = metric.value
    for measure in asked:
        if not measures.by_trec_eval(measure):
            for query, docs in scores.items():
                values[measure][query] = formulas.value(measure, docs, grades[query], scale)
    return values


def _by_trec_eval(grades: _Grades, scores: _Scores, asked: Any) -> Any:
    """Values by trec_eval's own code.

    Measures that look at other grades or documents are calculated apart: the library would let a
    measure without such parameters share those of the first one.
    """
    safe = {query: _with_a_grade_to_count(docs) for query, docs in grades.items()}
    for _, some in groupby(sorted(asked, key=_view), key=_view):
        yield from ir_measures.pytrec_eval.evaluator(list(some), safe).iter_calc(scores)


def _view(measure: Measure) -> str:
    """What a measure sees of the files."""
    gains = sorted(measure.params.get("gains", {}).items())
    return f"{measure.params.get('judged_only', False)} {gains}"


def _with_a_grade_to_count(docs: Mapping[str, int]) -> Mapping[str, int]:
    """The same judgments for trec_eval, which crashes where all grades are below 0."""
    return docs if max(docs.values()) >= 0 else {**docs, _NO_DOCUMENT: 0}
