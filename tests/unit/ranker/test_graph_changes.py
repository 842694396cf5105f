import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker.errors import EdgeError, TooManyNodesError
from ranker.graph import Floats, Graph, Kinds
from ranker.graph_builder import build
from ranker.graph_changes import KINDS, changed, decayed
from ranker.parameters import Method, Parameters
from ranker.solver import solve

Weighted = dict[tuple[int, int, int], float]  # by source, target and kind


def weighted(graph: Graph) -> Weighted:
    found: Weighted = {}
    kinds = graph.kinds if len(graph.kinds) else np.zeros(len(graph.sources), np.uint8)
    loop_kinds = graph.loop_kinds if len(graph.loop_kinds) else np.zeros(len(graph.loop_weights))
    edges = [
        (graph.sources[edge], position, kinds[edge], graph.weights[edge])
        for position in range(graph.nodes)
        for edge in range(graph.starts[position], graph.starts[position + 1])
    ]
    loops = zip(graph.loop_positions, loop_kinds, graph.loop_weights, strict=True)
    edges += [(at, at, kind, weight) for at, kind, weight in loops]
    for source, target, kind, weight in edges:
        key = (int(graph.order[source]), int(graph.order[target]), int(kind))
        found[key] = found.get(key, 0.0) + float(weight)
    return found


def graph_of(edges: Weighted, nodes: int, *, kinds: bool) -> Graph:
    sources, targets, weights, of_kinds = columns(edges, kinds=kinds)
    return build(sources, targets, weights, of_kinds, nodes=nodes)


def columns(
    edges: Weighted, *, kinds: bool
) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats, Kinds | None]:
    """The arrays that `build` and `changed` take."""
    keys = np.array(list(edges), dtype=int).reshape(-1, 3)
    weights = np.array(list(edges.values()), dtype=float)
    return keys[:, 0], keys[:, 1], weights, keys[:, 2].astype(np.uint8) if kinds else None


def drawn_edges(
    nodes: int, kinds: int, least: int, weights: list[float]
) -> st.SearchStrategy[Weighted]:
    node = st.integers(0, nodes - 1)
    key = st.tuples(node, node, st.integers(0, kinds - 1))
    return st.dictionaries(key, st.sampled_from(weights), min_size=least, max_size=60)


@pytest.mark.thorough
@settings(deadline=None)
@given(
    data=st.data(), nodes=st.integers(1, 9), new=st.integers(0, 3), kinds=st.sampled_from([1, 3])
)
def test_a_changed_graph_is_the_one_that_would_be_built(
    data: st.DataObject, nodes: int, new: int, kinds: int
) -> None:
    before = data.draw(drawn_edges(nodes, kinds, 1, [0.25, 0.3, 1.0, 7.0]))
    changes = data.draw(drawn_edges(nodes + new, kinds, 1, [0.0, 0.5, 0.7, 2.0]))
    graph = graph_of(before, nodes, kinds=kinds > 1)
    after = {key: weight for key, weight in (before | changes).items() if weight > 0.0}
    found = changed(graph, *columns(changes, kinds=kinds > 1), nodes=nodes + new)
    assert weighted(found) == after
    assert weighted(graph) == before
    rebuilt = graph_of(after, nodes + new, kinds=kinds > 1) if after else found
    np.testing.assert_allclose(
        found.by_node(found.out_weights), rebuilt.by_node(rebuilt.out_weights), rtol=1e-14
    )
    for method in Method:
        parameters = Parameters(method=method)
        np.testing.assert_allclose(
            solve(found, parameters).scores, solve(rebuilt, parameters).scores, atol=2e-9
        )


def test_the_last_of_several_changes_counts() -> None:
    graph = build(np.array([0]), np.array([1]))
    found = changed(graph, np.array([0, 0]), np.array([1, 1]), np.array([5.0, 2.0]))
    assert weighted(found) == {(0, 1, 0): 2.0}


def test_parallel_edges_are_changed_together() -> None:
    """Two edges that could not be summed exactly are one edge to whoever changes it."""
    weights = np.array([2.0**24, 1.0], dtype=np.float32)
    graph = build(np.array([0, 0]), np.array([1, 1]), weights, compiled=True)
    assert graph.edges == 2
    assert changed(graph, np.array([0]), np.array([1]), np.array([3.0])).edges == 1


def test_removing_all_edges_of_a_node_makes_it_dangle_exactly() -> None:
    weights = np.array([0.1, 0.2, 0.3, 1.0])
    graph = build(np.array([0, 0, 0, 1]), np.array([1, 2, 3, 0]), weights)
    found = changed(graph, np.zeros(3, int), np.array([1, 2, 3]), np.zeros(3))
    assert found.by_node(found.out_weights).tolist() == [0.0, 1.0, 0.0, 0.0]


@settings(deadline=None)
@given(data=st.data())
def test_decay_multiplies_each_weight_by_the_factor_of_its_kind(data: st.DataObject) -> None:
    before = data.draw(drawn_edges(6, 3, 1, [0.25, 1.0, 7.0]))
    factors = np.ones(KINDS)
    factors[:3] = [0.5, 0.25, 1.0]
    found = decayed(graph_of(before, 6, kinds=True), factors)
    after = {key: weight * factors[key[2]] for key, weight in before.items()}
    assert weighted(found) == after
    rebuilt = graph_of(after, 6, kinds=True)
    assert (
        found.by_node(found.out_weights).tolist() == rebuilt.by_node(rebuilt.out_weights).tolist()
    )


def test_decay_alike_for_all_leaves_the_scores_as_they_are() -> None:
    rng = np.random.default_rng(5)
    sources, targets = rng.integers(0, 50, (2, 300))
    kinds = rng.integers(0, 3, 300).astype(np.uint8)
    graph = build(sources, targets, rng.random(300).astype(np.float32), kinds)
    decayed_graph = decayed(graph, np.full(KINDS, 0.5))
    assert solve(graph).scores.tolist() == solve(decayed_graph).scores.tolist()


@pytest.mark.parametrize("factor", [0.0, -1.0, np.nan, np.inf])
def test_a_factor_that_does_not_fit(factor: float) -> None:
    graph = build(np.array([0]), np.array([1]), kinds=np.array([0], np.uint8))
    with pytest.raises(EdgeError, match="256 factors"):
        decayed(graph, np.full(KINDS, factor))


def test_edges_without_kinds_do_not_decay() -> None:
    with pytest.raises(EdgeError, match="no kinds to decay by"):
        decayed(build(np.array([0]), np.array([1])), np.ones(KINDS))


def test_changes_that_do_not_fit() -> None:
    graph = build(np.array([0]), np.array([1]))
    one = np.array([1])
    with pytest.raises(EdgeError, match="kinds"):
        changed(graph, one, one, one, one.astype(np.uint8))
    with pytest.raises(EdgeError, match="row 0: the weight is -1"):
        changed(graph, one, one, -one)
    with pytest.raises(EdgeError, match="1 nodes are fewer"):
        changed(graph, one, one, one, nodes=1)
    with pytest.raises(TooManyNodesError):
        changed(graph, one, one, one, nodes=(1 << 32) + 1)
