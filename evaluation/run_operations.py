"""The door to offline evaluation: systems measured side by side, and reports of it."""

from collections.abc import Mapping, Sequence
from pathlib import PurePath

from evaluation import floors, runs
from evaluation.errors import RunError
from evaluation.judgments import Judged
from evaluation.measures import DEFAULTS
from evaluation.reports import ResultError, read_result, report
from evaluation.runs import Run, of_rankings, written
from evaluation.side_by_side import Floor, Result, Shown, System, side_by_side

__all__ = [
    "DEFAULTS",
    "Floor",
    "Judged",
    "Result",
    "ResultError",
    "Run",
    "Shown",
    "System",
    "of_rankings",
    "read_floors",
    "read_result",
    "read_runs",
    "report",
    "side_by_side",
    "written",
]

read_floors = floors.read


def read_runs(paths: Sequence[str], taken: Sequence[str]) -> Mapping[str, Run]:
    """Run files as systems, each by the name of its file; raises `RunError`.

    `taken` are the names of the other systems.
    """
    found: dict[str, Run] = {}
    for path in paths:
        name = PurePath(path).stem
        if name in taken or name in found:
            raise RunError(path, f"there is a system {name!r} already; rename the file")
        found[name] = runs.read(path)
    return found
