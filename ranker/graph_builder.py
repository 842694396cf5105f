"""Building a graph from batches of edges, as they come."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranker import plain_assembly
from ranker.compilation import kernels, required_kernels
from ranker.edges import EdgeBatch, checked
from ranker.errors import EdgeError, TooManyNodesError
from ranker.graph import MOST_NODES, Counts, Graph, Kinds, count_dtype

# Below, loading the compiled kernels takes longer than they save.
SMALL_GRAPH = 200_000
_LEAST_WEIGHT, _MOST_WEIGHT = 1e-200, 1e200


class GraphBuilder:
    """Takes batches of edges, then makes the graph of them.

    At its peak the build holds 12 bytes an edge for the batches (which are let go one by one),
    8 for the rows, and 28 a node.
    """

    def __init__(self) -> None:
        self._batches: list[EdgeBatch] = []
        self._nodes = 0

    def add(
        self,
        sources: NDArray[Any],
        targets: NDArray[Any],
        weights: NDArray[Any] | None = None,
        kinds: Kinds | None = None,
    ) -> None:
        """Take edges: numbers of nodes, weights (else 1), kinds of activity (if they matter).

        Raises:
            EdgeError: as `ranker.edges.checked`.
        """
        batch = checked(sources, targets, weights, kinds)
        if not len(batch):
            return
        if self._batches and bool(len(batch.kinds)) != bool(len(self._batches[0].kinds)):
            raise EdgeError("some edges have a kind and others have none; give it for all")
        self._batches.append(batch)
        self._nodes = max(self._nodes, batch.nodes)

    def build(self, nodes: int | None = None, *, compiled: bool | None = None) -> Graph:
        """The graph; the builder is empty afterwards.

        Args:
            nodes: How many there are, if some have no edge; else as the largest number says.
            compiled: Whether to use the compiled kernels; by the size of the graph if None, and
                never where numba is missing.

        Raises:
            EdgeError: an edge names a node that is beyond `nodes`.
            TooManyNodesError: there are more than 2^32 nodes.
        """
        nodes = self._nodes if nodes is None else nodes
        if nodes > MOST_NODES:
            raise TooManyNodesError(f"{nodes:,} nodes; a graph takes {MOST_NODES:,}")
        if nodes < self._nodes:
            raise EdgeError(f"one names node {self._nodes - 1:,}, and there are {nodes:,} nodes")
        batches, self._batches, self._nodes = self._batches, [], 0
        if compiled is None:
            compiled = sum(map(len, batches)) >= SMALL_GRAPH
        if compiled and kernels() is not None:
            graph = _assemble(batches, nodes)
        else:
            graph = plain_assembly.assemble(batches, nodes)
        check_out_weights(graph)
        return graph


def build(
    sources: NDArray[Any],
    targets: NDArray[Any],
    weights: NDArray[Any] | None = None,
    kinds: Kinds | None = None,
    *,
    nodes: int | None = None,
    compiled: bool | None = None,
) -> Graph:
    """The graph of these edges; arguments and errors as those of `GraphBuilder`."""
    builder = GraphBuilder()
    builder.add(sources, targets, weights, kinds)
    return builder.build(nodes, compiled=compiled)


def check_out_weights(graph: Graph) -> None:
    """Mass is divided by out-weights, which must not leave what a float can tell."""
    out = graph.out_weights
    strange = np.flatnonzero((out != 0.0) & ~((out > _LEAST_WEIGHT) & (out < _MOST_WEIGHT)))
    if len(strange):
        node = int(graph.order[strange[0]])
        raise EdgeError(
            f"those from node {node:,} weigh {out[strange[0]]:.3g} together, which is too "
            f"{'much' if out[strange[0]] > 1 else 'little'} to calculate with; scale the weights"
        )


def _assemble(batches: list[EdgeBatch], nodes: int) -> Graph:
    """Counting sort by target: two passes over the batches, the second of which uses them up."""
    kernel = required_kernels()
    count_type = count_dtype(sum(map(len, batches)))
    in_counts = np.zeros(nodes, dtype=count_type)
    out_weights = np.zeros(nodes)
    loops = 0
    for batch in batches:
        loops += kernel.count(batch.sources, batch.targets, batch.weights, in_counts, out_weights)
    order, positions = np.empty(nodes, dtype=np.uint32), np.empty(nodes, dtype=np.uint32)
    kernel.arrange(in_counts, out_weights, order, positions)
    starts = row_starts(in_counts[order])
    del in_counts
    rows = _place(kernel, batches, positions, starts, loops)
    del positions
    sources, weights, kinds, *loop_lists = rows
    left = int(kernel.merge(starts, sources, weights, kinds, np.zeros(nodes, dtype=count_type)))
    return Graph(
        order=order,
        starts=starts,
        sources=_cut(sources, left),
        weights=_cut(weights, left),
        kinds=_cut(kinds, min(left, len(kinds))),
        out_weights=out_weights[order],
        loop_positions=loop_lists[0],
        loop_weights=loop_lists[1],
        loop_kinds=loop_lists[2],
    )


def row_starts(lengths: Counts) -> Counts:
    """Where rows of these lengths start, and behind them where the last one ends."""
    starts = np.zeros(len(lengths) + 1, dtype=lengths.dtype)
    np.cumsum(lengths, out=starts[1:])
    return starts


def _place(
    kernel: Any, batches: list[EdgeBatch], positions: Any, starts: Counts, loops: int
) -> tuple[NDArray[Any], ...]:
    edges = int(starts[-1])
    has_kinds = any(len(batch.kinds) for batch in batches)
    sources = np.empty(edges, dtype=np.uint32)
    weights = np.empty(edges, dtype=weight_dtype([batch.weights for batch in batches]))
    kinds = np.empty(edges if has_kinds else 0, dtype=np.uint8)
    loop_positions, loop_weights = np.empty(loops, dtype=np.uint32), np.empty(loops)
    loop_kinds = np.empty(loops if has_kinds else 0, dtype=np.uint8)
    cursors = starts[:-1].copy()
    done = 0
    batches.reverse()
    while batches:
        one = batches.pop()
        done = kernel.place(
            one.sources, one.targets, one.weights, one.kinds, positions, cursors,
            sources, weights, kinds, loop_positions, loop_weights, loop_kinds, done,
        )  # fmt: skip
    return sources, weights, kinds, loop_positions, loop_weights, loop_kinds


def weight_dtype(weights: Sequence[NDArray[Any]]) -> type[np.floating[Any]]:
    """32 bits if all arrays have them, else 64."""
    return np.float32 if all(one.dtype == np.float32 for one in weights) else np.float64


def _cut(array: NDArray[Any], length: int) -> NDArray[Any]:
    """The first elements; what is behind goes back to the system, without a copy."""
    if length < len(array):
        array.resize(length, refcheck=False)
    return array
