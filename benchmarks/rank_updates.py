"""What a warm start saves, and a change of the graph instead of a build.

A process of `disco bench rank`: `python -m benchmarks.rank_updates FOLDER RUNS` prints one JSON
document of medians.
"""

import json
import statistics
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.activity_graph import HALF_LIVES
from benchmarks.rank_subjects import DAMPING
from ranker.graph import Graph
from ranker.graph_builder import build
from ranker.graph_changes import KINDS, changed, decayed
from ranker.parameters import Method, Parameters, Prior, Solution
from ranker.solver import solve

_TOLERANCE: Final = 1e-6
_PARAMETERS: Final = Parameters(tolerance=_TOLERANCE, damping=DAMPING, method=Method.GAUSS_SEIDEL)
# What an approximate edition may be off by.
_ROUGH: Final = replace(_PARAMETERS, tolerance=5e-4)
_TOP: Final = 1_000
_SEED: Final = 11


@dataclass(frozen=True, kw_only=True, eq=False)
class Edges:
    """Arrays of edges, as `build` takes them."""

    sources: NDArray[Any]
    targets: NDArray[Any]
    weights: NDArray[Any]
    kinds: NDArray[np.uint8] | None = None

    def graph(self) -> Graph:
        """The graph of them."""
        return build(self.sources, self.targets, self.weights, self.kinds, compiled=True)


@dataclass(frozen=True, kw_only=True, eq=False)
class Case:
    """Something that happened to a graph since it was ranked."""

    before: Graph
    after: Edges  # all edges, as a build takes them
    update: Callable[[], Graph]
    earlier: Graph | None = None  # as it was when the ranking before was made, if that is used


def measure(folder: Path, runs: int) -> dict[str, dict[str, float]]:
    """Medians of seconds and ratios, by case."""
    arrays = [np.load(folder / f"{name}.npy") for name in ("sources", "targets", "weights")]
    edges = Edges(sources=arrays[0], targets=arrays[1], weights=arrays[2])
    graph = edges.graph()
    rng = np.random.default_rng(_SEED)
    found = {}
    for name, share in (("changed_0.1_percent", 0.001), ("changed_1_percent", 0.01)):
        found[name] = _measure_case(_changed_case(graph, edges, share, rng), runs)
    del graph
    found["a_day_of_decay"] = _measure_case(
        _decayed_case(edges, np.load(folder / "kinds.npy")), runs
    )
    return found


def _changed_case(graph: Graph, edges: Edges, share: float, rng: np.random.Generator) -> Case:
    """A third of the changes removes edges, two thirds add some; one in a hundred of a new node."""
    count = int(len(edges.sources) * share)
    removed = rng.choice(len(edges.sources), count // 3, replace=False)
    added = count - count // 3
    sources = rng.choice(edges.sources, added).astype(np.int64)
    targets = rng.choice(edges.targets, added).astype(np.int64)
    weights = rng.choice(edges.weights, added)
    new = max(1, added // 100)
    sources[:new] = graph.nodes + np.arange(new)
    changes = (
        np.concatenate([edges.sources[removed], sources]),
        np.concatenate([edges.targets[removed], targets]),
        np.concatenate([np.zeros(len(removed), np.float32), weights]),
    )
    return Case(
        before=graph,
        after=_applied(edges, *changes),
        update=lambda: changed(graph, *changes),
    )


def _applied(
    edges: Edges, sources: NDArray[Any], targets: NDArray[Any], weights: NDArray[Any]
) -> Edges:
    """All edges after the changes: what they speak of goes, what has a weight comes."""
    keys = edges.sources.astype(np.uint64) << np.uint64(32) | edges.targets
    new_keys = sources.astype(np.uint64) << np.uint64(32) | targets.astype(np.uint64)
    kept = ~np.isin(keys, new_keys)
    last = len(new_keys) - 1 - np.unique(new_keys[::-1], return_index=True)[1]
    last = last[weights[last] > 0.0]
    return Edges(
        sources=np.concatenate([edges.sources[kept], sources[last].astype(np.uint32)]),
        targets=np.concatenate([edges.targets[kept], targets[last].astype(np.uint32)]),
        weights=np.concatenate([edges.weights[kept], weights[last]]),
    )


def _decayed_case(edges: Edges, kinds: NDArray[np.uint8]) -> Case:
    factors = np.ones(KINDS)
    factors[: len(HALF_LIVES)] = [0.5 ** (1.0 / days) for days in HALF_LIVES]
    before = Edges(
        sources=edges.sources, targets=edges.targets, weights=edges.weights, kinds=kinds
    ).graph()
    earlier = decayed(before, 1.0 / factors)
    after = Edges(
        sources=edges.sources,
        targets=edges.targets,
        weights=(edges.weights * factors[kinds]).astype(np.float32),
        kinds=kinds,
    )
    return Case(
        before=before, after=after, update=lambda: decayed(before, factors), earlier=earlier
    )


def _measure_case(case: Case, runs: int) -> dict[str, float]:
    old = solve(case.before, _PARAMETERS)
    trend = None if case.earlier is None else old.scores - solve(case.earlier, _PARAMETERS).scores
    exact = solve(case.after.graph(), Parameters(tolerance=1e-12, damping=DAMPING)).scores
    one_by_one = [_once(case, old, exact, trend) for _ in range(runs + 1)][1:]
    return {name: statistics.median(run[name] for run in one_by_one) for name in one_by_one[0]}


def _once(
    case: Case, old: Solution, exact: NDArray[np.float64], trend: NDArray[np.float64] | None
) -> dict[str, float]:
    """Cold from the arrays of edges, then warm from the old graph and its scores."""
    began = time.perf_counter()
    rebuilt = case.after.graph()
    built = time.perf_counter()
    cold = solve(rebuilt, _PARAMETERS)
    del rebuilt
    ready = time.perf_counter()
    graph = case.update()
    updated = time.perf_counter()
    prior = replace(_prior(old, graph), trend=trend)
    warm = solve(graph, _PARAMETERS, prior=prior)
    rough = solve(graph, _ROUGH, prior=prior)
    seconds = {
        "build": built - began,
        "cold": cold.seconds,
        "update": updated - ready,
        "warm": warm.seconds,
        "rough": rough.seconds,
    }
    return {
        **{f"{name}_seconds": value for name, value in seconds.items()},
        "cold_passes": cold.iterations,
        "warm_passes": warm.iterations,
        "rough_passes": rough.iterations,
        "rough_of_cold": seconds["rough"] / seconds["cold"],
        "rough_error": float(np.abs(rough.scores - exact).sum()),
        "rough_top_overlap": _overlap(rough.scores, exact),
        "warm_of_cold": seconds["warm"] / seconds["cold"],
        "update_and_warm_of_build_and_cold": (seconds["update"] + seconds["warm"])
        / (seconds["build"] + seconds["cold"]),
        "changed_l1": float(np.abs(exact[: len(old.scores)] - old.scores).sum()),
        "cold_error": float(np.abs(cold.scores - exact).sum()),
        "warm_error": float(np.abs(warm.scores - exact).sum()),
    }


def _overlap(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """What share of the top of one is in the top of the other."""
    top, other_top = (np.argpartition(-scores, _TOP)[:_TOP] for scores in (one, other))
    return len(np.intersect1d(top, other_top)) / _TOP


def _prior(old: Solution, graph: Graph) -> Prior:
    return old.as_prior() if graph.nodes == len(old.scores) else old.grown(graph.nodes)


def main(arguments: list[str]) -> Mapping[str, Any]:
    """What the process prints."""
    return measure(Path(arguments[0]), int(arguments[1]))


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(sys.argv[1:])))
