import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranker.errors import EdgeError, TooManyNodesError
from ranker.graph import Floats, Graph, count_dtype
from ranker.graph_builder import GraphBuilder, build

BOTH = pytest.mark.parametrize("compiled", [True, False])


def matrix(graph: Graph) -> Floats:
    """Weight of each edge, [source, target] by number of node."""
    found = np.zeros((graph.nodes, graph.nodes))
    for position in range(graph.nodes):
        for edge in range(graph.starts[position], graph.starts[position + 1]):
            source, target = graph.order[graph.sources[edge]], graph.order[position]
            found[source, target] += graph.weights[edge]
    for position, weight in zip(graph.loop_positions, graph.loop_weights, strict=True):
        found[graph.order[position], graph.order[position]] += weight
    return found


@BOTH
@settings(deadline=None)
@given(data=st.data(), nodes=st.integers(1, 12))
def test_rows_hold_the_sum_of_all_batches(compiled: bool, data: st.DataObject, nodes: int) -> None:
    node = st.integers(0, nodes - 1)
    weight = st.one_of(st.sampled_from([0.0, 0.1, 0.25, 1.0, 3.0]), st.floats(1e-3, 1e3))
    builder = GraphBuilder()
    expected = np.zeros((nodes, nodes))
    for _ in range(data.draw(st.integers(0, 4))):
        edges = data.draw(st.lists(st.tuples(node, node, weight), min_size=1, max_size=30))
        sources, targets, weights = (np.array(column) for column in zip(*edges, strict=True))
        builder.add(sources, targets, weights)
        np.add.at(expected, (sources, targets), weights)
    graph = builder.build(nodes, compiled=compiled)
    np.testing.assert_allclose(matrix(graph), expected, rtol=1e-14)
    np.testing.assert_allclose(graph.by_node(graph.out_weights), expected.sum(axis=1), rtol=1e-14)


@BOTH
def test_rows_stand_by_falling_length_and_dangling_ones_last(compiled: bool) -> None:
    graph = build(np.array([0, 1, 2, 0]), np.array([3, 3, 3, 1]), nodes=5, compiled=compiled)
    assert graph.order.tolist()[0] == 1
    assert graph.order.tolist()[3] == 3
    assert graph.dangling.tolist() == [False, False, False, True, True]


@BOTH
def test_duplicates_are_summed_and_zeros_do_not_count(compiled: bool) -> None:
    sources, targets = np.array([0, 0, 0, 1, 1]), np.array([1, 1, 2, 0, 2])
    graph = build(sources, targets, np.array([1.0, 2.0, 4.0, 0.0, 0.5]), compiled=compiled)
    assert graph.edges == 3
    assert matrix(graph).tolist() == [[0, 3, 4], [0, 0, 0.5], [0, 0, 0]]


@BOTH
def test_edges_of_several_kinds_stay_apart(compiled: bool) -> None:
    graph = build(
        np.array([0, 0, 0]),
        np.array([1, 1, 1]),
        np.array([1.0, 2.0, 4.0]),
        np.array([7, 7, 8], dtype=np.uint8),
        compiled=compiled,
    )
    assert sorted(zip(graph.kinds.tolist(), graph.weights.tolist(), strict=True)) == [
        (7, 3.0),
        (8, 4.0),
    ]


@BOTH
@pytest.mark.parametrize(
    ("weights", "bits"),
    [([1.0, 0.5, 3.0], 32), ([1.0, 0.1, 3.0], 64), ([1.0, 1e100, 1.0], 64)],
)
def test_weights_take_32_bits_where_those_hold_them_exactly(
    compiled: bool, weights: list[float], bits: int
) -> None:
    builder = GraphBuilder()
    for node, weight in enumerate(weights):
        builder.add(np.array([node]), np.array([node + 1]), np.array([weight]))
    graph = builder.build(compiled=compiled)
    assert graph.weights.dtype.itemsize * 8 == bits
    assert sorted(graph.weights.tolist()) == sorted(weights)


@BOTH
def test_no_sum_is_rounded(compiled: bool) -> None:
    """0.1 + 2^24 + 1 in 32 bits is 2^24: the edges stay apart, or the sum takes 64 bits."""
    weights = np.array([2.0**24, 1.0, 2.0**-20], dtype=np.float32)
    graph = build(np.zeros(3, int), np.ones(3, int), weights, compiled=compiled)
    assert graph.weights.astype(float).sum() == 2.0**24 + 1 + 2.0**-20


def test_arrays_that_fit_are_not_copied_and_a_built_one_is_small() -> None:
    rng = np.random.default_rng(1)
    sources, targets = rng.integers(0, 20_000, (2, 200_000), dtype=np.uint32)
    graph = build(sources, targets, np.ones(200_000, np.float32), compiled=True)
    assert graph.nbytes <= 10 * 200_000


@BOTH
def test_nodes_without_edges_are_nodes(compiled: bool) -> None:
    graph = build(np.array([1]), np.array([0]), nodes=4, compiled=compiled)
    assert graph.nodes == 4
    assert graph.dangling.sum() == 3


@pytest.mark.parametrize("weight", [np.nan, -1.0, np.inf, -np.inf, -1e-300])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_weight_that_is_none_is_refused_with_its_row(weight: float, dtype: type) -> None:
    if dtype is np.float32 and weight == -1e-300:
        weight = -1e-30
    weights: NDArray[np.floating] = np.array([1.0, 0.0, weight, -2.0], dtype=dtype)
    with pytest.raises(EdgeError, match=r"row 2: the weight is") as raised:
        GraphBuilder().add(np.zeros(4, int), np.zeros(4, int), weights)
    assert raised.value.row == 2


@pytest.mark.parametrize("node", [1 << 32, (1 << 32) + 7, (1 << 63) - 1])
def test_a_node_beyond_32_bits_is_refused_with_its_row(node: int) -> None:
    with pytest.raises(TooManyNodesError, match=rf"row 1: node {node} needs more than 32 bits"):
        GraphBuilder().add(np.array([0, node]), np.array([0, 0]))


def test_more_nodes_than_32_bits_can_number_are_refused() -> None:
    with pytest.raises(TooManyNodesError, match="4,294,967,297 nodes"):
        GraphBuilder().build((1 << 32) + 1)


def test_the_largest_number_is_taken() -> None:
    builder = GraphBuilder()
    builder.add(np.array([(1 << 32) - 1]), np.array([0]))
    with pytest.raises(EdgeError, match="names node 4,294,967,295, and there are 3 nodes"):
        builder.build(3)


def test_row_starts_take_64_bits_when_they_must() -> None:
    assert count_dtype(1 << 31) is np.uint32
    assert count_dtype(1 << 32) is np.uint64


@pytest.mark.parametrize(
    ("sources", "targets", "weights", "problem"),
    [
        ([0, -1], [0, 0], None, "row 1: -1 is no number of a node"),
        ([0, 1], [0], None, "different lengths"),
        ([0, 1], [0, 1], [1.0], "different lengths"),
        ([0.5, 1.0], [0, 1], None, "numbered with integers"),
    ],
)
def test_arrays_that_do_not_fit(
    sources: list[float], targets: list[int], weights: list[float] | None, problem: str
) -> None:
    with pytest.raises(EdgeError, match=problem):
        GraphBuilder().add(
            np.array(sources), np.array(targets), None if weights is None else np.array(weights)
        )


def test_kinds_are_given_for_all_edges_or_for_none() -> None:
    builder = GraphBuilder()
    builder.add(np.array([0]), np.array([1]), kinds=np.array([1], np.uint8))
    with pytest.raises(EdgeError, match="kind"):
        builder.add(np.array([0]), np.array([1]))


@BOTH
@pytest.mark.parametrize("weight", [1e-300, 1e300])
def test_weights_that_floats_cannot_divide_by_are_refused(weight: float, compiled: bool) -> None:
    with pytest.raises(EdgeError, match=r"from node 2 weigh .* scale the weights"):
        build(np.array([0, 2]), np.array([1, 1]), np.array([1.0, weight]), compiled=compiled)
