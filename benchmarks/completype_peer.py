"""completype, from PyPI, beside ours: the same names, weights and beginnings, in process.

It is installed into an environment of its own. Its popularity goes from 0 to 1 and is added to a
score of the match, so it gets the logarithm of the weight, scaled to that. It always finds further
words, as ours does with words as keys; edits are made up for or not by how its index is built.
"""

import json
import math
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from benchmarks.environment import ROOT, Say
from benchmarks.suggest_corpus import Name
from stack import commands

VERSION: Final = "0.1.1"
EDITS: Final = {"exact": 0, "fuzzy": 2}  # most edits of its index
_HARNESS: Final = Path(__file__).with_name("completype_harness.py")
_TIME_LIMIT: Final = 3_600.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Measured:
    """One index, and what it found."""

    figures: dict[str, float]  # lookups_per_second, p50_us, p99_us, build_seconds, bytes
    answers: Sequence[Sequence[str]]


def python(say: Say) -> Path:
    """The interpreter of its environment, installed once; raises `stack.errors.CommandError`."""
    folder = ROOT / ".stack" / f"completype-{VERSION}"
    interpreter, complete = folder / "bin" / "python", folder / "complete"
    if not complete.exists():
        log = ROOT / ".stack" / "bench-suggest.log"
        pip = [str(interpreter), "-m", "pip", "--disable-pip-version-check"]
        for label, command in (
            ("making an environment for completype", [sys.executable, "-m", "venv", str(folder)]),
            (f"installing completype {VERSION}", [*pip, "install", f"completype=={VERSION}"]),
        ):
            commands.run_long(command, label=label, log=log, progress=say)
        complete.touch()
    return interpreter


def measure(
    interpreter: Path, names: Sequence[Name], beginnings: Path, *, limit: int, edits: int
) -> Measured:
    """Build an index for so many edits, and look the beginnings up."""
    texts, results = (beginnings.with_name(name) for name in ("popularity.tsv", "completype.tsv"))
    highest = max(math.log2(1 + name.weight) for name in names)
    texts.write_text(
        "".join(f"{name.text}\t{math.log2(1 + name.weight) / highest:.6f}\n" for name in names),
        "utf-8",
    )
    arguments = [str(one) for one in (texts, beginnings, results, limit, edits)]
    done = subprocess.run(
        [str(interpreter), str(_HARNESS), *arguments],
        check=True,
        stdout=subprocess.PIPE,
        timeout=_TIME_LIMIT,
    )
    lines = results.read_text("utf-8").split("\n")[:-1]
    return Measured(
        figures=json.loads(done.stdout),
        answers=[line.split("\t") if line else [] for line in lines],
    )
