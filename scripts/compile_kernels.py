"""Compiles what numba compiles, once after an installation, so that nobody waits for it later."""

import tempfile
from pathlib import Path

import numpy as np

from ranker import graph_builder, graph_changes
from ranker.parameters import Method, Parameters
from ranker.solver import solve
from suggest import operations as suggestions


def rank() -> None:
    """Build, change and solve a graph by every method."""
    ring = np.arange(3)
    graph = graph_builder.build(ring, np.roll(ring, 1), np.ones(3), compiled=True)
    graph = graph_changes.changed(graph, ring[:1], ring[1:2], np.full(1, 2.0))
    for method in Method:
        solve(graph, Parameters(method=method))


def suggest() -> None:
    """Build a snapshot and search it: the engine warms itself up."""
    with tempfile.TemporaryDirectory() as folder:
        names, snapshot = Path(folder) / "names.tsv", Path(folder) / "names.snapshot"
        names.write_text("warm up\t1\n", encoding="utf-8")
        suggestions.build_file(names, snapshot)
        suggestions.open_file(snapshot)


if __name__ == "__main__":
    rank()
    suggest()
