"""The graph as the solver reads it: rows of incoming edges, in an order that is quick to read."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Numbers = NDArray[np.uint32]
Counts = NDArray[np.unsignedinteger]
Weights = NDArray[np.floating]
Kinds = NDArray[np.uint8]

#: Nodes are numbered with unsigned 32 bits.
MOST_NODES: Final = 1 << 32
_MOST_EDGES_OF_32_BITS: Final = (1 << 32) - 2


def count_dtype(edges: int) -> type[np.uint32] | type[np.uint64]:
    """The type of row starts: 32 bits as long as those can count so many edges."""
    return np.uint32 if edges <= _MOST_EDGES_OF_32_BITS else np.uint64


@dataclass(frozen=True, kw_only=True, eq=False)
class Graph:
    """Nodes 0 … n-1 and their weighted edges, in compressed rows by target.

    A node's row stands at its *position*. Rows hold positions, not node numbers. Self-loops are
    kept apart. An edge takes 8 bytes (12 with weights that 32 bits cannot hold, one more with
    kinds), a node 16 (20 from 2^32 edges on).
    """

    order: Numbers  # the node at each position
    starts: Counts  # row p has the edges starts[p] … starts[p + 1] - 1; n + 1 numbers
    sources: Numbers  # position of each edge's source
    weights: Weights  # weight of each edge, above zero
    kinds: Kinds  # what sort of activity each edge stands for; empty if nobody asked
    out_weights: Floats  # what each position's outgoing edges weigh, self-loops too
    loop_positions: Numbers  # where there are self-loops; a position may come twice
    loop_weights: Floats
    loop_kinds: Kinds

    @property
    def nodes(self) -> int:
        """How many nodes there are."""
        return len(self.order)

    @property
    def edges(self) -> int:
        """How many edges count: with a weight, duplicates summed."""
        return len(self.sources) + len(self.loop_positions)

    @cached_property
    def dangling(self) -> NDArray[np.bool_]:
        """Which positions have no outgoing edge."""
        found: NDArray[np.bool_] = self.out_weights == 0.0
        return found

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(
            array.nbytes
            for array in (
                self.order,
                self.starts,
                self.sources,
                self.weights,
                self.kinds,
                self.out_weights,
                self.loop_positions,
                self.loop_weights,
                self.loop_kinds,
            )
        )

    def by_position(self, values: Floats) -> Floats:
        """Values of nodes, in the order of their positions."""
        return values[self.order]

    def by_node(self, values: Floats) -> Floats:
        """Values of positions, in the order of the nodes' numbers."""
        found = np.empty_like(values)
        found[self.order] = values
        return found
