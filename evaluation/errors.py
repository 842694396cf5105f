"""What can go wrong in an evaluation."""

from core.errors import DiscoError


class EvaluationError(DiscoError):
    """Root of the evaluation's errors."""

    exit_code = 2


class FileError(EvaluationError):
    """A file is missing or malformed: mend the line that the message names."""

    def __init__(self, path: str, problem: str, *, line: int | None = None) -> None:
        super().__init__(f"{path}{'' if line is None else f', line {line:,}'}: {problem}")
        self.line = line


class QrelsError(FileError):
    """A file of judgments is missing or malformed."""


class RunError(FileError):
    """A run file is missing or malformed."""


class MeasureError(EvaluationError):
    """There is no such measure, or it cannot be calculated so; the message names valid ones."""


class NothingInCommonError(EvaluationError):
    """No query of the run has judgments: the files belong to different sets of queries."""


class ComparisonError(EvaluationError):
    """Two runs cannot be compared so; the message says what to change."""
