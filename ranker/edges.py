"""Batches of edges between numbered nodes, checked."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ranker.errors import EdgeError, TooManyNodesError
from ranker.graph import MOST_NODES, Kinds, Numbers, Weights

_NO_KINDS: Kinds = np.empty(0, dtype=np.uint8)


@dataclass(frozen=True, kw_only=True, eq=False)
class EdgeBatch:
    """Some edges. Rows of the four arrays belong together."""

    sources: Numbers  # numbers of nodes
    targets: Numbers
    weights: Weights  # 32 bits where those hold every weight exactly, else 64
    kinds: Kinds  # empty if edges have none

    def __len__(self) -> int:
        return len(self.sources)

    @property
    def nodes(self) -> int:
        """One more than the largest number of a node."""
        return 1 + int(max(self.sources.max(), self.targets.max())) if len(self) else 0


def checked(
    sources: NDArray[Any],
    targets: NDArray[Any],
    weights: NDArray[Any] | None = None,
    kinds: Kinds | None = None,
) -> EdgeBatch:
    """A batch of arrays of equal length; without weights, each edge weighs 1.

    Arrays that fit are not copied.

    Raises:
        EdgeError: a weight is not a number, infinite or below zero, a number of a node is no
            natural number, or the lengths differ; the message has the row, counted from 0.
        TooManyNodesError: a number of a node needs more than 32 bits.
    """
    if weights is None:
        weights = np.ones(len(sources), dtype=np.float32)
    lengths = {len(sources), len(targets), len(weights)} | (
        {len(kinds)} if kinds is not None else set()
    )
    if len(lengths) > 1:
        raise EdgeError(f"the arrays have different lengths: {sorted(lengths)}")
    _check_weights(weights)
    return EdgeBatch(
        sources=_numbers(sources),
        targets=_numbers(targets),
        weights=narrowed(weights),
        kinds=_NO_KINDS if kinds is None else kinds.astype(np.uint8, copy=False),
    )


def _check_weights(weights: NDArray[Any]) -> None:
    # A NaN becomes the minimum, so that two passes without any copy find all that is wrong.
    if not len(weights) or (weights.min() >= 0 and weights.max() < np.inf):
        return
    row = int(np.flatnonzero(~((weights >= 0) & (weights < np.inf)))[0])
    raise EdgeError(
        f"the weight is {weights[row]}; give a finite number that is not below zero", row=row
    )


def _numbers(values: NDArray[Any]) -> Numbers:
    if values.dtype == np.uint32:
        return values
    if not np.issubdtype(values.dtype, np.integer):
        raise EdgeError(f"nodes are numbered with integers, not with {values.dtype}")
    if len(values) and values.min() < 0:
        row = int(np.argmin(values))
        raise EdgeError(f"{values[row]} is no number of a node; they begin at 0", row=row)
    if len(values) and values.max() >= MOST_NODES:
        row = int(np.argmax(values))
        raise TooManyNodesError(
            f"node {values[row]} needs more than 32 bits; a graph takes {MOST_NODES:,} nodes",
            row=row,
        )
    return values.astype(np.uint32)


def narrowed(weights: NDArray[Any]) -> Weights:
    """Weights with 32 bits, if those hold each exactly: half the memory, and nothing is rounded."""
    if weights.dtype == np.float32:
        return weights
    wide = weights.astype(np.float64, copy=False)
    with np.errstate(over="ignore"):
        narrow = wide.astype(np.float32)
    return narrow if np.array_equal(narrow, wide) else wide
