"""The result of a benchmark: one JSON document, printed and kept."""

import json
import platform
import statistics
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

RESULTS = Path(__file__).resolve().parent / "results"


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A figure and the limit that it is held against."""

    value: float
    bar: float
    at_most: bool  # whether the bar is an upper limit

    @property
    def holds(self) -> bool:
        """Whether the figure is on the right side of the bar."""
        return self.value <= self.bar if self.at_most else self.value >= self.bar


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a benchmark found. Figures are medians over its runs."""

    bench: str
    corpus: Mapping[str, Any]  # what it was run on
    figures: Mapping[str, float]
    bars: Mapping[str, Bar] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)  # runs one by one, histograms

    @property
    def holds(self) -> bool:
        """Whether every bar holds."""
        return all(bar.holds for bar in self.bars.values())

    def document(self) -> dict[str, Any]:
        """The document, as the contract has it."""
        return {
            "bench": self.bench,
            "machine": machine(),
            "commit": commit(),
            "corpus": dict(self.corpus),
            "figures": dict(self.figures),
            "bars": {
                name: {"value": bar.value, "bar": bar.bar, "holds": bar.holds}
                for name, bar in self.bars.items()
            },
            "details": dict(self.details),
        }

    def keep(self) -> Path:
        """Write the document to `benchmarks/results/<bench>.json`; returns the path."""
        RESULTS.mkdir(exist_ok=True)
        path = RESULTS / f"{self.bench}.json"
        path.write_text(json.dumps(self.document(), indent=2) + "\n", encoding="utf-8")
        return path


def medians(runs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """The median of each figure over the runs."""
    return {name: round(statistics.median(run[name] for run in runs), 4) for name in runs[0]}


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    return {
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": platform.platform(),
        "python": platform.python_version(),
    }


def commit() -> str:
    """The commit that was measured, marked if the tree differs from it."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty", "--abbrev=12"],
        cwd=RESULTS.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def _cpu_model() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
