"""Side by side: systems that answered the same queries, measured by one set of judgments.

A system is a variant of search, or a run file of any other. One of them is the base that the others
are compared with. A result says all that a report shows, so it can be kept as JSON.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from evaluation import comparison, measures
from evaluation.comparison import Difference
from evaluation.errors import EvaluationError
from evaluation.judgments import Judged
from evaluation.measurement import Measurement, measured
from evaluation.runs import Run, ranked

_SHOWN: Final = 10  # documents of a query that a result keeps


class NothingJudgedError(EvaluationError):
    """The set has no judgments: have people judge it, or import some."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A document that a query brought."""

    doc: str
    grade: int | None  # None: nobody has judged it
    title: str | None  # None: not known, as of run files


@dataclass(frozen=True, kw_only=True)
class System:
    """How good a system is."""

    measures: Mapping[str, float]  # over all queries
    queries: Mapping[str, Mapping[str, float]]  # query -> measure -> value
    top: Mapping[str, Sequence[Shown]]  # query -> the first ten, best first


@dataclass(frozen=True, kw_only=True)
class Floor:
    """A value that a measure must not be below."""

    system: str
    measure: str
    value: float
    floor: float

    @property
    def holds(self) -> bool:
        """Whether it is not."""
        return self.value >= self.floor


@dataclass(frozen=True, kw_only=True)
class Result:
    """Systems side by side."""

    set: str
    made_at: datetime
    base: str  # name of a system
    seed: int  # of the tests
    measures: Sequence[str]  # the first is the one that queries are ordered by
    texts: Mapping[str, str]  # query -> what is typed; those that have judgments
    systems: Mapping[str, System]
    differences: Mapping[str, Mapping[str, Difference]]  # system -> measure -> system - base
    floors: Sequence[Floor] = field(default=())

    def document(self) -> dict[str, Any]:
        """The result as JSON has it."""
        floors = [{**asdict(one), "holds": one.holds} for one in self.floors]
        return {**asdict(self), "floors": floors}


def side_by_side(
    judged: Judged,
    runs: Mapping[str, Run],
    base: str,
    names: Sequence[str],
    *,
    titles: Mapping[str, str],
    floors: Mapping[str, float],
    seed: int = comparison.DEFAULT_SEED,
) -> Result:
    """Measure systems by the judgments of a set, and compare each with the base.

    A judged query that a system has no results for counts as one that found nothing. `floors` has
    the least value of measures, which are measured as well.

    Raises `MeasureError`, `NothingJudgedError`, and `NothingInCommonError` for a run of other
    queries.
    """
    asked = measures.parse([*names, *floors])
    qrels = judged.qrels()
    if not qrels.grades:
        raise NothingJudgedError(
            f"the set {judged.name} has no judgments; judge it at /judge, or import some with "
            "`disco eval judgments import`"
        )
    found = {name: measured(qrels, run, asked, complete=True) for name, run in runs.items()}
    return Result(
        set=judged.name,
        made_at=datetime.now(UTC),
        base=base,
        seed=seed,
        measures=[str(one) for one in asked],
        texts={query: judged.texts[query] for query in qrels.grades},
        systems={
            name: System(
                measures=one.measures,
                queries=one.queries,
                top=_top(runs[name], qrels.grades, titles),
            )
            for name, one in found.items()
        },
        differences={
            name: _differences(found[base], one, seed)
            for name, one in found.items()
            if name != base
        },
        floors=[
            Floor(system=name, measure=str(measure), value=one.measures[str(measure)], floor=least)
            for text, least in floors.items()
            for measure in measures.parse([text])
            for name, one in found.items()
        ],
    )


def _differences(base: Measurement, other: Measurement, seed: int) -> Mapping[str, Difference]:
    """By measure; none where there are too few queries, and of what is only counted."""
    if len(base.queries) < 2:
        return {}
    compared = comparison.compared(base, other, seed).differences
    counts = {str(one) for one in base.asked if measures.is_count(one)}
    return {name: one for name, one in compared.items() if name not in counts}


def _top(
    run: Run, grades: Mapping[str, Mapping[str, int]], titles: Mapping[str, str]
) -> Mapping[str, Sequence[Shown]]:
    return {
        query: [
            Shown(doc=doc, grade=judged.get(doc), title=titles.get(doc))
            for doc in ranked(run.scores.get(query, {}), _SHOWN)
        ]
        for query, judged in grades.items()
    }
