"""The loops over nodes and edges that numba compiles.

Indices are unsigned throughout: a signed one makes numba check for wraparound, which costs the
solver 1.7 times. `positions` number the nodes in the order in which a graph keeps its rows.
"""

import numba
import numpy as np
from numpy.typing import NDArray

from ranker.compilation import FAST_SUMS, compiled

Floats = NDArray[np.float64]
Numbers = NDArray[np.uint32]
Counts = NDArray[np.unsignedinteger]  # 32 or 64 bits, as the number of edges asks for
Weights = NDArray[np.floating]  # 32 or 64 bits
Kinds = NDArray[np.uint8]  # empty where edges have none

# Degrees above are one bucket: there are few, and the array of buckets stays small.
_LARGEST_DEGREE = 1 << 16


@compiled()
def count(
    sources: Numbers, targets: Numbers, weights: Weights, in_counts: Counts, out_weights: Floats
) -> int:
    """Add a batch of edges to in-degrees (without self-loops) and out-weights (with them).

    Returns the number of self-loops. Edges without weight do not count.
    """
    loops = 0
    for edge in range(sources.size):
        weight = weights[edge]
        if weight > 0.0:
            out_weights[sources[edge]] += weight
            if sources[edge] == targets[edge]:
                loops += 1
            else:
                in_counts[targets[edge]] += np.uint32(1)
    return loops


@compiled()
def arrange(in_counts: Counts, out_weights: Floats, order: Numbers, positions: Numbers) -> None:
    """Order the nodes: falling in-degree, the dangling behind all others.

    Rows of equal length side by side let the processor predict where a row ends, and what is read
    most often stands close together.
    """
    buckets = _LARGEST_DEGREE + 1
    ends = np.zeros(2 * buckets + 1, dtype=np.uint64)
    for node in range(in_counts.size):
        ends[_bucket(in_counts[node], out_weights[node]) + 1] += np.uint64(1)
    for bucket in range(1, ends.size):
        ends[bucket] += ends[bucket - 1]
    for node in range(in_counts.size):
        bucket = _bucket(in_counts[node], out_weights[node])
        position = ends[bucket]
        ends[bucket] = position + np.uint64(1)
        order[position] = node
        positions[node] = position


@compiled()
def _bucket(in_count: np.unsignedinteger, out_weight: float) -> int:
    bucket = _LARGEST_DEGREE - int(min(in_count, np.uint64(_LARGEST_DEGREE)))
    return bucket if out_weight > 0.0 else bucket + _LARGEST_DEGREE + 1


@compiled()
def place(
    sources: Numbers,
    targets: Numbers,
    weights: Weights,
    kinds: Kinds,
    positions: Numbers,
    cursors: Counts,
    row_sources: Numbers,
    row_weights: Weights,
    row_kinds: Kinds,
    loop_positions: Numbers,
    loop_weights: Floats,
    loop_kinds: Kinds,
    loops: int,
) -> int:
    """Put a batch of edges where their targets' rows are; self-loops go to lists of their own.

    `cursors` has for each row where its next edge goes. Returns the number of self-loops so far.
    """
    for edge in range(sources.size):
        if not weights[edge] > 0.0:
            continue
        row = positions[targets[edge]]
        if sources[edge] == targets[edge]:
            loop_positions[loops] = row
            loop_weights[loops] = weights[edge]
            if kinds.size:
                loop_kinds[loops] = kinds[edge]
            loops += 1
            continue
        place_ = cursors[row]
        cursors[row] = place_ + np.uint32(1)
        row_sources[place_] = positions[sources[edge]]
        row_weights[place_] = weights[edge]
        if kinds.size:
            row_kinds[place_] = kinds[edge]
    return loops


@compiled()
def merge(starts: Counts, sources: Numbers, weights: Weights, kinds: Kinds, marks: Counts) -> int:
    """Sum edges of equal source, target and kind, in place; returns how many edges are left.

    `marks` (zeros, one a node) has one more than the place of a source's last edge: within the row
    if that is above the row's start. Edges stay apart where the last one is of another kind, and
    where the sum's type cannot hold it exactly: two edges mean the same, and nothing is rounded.
    """
    left = np.uint64(0)
    begin = np.uint64(starts[0])
    for row in range(starts.size - 1):
        end = np.uint64(starts[row + 1])
        start = left
        starts[row] = start
        for edge in range(begin, end):
            source = sources[edge]
            mark = np.uint64(marks[source])
            if mark > start:
                first = mark - np.uint64(1)
                if not kinds.size or kinds[first] == kinds[edge]:
                    before = weights[first]
                    joint = np.float64(before) + np.float64(weights[edge])
                    weights[first] = joint
                    if np.float64(weights[first]) == joint:
                        continue
                    weights[first] = before
            sources[left] = source
            weights[left] = weights[edge]
            if kinds.size:
                kinds[left] = kinds[edge]
            left += np.uint64(1)
            marks[source] = left
        begin = end
    starts[starts.size - 1] = left
    return int(left)


@compiled(parallel=True, fastmath=FAST_SUMS)
def relax(
    starts: Counts,
    sources: Numbers,
    weights: Weights,
    out_weights: Floats,
    pivots: Floats,
    base: Floats,
    base_scale: float,
    damping: float,
    shares: Floats,
    following: Floats,
    cuts: NDArray[np.uint64],
    sums: Floats,
) -> None:
    """One pass over all rows, from `shares` into `following`.

    Into another array it is a Jacobi pass, repeatable bit for bit. Into `shares` itself it is a
    Gauss–Seidel pass: every row takes the newest shares that it can see.

    `shares` has mass divided by out-weight, or mass itself for a dangling row; `base` one value a
    row, or a single one. Part p is the rows from cuts[p] to cuts[p + 1]; its row of `sums` gets how
    much the others than dangling rows changed, what mass they have, and what the dangling have.
    """
    stride = np.uint64(base.size > 1)
    for part in numba.prange(cuts.size - 1):
        change = 0.0
        moving = 0.0
        dangling = 0.0
        for number in range(cuts[part], cuts[part + 1]):
            row = np.uint64(number)
            total = 0.0
            for edge in range(np.uint64(starts[row]), np.uint64(starts[row + np.uint64(1)])):
                at = np.uint64(edge)
                total += np.float64(weights[at]) * shares[np.uint64(sources[at])]
            share = (base_scale * base[row * stride] + damping * total) / pivots[row]
            if out_weights[row] > 0.0:
                change += abs(share - shares[row]) * pivots[row]
                moving += share * out_weights[row]
            else:
                dangling += share
            following[row] = share
        sums[part, 0] = change
        sums[part, 1] = moving
        sums[part, 2] = dangling
