"""The file of variants, as a command writes it: the experiment in it begins, or ends.

All else in the file stays as somebody wrote it. It is checked before it takes the place of the one
that is there, and does so in one step, so that a process that follows it never sees half of it.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from core.definitions import Definition
from query_api import variants
from query_api.variants import Experiment, Trials, TrialsError

_TABLE: Final = re.compile(r"^[ \t]*\[")
_OURS: Final = re.compile(r"^[ \t]*\[[ \t]*experiment[ \t]*(\.[^\]]*)?\]")


class ExperimentFile:
    """The file that `DISCO_EXPERIMENTS` names."""

    def __init__(self, path: Path, definitions: Mapping[str, Definition]) -> None:
        self.path = path
        self._definitions = definitions

    def read(self) -> Trials:
        """What it says; raises `TrialsError` and `DefinitionError`."""
        return variants.read(self.path, self._definitions)

    def with_experiment(self, experiment: Experiment | None) -> str:
        """Its text with that experiment, or with none; raises `TrialsError` if it cannot be so."""
        text = _without_experiment(self.path.read_text(encoding="utf-8"))
        if experiment is not None:
            text = f"{text.rstrip()}\n\n{_table(experiment)}".lstrip()
        partial = self._beside(text)
        try:
            variants.read(partial, self._definitions)
        except TrialsError as error:
            raise TrialsError(str(error).replace(str(partial), str(self.path))) from None
        finally:
            partial.unlink()
        return text

    def write(self, text: str) -> None:
        """Put a text in the place of the one that is there."""
        self._beside(text).replace(self.path)

    def _beside(self, text: str) -> Path:
        partial = self.path.with_name(f".{self.path.name}.{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        return partial


def _without_experiment(text: str) -> str:
    kept, inside = [], False
    for line in text.splitlines(keepends=True):
        if _TABLE.match(line):
            inside = bool(_OURS.match(line))
        if not inside:
            kept.append(line)
    return "".join(kept)


def _table(experiment: Experiment) -> str:
    lines = ["[experiment]", f'name = "{experiment.name}"', f'unit = "{experiment.unit}"']
    if experiment.interleave is not None:
        pair = ", ".join(f'"{one}"' for one in experiment.interleave)
        lines += [f"interleave = [{pair}]", f"share = {experiment.share!r}"]
    else:
        shares = ", ".join(f"{name} = {share!r}" for name, share in experiment.shares.items())
        lines.append(f"shares = {{ {shares} }}")
    return "\n".join(lines) + "\n"
