"""The evaluation's door: what the command line may ask of it."""

from collections.abc import Iterable

from evaluation import comparison, lines, measures, qrels, runs
from evaluation.comparison import DEFAULT_SEED, Comparison, Difference
from evaluation.errors import FileError
from evaluation.gauging import Gauge, Grades, Interval, Rankings, gauged
from evaluation.measurement import Counts, Measurement, measured
from evaluation.measures import DEFAULTS, Measure, is_count

__all__ = [
    "DEFAULTS",
    "DEFAULT_SEED",
    "Comparison",
    "Counts",
    "Difference",
    "Gauge",
    "Grades",
    "Interval",
    "Measure",
    "Measurement",
    "Rankings",
    "compare_files",
    "gauge",
    "is_count",
    "score_files",
]


def score_files(
    qrels_path: str, run_path: str, names: Iterable[str] = DEFAULTS, *, complete: bool = False
) -> Measurement:
    """Measure a run file against a file of judgments; `-` is standard input for one of them.

    Raises:
        EvaluationError: with the file, the line and the remedy, or with valid measures.
    """
    asked = measures.parse(names)
    _check_paths(qrels_path, run_path)
    judged, run = qrels.read(qrels_path), runs.read(run_path)
    return measured(judged, run, asked, complete=complete)


def compare_files(
    qrels_path: str,
    first_path: str,
    second_path: str,
    names: Iterable[str] = DEFAULTS,
    *,
    complete: bool = False,
    seed: int = DEFAULT_SEED,
) -> Comparison:
    """Measure two run files against a file of judgments; `-` is standard input for one of them.

    Raises:
        EvaluationError: with the file, the line and the remedy, or with valid measures.
    """
    asked = measures.parse(names)
    comparison.check(asked)
    _check_paths(qrels_path, first_path, second_path)
    judged = qrels.read(qrels_path)
    first, second = (
        measured(judged, runs.read(path), asked, complete=complete)
        for path in (first_path, second_path)
    )
    return comparison.compared(first, second, seed)


def gauge(
    grades: Grades,
    rankings: Rankings,
    before: Rankings | None = None,
    name: str = "nDCG@10",
    *,
    seed: int = DEFAULT_SEED,
) -> Gauge:
    """Gauge rankings that were just made, beside others by the same queries; see `gauged`."""
    return gauged(grades, rankings, before, name, seed=seed)


def _check_paths(*paths: str) -> None:
    if paths.count(lines.STANDARD_INPUT) > 1:
        raise FileError(
            lines.name_of(lines.STANDARD_INPUT), "can be one file only; name the other ones"
        )
