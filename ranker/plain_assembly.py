"""Assembling a graph with NumPy alone: for small graphs, and where numba is missing."""

import numpy as np
from numpy.typing import NDArray

from ranker.edges import EdgeBatch, narrowed
from ranker.graph import Floats, Graph, Kinds, Numbers, count_dtype


def assemble(batches: list[EdgeBatch], nodes: int) -> Graph:
    """The graph of all batches."""
    sources, targets, weights, kinds = _joined(batches)
    loop = sources == targets
    out_weights: Floats = np.bincount(sources, weights, nodes).astype(np.float64)
    in_counts = np.bincount(targets[~loop], minlength=nodes)
    order = np.lexsort((-in_counts, out_weights == 0.0)).astype(np.uint32)
    positions = np.empty(nodes, dtype=np.uint32)
    positions[order] = np.arange(nodes, dtype=np.uint32)
    rows = positions[targets[~loop]]
    row_sources = positions[sources[~loop]]
    row_kinds = kinds[~loop] if len(kinds) else kinds
    rows, row_sources, row_weights, row_kinds = _summed(
        rows, row_sources, weights[~loop], row_kinds
    )
    return Graph(
        order=order,
        starts=np.searchsorted(rows, np.arange(nodes + 1)).astype(count_dtype(len(rows))),
        sources=row_sources,
        weights=narrowed(row_weights),
        kinds=row_kinds,
        out_weights=out_weights[order],
        loop_positions=positions[targets[loop]],
        loop_weights=weights[loop],
        loop_kinds=kinds[loop] if len(kinds) else kinds,
    )


def _joined(batches: list[EdgeBatch]) -> tuple[Numbers, Numbers, Floats, Kinds]:
    """All edges that have a weight."""
    empty = np.empty(0, dtype=np.uint32)
    sources = np.concatenate([empty, *(batch.sources for batch in batches)])
    targets = np.concatenate([empty, *(batch.targets for batch in batches)])
    weights = np.concatenate([np.empty(0), *(batch.weights for batch in batches)])
    kinds = np.concatenate([empty[:0].astype(np.uint8), *(batch.kinds for batch in batches)])
    counts = weights > 0.0
    return (
        sources[counts],
        targets[counts],
        weights[counts],
        kinds[counts] if len(kinds) else kinds,
    )


def _summed(
    rows: Numbers, sources: Numbers, weights: Floats, kinds: Kinds
) -> tuple[Numbers, Numbers, Floats, Kinds]:
    """Edges by row, source and kind, those that are equal in all three made one."""
    by = np.lexsort((kinds, sources, rows)) if len(kinds) else np.lexsort((sources, rows))
    rows, sources, weights = rows[by], sources[by], weights[by]
    kinds = kinds[by] if len(kinds) else kinds
    differs = _differs(rows) | _differs(sources) | (_differs(kinds) if len(kinds) else False)
    first = np.flatnonzero(differs)
    summed = np.add.reduceat(weights, first) if len(first) else weights
    return rows[first], sources[first], summed, kinds[first] if len(kinds) else kinds


def _differs(values: NDArray[np.unsignedinteger]) -> NDArray[np.bool_]:
    """Where a value is not the one before it."""
    found = np.ones(len(values), dtype=bool)
    found[1:] = values[1:] != values[:-1]
    return found
