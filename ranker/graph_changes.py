"""Changing a graph, instead of building it anew.

A node keeps its number and its position; new nodes come behind all others. Rows that no change
touches are copied as they are, so that a change costs a fraction of a build.
"""

from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from ranker import compilation
from ranker.edges import EdgeBatch, checked, narrowed
from ranker.errors import EdgeError, TooManyNodesError
from ranker.graph import MOST_NODES, Counts, Floats, Graph, Kinds, Numbers, count_dtype
from ranker.graph_builder import check_out_weights, row_starts

KINDS: Final = 256


def changed(
    graph: Graph,
    sources: NDArray[Any],
    targets: NDArray[Any],
    weights: NDArray[Any],
    kinds: Kinds | None = None,
    *,
    nodes: int | None = None,
) -> Graph:
    """The graph in which each of these edges has the weight that is given for it.

    An edge that is not there is added, one with weight 0 removed; of several changes of one edge
    (of one kind, if the graph has kinds) the last counts. Needs numba. The graph itself stays as it
    is, so that both are in memory for a moment: another 8 bytes an edge.

    Args:
        graph: To be changed.
        sources: Numbers of nodes, as `targets`.
        targets: Numbers of nodes.
        weights: The weights from now on.
        kinds: What sort of activity each edge stands for, if the graph has that.
        nodes: How many there are from now on; else as the largest number says.

    Raises:
        EdgeError: as `ranker.edges.checked`, or kinds are missing or not wanted.
        TooManyNodesError: there are more than 2^32 nodes.
    """
    batch = checked(sources, targets, weights, kinds)
    if len(batch) and bool(len(batch.kinds)) != bool(len(graph.kinds) or len(graph.loop_kinds)):
        raise EdgeError("changes must have kinds if the edges of the graph have, and only then")
    nodes = max(graph.nodes, batch.nodes) if nodes is None else nodes
    if nodes > MOST_NODES:
        raise TooManyNodesError(f"{nodes:,} nodes; a graph takes {MOST_NODES:,}")
    if nodes < max(graph.nodes, batch.nodes):
        raise EdgeError(f"{nodes:,} nodes are fewer than there are")
    grown = _grown(graph, nodes)
    found = _with_changes(grown, _by_row(grown, batch))
    check_out_weights(found)
    return found


def decayed(graph: Graph, factors: Floats) -> Graph:
    """The graph with each weight multiplied by the factor of its kind. Needs numba.

    Weights stay as wide as they are, which may round them: relatively by 6e-8 for those of 32 bits.

    Raises:
        EdgeError: the graph's edges have no kinds, or a factor is not above zero and finite.
    """
    if factors.shape != (KINDS,) or not (factors.min() > 0.0 and factors.max() < np.inf):
        raise EdgeError(f"decay takes {KINDS} factors, one a kind, each above zero and finite")
    if graph.edges and not (len(graph.kinds) or len(graph.loop_kinds)):
        raise EdgeError("they have no kinds to decay by; build the graph with kinds")
    kernels = compilation.change_kernels()
    weights = np.empty_like(graph.weights)
    kernels.scale_by_kind(graph.weights, graph.kinds, factors, weights)
    found = replace(
        graph,
        weights=weights,
        loop_weights=graph.loop_weights * factors[graph.loop_kinds],
        out_weights=np.zeros(graph.nodes),
    )
    _sum_out_weights(found, np.ones(graph.nodes, dtype=np.uint8))
    check_out_weights(found)
    return found


@dataclass(frozen=True, kw_only=True, eq=False)
class _Changes:
    """Changes by position: those of edges grouped by row, and those of self-loops."""

    rows: Numbers  # rows that have any
    firsts: NDArray[np.uint64]  # row rows[i] has the changes firsts[i] … firsts[i + 1] - 1
    sources: Numbers
    weights: Floats
    kinds: Kinds
    loops: EdgeBatch


def _grown(graph: Graph, nodes: int) -> Graph:
    """With nodes that have no edges behind the others."""
    new = nodes - graph.nodes
    if not new:
        return graph
    return replace(
        graph,
        order=np.append(graph.order, np.arange(graph.nodes, nodes, dtype=np.uint32)),
        starts=np.append(graph.starts, np.full(new, graph.starts[-1])),
        out_weights=np.append(graph.out_weights, np.zeros(new)),
    )


def _by_row(graph: Graph, batch: EdgeBatch) -> _Changes:
    positions = np.empty(graph.nodes, dtype=np.uint32)
    positions[graph.order] = np.arange(graph.nodes, dtype=np.uint32)
    rows, sources = positions[batch.targets], positions[batch.sources]
    weights, kinds = batch.weights.astype(np.float64), batch.kinds
    by = np.lexsort((*((kinds,) if len(kinds) else ()), sources, rows))
    keep = by[_last_of_equals(rows[by], sources[by], kinds[by] if len(kinds) else kinds)]
    loop = rows[keep] == sources[keep]
    loops, keep = keep[loop], keep[~loop]
    touched, firsts = np.unique(rows[keep], return_index=True)
    return _Changes(
        rows=touched,
        firsts=np.append(firsts, len(keep)).astype(np.uint64),
        sources=sources[keep],
        weights=weights[keep],
        kinds=kinds[keep] if len(kinds) else kinds,
        loops=EdgeBatch(
            sources=sources[loops],
            targets=rows[loops],
            weights=weights[loops],
            kinds=kinds[loops] if len(kinds) else kinds,
        ),
    )


def _last_of_equals(*columns: NDArray[Any]) -> NDArray[np.bool_]:
    """Where a sorted row differs from the one behind it."""
    last = np.zeros(len(columns[0]), dtype=bool)
    last[-1:] = True
    for column in columns:
        if len(column):
            last[:-1] |= column[1:] != column[:-1]
    return last


def _with_changes(graph: Graph, changes: _Changes) -> Graph:
    kernels = compilation.change_kernels()
    most = int(graph.starts[-1]) + len(changes.sources)
    lengths: Counts = np.diff(graph.starts).astype(count_dtype(most))
    of_changes = (
        changes.rows, changes.firsts, changes.sources, changes.weights, changes.kinds
    )  # fmt: skip
    marks = np.zeros(graph.nodes, dtype=np.uint32)
    kernels.changed_lengths(graph.starts, graph.sources, graph.kinds, *of_changes, marks, lengths)
    rows = (graph.starts, graph.sources, graph.weights, graph.kinds)
    new_rows = _empty_rows(graph, lengths, changes)
    touched = np.zeros(graph.nodes, dtype=np.uint8)
    touched[changes.rows] = 1
    kernels.copy_rows(*rows, touched, *new_rows)
    marks[:] = 0
    kernels.change_rows(*rows, *of_changes, marks, *new_rows)
    starts, sources, weights, kinds = new_rows
    found = replace(
        graph,
        starts=starts,
        sources=sources,
        weights=weights,
        kinds=kinds,
        out_weights=graph.out_weights.copy(),
        **_changed_loops(graph, changes.loops),
    )
    wanted = np.zeros(graph.nodes, dtype=np.uint8)
    wanted[changes.sources] = 1
    wanted[changes.loops.sources] = 1
    _sum_out_weights(found, wanted)
    return found


def _empty_rows(
    graph: Graph, lengths: Counts, changes: _Changes
) -> tuple[Counts, Numbers, NDArray[Any], Kinds]:
    starts = row_starts(lengths)
    edges = int(starts[-1])
    has_kinds = len(graph.kinds) or len(changes.kinds)
    narrow = narrowed(changes.weights).dtype == np.float32
    return (
        starts,
        np.empty(edges, dtype=np.uint32),
        np.empty(edges, dtype=graph.weights.dtype if narrow else np.float64),
        np.empty(edges if has_kinds else 0, dtype=np.uint8),
    )


def _changed_loops(graph: Graph, loops: EdgeBatch) -> dict[str, Any]:
    """The lists of self-loops, without those that changes speak of, and with what is new."""
    has_kinds = len(loops.kinds) > 0
    spoken_of = np.isin(
        _loop_keys(graph.loop_positions, graph.loop_kinds, has_kinds),
        _loop_keys(loops.sources, loops.kinds, has_kinds),
    )
    kept, new = ~spoken_of, loops.weights > 0.0
    return {
        "loop_positions": np.append(graph.loop_positions[kept], loops.sources[new]),
        "loop_weights": np.append(graph.loop_weights[kept], loops.weights[new]),
        "loop_kinds": np.append(graph.loop_kinds[kept], loops.kinds[new])
        if has_kinds
        else graph.loop_kinds,
    }


def _loop_keys(positions: Numbers, kinds: Kinds, has_kinds: bool) -> NDArray[np.uint64]:
    keys = positions.astype(np.uint64) * np.uint64(KINDS)
    return keys + kinds if has_kinds else keys


def _sum_out_weights(graph: Graph, wanted: NDArray[np.uint8]) -> None:
    """Sum anew, where it is wanted: adding and subtracting would leave rounding errors behind."""
    out = graph.out_weights
    out[wanted > 0] = 0.0
    compilation.change_kernels().sum_out_weights(graph.sources, graph.weights, wanted, out)
    loops = wanted[graph.loop_positions] > 0
    np.add.at(out, graph.loop_positions[loops], graph.loop_weights[loops])
