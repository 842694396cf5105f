"""The loops that change a graph, compiled by numba; as in `kernels`, indices are unsigned."""

import numba
import numpy as np
from numpy.typing import NDArray

from ranker.compilation import compiled
from ranker.graph import Counts, Floats, Kinds, Numbers, Weights


@compiled()
def changed_lengths(
    starts: Counts,
    sources: Numbers,
    kinds: Kinds,
    rows: Numbers,
    firsts: NDArray[np.uint64],
    new_sources: Numbers,
    new_weights: Floats,
    new_kinds: Kinds,
    marks: Numbers,
    lengths: Counts,
) -> None:
    """The length of each row in `rows`, once its changes are made; goes to `lengths`.

    Row rows[i] has the changes firsts[i] … firsts[i + 1] - 1. `marks` is zeros, one a node.
    """
    for number in range(rows.size):
        row = np.uint64(rows[number])
        first, last = firsts[number], firsts[number + 1]
        tag = np.uint32(number + 1)
        length = 0
        for change in range(first, last):
            marks[new_sources[change]] = tag
            length += new_weights[change] > 0.0
        for edge in range(np.uint64(starts[row]), np.uint64(starts[row + np.uint64(1)])):
            source = sources[edge]
            if marks[source] != tag or not _is_changed(
                source, edge, kinds, first, last, new_sources, new_kinds
            ):
                length += 1
        lengths[row] = length


@compiled()
def _is_changed(
    source: np.uint32,
    edge: np.uint64,
    kinds: Kinds,
    first: np.uint64,
    last: np.uint64,
    new_sources: Numbers,
    new_kinds: Kinds,
) -> bool:
    """Whether a change speaks of this edge, whose source a change does speak of."""
    if not kinds.size:
        return True
    for change in range(first, last):
        if new_sources[change] == source and new_kinds[change] == kinds[edge]:
            return True
    return False


@compiled(parallel=True)
def copy_rows(
    starts: Counts,
    sources: Numbers,
    weights: Weights,
    kinds: Kinds,
    touched: NDArray[np.uint8],
    to_starts: Counts,
    to_sources: Numbers,
    to_weights: Weights,
    to_kinds: Kinds,
) -> None:
    """Copy the rows that are not touched."""
    for number in numba.prange(touched.size):
        row = np.uint64(number)
        if not touched[row]:
            to = np.uint64(to_starts[row])
            for edge in range(np.uint64(starts[row]), np.uint64(starts[row + np.uint64(1)])):
                to_sources[to] = sources[edge]
                to_weights[to] = weights[edge]
                if kinds.size:
                    to_kinds[to] = kinds[edge]
                to += np.uint64(1)


@compiled()
def change_rows(
    starts: Counts,
    sources: Numbers,
    weights: Weights,
    kinds: Kinds,
    rows: Numbers,
    firsts: NDArray[np.uint64],
    new_sources: Numbers,
    new_weights: Floats,
    new_kinds: Kinds,
    marks: Numbers,
    to_starts: Counts,
    to_sources: Numbers,
    to_weights: Weights,
    to_kinds: Kinds,
) -> None:
    """Copy the rows in `rows` without the edges that changes speak of, then add what is new."""
    for number in range(rows.size):
        row = np.uint64(rows[number])
        first, last = firsts[number], firsts[number + 1]
        tag = np.uint32(number + 1)
        to = np.uint64(to_starts[row])
        for change in range(first, last):
            marks[new_sources[change]] = tag
        for edge in range(np.uint64(starts[row]), np.uint64(starts[row + np.uint64(1)])):
            source = sources[edge]
            if marks[source] != tag or not _is_changed(
                source, edge, kinds, first, last, new_sources, new_kinds
            ):
                to_sources[to] = source
                to_weights[to] = weights[edge]
                if kinds.size:
                    to_kinds[to] = kinds[edge]
                to += np.uint64(1)
        for change in range(first, last):
            if new_weights[change] > 0.0:
                to_sources[to] = new_sources[change]
                to_weights[to] = new_weights[change]
                if to_kinds.size:
                    to_kinds[to] = new_kinds[change]
                to += np.uint64(1)


@compiled()
def sum_out_weights(
    sources: Numbers, weights: Weights, wanted: NDArray[np.uint8], out_weights: Floats
) -> None:
    """Add each edge's weight to that of its source, where it is wanted."""
    for edge in range(sources.size):
        source = sources[edge]
        if wanted[source]:
            out_weights[source] += np.float64(weights[edge])


@compiled(parallel=True)
def scale_by_kind(weights: Weights, kinds: Kinds, factors: Floats, to_weights: Weights) -> None:
    """Each weight times the factor of its kind."""
    for number in numba.prange(weights.size):
        edge = np.uint64(number)
        to_weights[edge] = np.float64(weights[edge]) * factors[kinds[edge]]
