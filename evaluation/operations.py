"""The evaluation's door: what the command line may ask of it."""

from collections.abc import Iterable

from evaluation import lines, measures, qrels, runs
from evaluation.errors import FileError
from evaluation.measurement import Counts, Measurement, measured
from evaluation.measures import DEFAULTS, Measure, is_count

__all__ = ["DEFAULTS", "Counts", "Measure", "Measurement", "is_count", "score_files"]


def score_files(
    qrels_path: str, run_path: str, names: Iterable[str] = DEFAULTS, *, complete: bool = False
) -> Measurement:
    """Measure a run file against a file of judgments; `-` is standard input for one of them.

    Raises:
        EvaluationError: with the file, the line and the remedy, or with valid measures.
    """
    asked = measures.parse(names)
    if qrels_path == run_path == lines.STANDARD_INPUT:
        raise FileError(lines.name_of(run_path), "can be one file only; name the other one")
    judged, run = qrels.read(qrels_path), runs.read(run_path)
    return measured(judged, run, asked, complete=complete)
