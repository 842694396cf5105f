"""The peers of `disco bench rank` are asked for the same thing, and the graph is a fair one."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks import activity_graph, rank_subjects
from benchmarks.rank_updates import measure as measure_updates

NODES, EDGES = 2_000, 20_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("arrays")
    graph = activity_graph.generate(NODES, EDGES, seed=1)
    for name in ("sources", "targets", "weights", "kinds"):
        np.save(path / f"{name}.npy", getattr(graph, name))
    return path


def test_a_generated_graph_repeats_and_looks_like_activities() -> None:
    graph, again, other = (activity_graph.generate(NODES, EDGES, seed=one) for one in (1, 1, 2))
    assert graph.sources.tobytes() == again.sources.tobytes()
    assert graph.weights.tobytes() == again.weights.tobytes()
    assert graph.sources.tobytes() != other.sources.tobytes()
    assert 0.02 < 1.0 - len(np.unique(graph.sources)) / NODES < 0.06
    assert np.bincount(graph.targets).max() > 10 * EDGES / NODES
    assert not (graph.sources == graph.targets).any()


@pytest.mark.thorough
@pytest.mark.parametrize(("subject", "error"), [("disco", 1e-9), ("igraph", 1e-9), ("scipy", 1e-9)])
def test_subjects_calculate_the_same(folder: Path, subject: str, error: float) -> None:
    arrays, nodes = rank_subjects.read(folder)
    build, _ = rank_subjects.scipy()
    exact = rank_subjects.power(*build(arrays, nodes), tolerance=1e-13)
    figures = rank_subjects.measure(subject, folder)
    scores = np.load(folder / f"{subject}.npy")
    assert np.abs(scores - exact / exact.sum()).sum() <= error
    assert figures["total_seconds"] > 0.0


def test_scikit_network_differs_only_by_its_way_with_dangling_nodes(folder: Path) -> None:
    (sources, targets, weights), nodes = rank_subjects.read(folder)
    dangling = np.setdiff1d(np.arange(nodes, dtype=np.uint32), sources)
    arrays = (
        np.append(sources, dangling),
        np.append(targets, (dangling + 1) % nodes),
        np.append(weights, np.ones(len(dangling), np.float32)),
    )
    one, other = (
        solve(build(arrays, nodes))
        for build, solve in (rank_subjects.scikit_network(), rank_subjects.scipy())
    )
    assert np.abs(one / one.sum() - other / other.sum()).sum() <= 1e-7


def test_updates_end_at_the_scores_of_a_build(folder: Path) -> None:
    for case, figures in measure_updates(folder, 1).items():
        assert figures["warm_error"] <= 1e-6, case
        assert figures["cold_error"] <= 1e-6, case
        assert figures["rough_error"] <= 5e-4, case
