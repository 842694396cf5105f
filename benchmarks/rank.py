"""DiscoRank beside igraph, scikit-network and SciPy, on one generated graph, in one run.

Each measurement is a process of its own, so that memory can be told apart; runs of the subjects
alternate. Errors are true ones, against scores that SciPy calculates to within 1e-12.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks import activity_graph, memory_speed, rank_subjects
from benchmarks.environment import ROOT, Say
from benchmarks.rank_subjects import SUBJECTS, Scores
from benchmarks.report import Bar, Report, medians

DEFAULT_SIZE: Final = "1m"
_SEED: Final = 1
_REFERENCE: Final = 1e-12


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large the generated graph is."""

    nodes: int
    edges: int


SIZES: Final[Mapping[str, Size]] = {
    "100k": Size(nodes=100_000, edges=1_000_000),
    "1m": Size(nodes=1_000_000, edges=10_000_000),
    "5m": Size(nodes=5_000_000, edges=50_000_000),
}


def measure(*, size: str, runs: int, say: Say) -> Report:
    """Measure all subjects `runs` times."""
    shape = SIZES[size]
    with tempfile.TemporaryDirectory(prefix="disco-bench-rank-") as name:
        folder = Path(name)
        say(f"generating {shape.nodes:,} nodes and {shape.edges:,} edges")
        dangling = _generate(shape, folder)
        say("calculating the reference")
        reference = _reference(folder)
        found = _compare(folder, reference, runs, say)
        say("measuring changes of the graph and warm starts")
        updates = _child("benchmarks.rank_updates", str(folder), str(runs))
        details = _passes(folder)
    speed = _machine_speed(shape)
    figures = _figures(found, updates, speed, details, shape)
    return Report(
        bench="rank" if size == DEFAULT_SIZE else f"rank-{size}",
        corpus={
            "nodes": shape.nodes,
            "edges": shape.edges,
            "edges_after_summing": details["edges"],
            "dangling": dangling,
            "seed": _SEED,
        },
        figures=figures,
        bars=_bars(figures),
        details={"runs": found, "updates": updates, **details},
    )


def _generate(shape: Size, folder: Path) -> float:
    graph = activity_graph.generate(shape.nodes, shape.edges, seed=_SEED)
    for name in ("sources", "targets", "weights", "kinds"):
        np.save(folder / f"{name}.npy", getattr(graph, name))
    return round(1.0 - len(np.unique(graph.sources)) / shape.nodes, 4)


def _reference(folder: Path) -> Scores:
    build, _ = rank_subjects.scipy()
    scores = rank_subjects.power(*build(*rank_subjects.read(folder)), tolerance=_REFERENCE)
    scaled: Scores = scores / scores.sum()
    return scaled


def _compare(
    folder: Path, reference: Scores, runs: int, say: Say
) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {subject: [] for subject in SUBJECTS}
    for number in range(runs):
        for subject in SUBJECTS:
            one = _child("benchmarks.rank_subjects", subject, str(folder))
            scores = np.load(folder / f"{subject}.npy")
            one["l1_error"] = float(np.abs(scores - reference[: len(scores)]).sum())
            found[subject].append(one)
            say(
                f"run {number + 1} of {runs}: {subject}: build {one['build_seconds']:.2f} s, "
                f"solve {one['solve_seconds']:.2f} s, L1 error {one['l1_error']:.1e}"
            )
    return found


def _child(module: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    document: dict[str, Any] = json.loads(done.stdout)
    return document


def _passes(folder: Path) -> dict[str, Any]:
    """How many passes and edges the project's solver needed: the same in every run but for luck."""
    from ranker.parameters import Method, Parameters  # noqa: PLC0415 - compiled at first use
    from ranker.solver import solve  # noqa: PLC0415

    build, _ = rank_subjects.disco()
    graph = build(*rank_subjects.read(folder))
    parameters = Parameters(tolerance=rank_subjects.TOLERANCE, method=Method.GAUSS_SEIDEL)
    solution = solve(graph, parameters)
    jacobi = solve(graph, Parameters(tolerance=rank_subjects.TOLERANCE, method=Method.JACOBI))
    return {
        "edges": graph.edges,
        "passes": solution.iterations,
        "residuals": solution.residuals,
        "jacobi_passes": jacobi.iterations,
        "jacobi_seconds": jacobi.seconds,
    }


def _machine_speed(shape: Size) -> dict[str, float]:
    return {
        "random_gather_ns": 1e9 / memory_speed.random_gathers_a_second(shape.nodes, shape.edges),
        "memory_read_gb_a_second": memory_speed.bytes_read_a_second(1 << 30) / 1e9,
    }


def _figures(
    found: Mapping[str, list[dict[str, float]]],
    updates: Mapping[str, Mapping[str, float]],
    speed: Mapping[str, float],
    details: Mapping[str, Any],
    shape: Size,
) -> dict[str, float]:
    by_subject = {subject: _medians(runs) for subject, runs in found.items()}
    ours, igraph = by_subject["disco"], by_subject["igraph"]
    figures = {
        f"{subject}_{name}": value
        for subject, values in by_subject.items()
        for name, value in values.items()
    }
    figures |= {
        "solve_of_igraph": ours["solve_seconds"] / igraph["solve_seconds"],
        "solve_of_scikit_network": ours["solve_seconds"]
        / by_subject["scikit_network"]["solve_seconds"],
        "solve_of_scipy": ours["solve_seconds"] / by_subject["scipy"]["solve_seconds"],
        "total_of_igraph": ours["total_seconds"] / igraph["total_seconds"],
        "ns_an_edge_and_pass": ours["solve_seconds"] / details["passes"] / shape.edges * 1e9,
        **speed,
    }
    for case, values in updates.items():
        figures |= {f"{case}_{name}": value for name, value in values.items()}
    return figures


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    """Errors are too small for the digits that `medians` keeps."""
    errors = [run.pop("l1_error") for run in (dict(run) for run in runs)]
    plain = [{name: value for name, value in run.items() if name != "l1_error"} for run in runs]
    return {**medians(plain), "l1_error": float(np.median(errors))}


_WARM: Final[Mapping[str, float]] = {
    "changed_0.1_percent": 0.55,
    "changed_1_percent": 0.75,
    "a_day_of_decay": 0.45,
}


def _bars(figures: Mapping[str, float]) -> dict[str, Bar]:
    limits = {
        "disco_l1_error": rank_subjects.TOLERANCE,
        "solve_of_igraph": 0.35,
        "solve_of_scikit_network": 0.2,
        "total_of_igraph": 1 / 8,
        "disco_resident_bytes_an_edge": 10.0,
        "disco_build_peak_bytes_an_edge": 24.0,
        "disco_solve_peak_bytes_an_edge": 24.0,
    }
    limits["changed_0.1_percent_rough_of_cold"] = 0.35
    limits["changed_0.1_percent_rough_error"] = 5e-4
    for case, bar in _WARM.items():
        limits[f"{case}_warm_of_cold"] = bar
        limits[f"{case}_update_and_warm_of_build_and_cold"] = 0.5
    return {
        name: Bar(value=figures[name], bar=limit, at_most=True) for name, limit in limits.items()
    }
