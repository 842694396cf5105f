"""Graphs that have gone wrong in one PageRank or another."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.unit.ranker.oracles import Edge


@dataclass(frozen=True, kw_only=True)
class NamedGraph:
    nodes: int
    edges: tuple[Edge, ...]


def _random(seed: int, nodes: int, count: int) -> NamedGraph:
    """Power-law weights and targets; some nodes dangle."""
    rng = np.random.default_rng(seed)
    sources = rng.integers(0, nodes - nodes // 20, count)
    targets = np.floor(nodes * rng.random(count) ** 3).astype(int)
    weights = rng.pareto(1.2, count) + 0.01
    edges = zip(sources.tolist(), targets.tolist(), weights.tolist(), strict=True)
    return NamedGraph(nodes=nodes, edges=tuple(edges))


GRAPHS: Final[Mapping[str, NamedGraph]] = {
    "dangling": NamedGraph(nodes=5, edges=((0, 1, 1.0), (0, 2, 2.0), (1, 3, 0.7), (4, 0, 0.1))),
    "disconnected": NamedGraph(
        nodes=7, edges=((0, 1, 1.0), (1, 0, 1.0), (2, 3, 1.0), (3, 4, 0.3), (4, 2, 5.0))
    ),
    "self-loops": NamedGraph(
        nodes=4, edges=((0, 0, 3.0), (0, 1, 1.0), (1, 1, 1.0), (2, 1, 0.2), (2, 2, 0.7))
    ),
    "multi-edges": NamedGraph(
        nodes=3,
        edges=((0, 1, 0.1), (0, 1, 0.2), (0, 2, 0.3), (1, 0, 1.0), (0, 1, 0.1), (2, 2, 1.0)),
    ),
    "zero weights": NamedGraph(
        nodes=4, edges=((0, 1, 0.0), (0, 2, 0.0), (1, 2, 1.0), (1, 3, 0.0), (3, 0, 0.4))
    ),
    "one node": NamedGraph(nodes=1, edges=()),
    "one node on itself": NamedGraph(nodes=1, edges=((0, 0, 2.5),)),
    "only dangling": NamedGraph(nodes=6, edges=((0, 1, 0.0), (2, 3, 0.0))),
    "cycle": NamedGraph(nodes=5, edges=tuple((i, (i + 1) % 5, 1.0) for i in range(5))),
    "two in turn": NamedGraph(nodes=2, edges=((0, 1, 1e-3), (1, 0, 1e6))),
    "star inwards": NamedGraph(nodes=40, edges=tuple((i, 0, 0.1 * i) for i in range(1, 40))),
    "star outwards": NamedGraph(nodes=40, edges=tuple((0, i, 0.1 * i) for i in range(1, 40))),
    "weights far apart": NamedGraph(
        nodes=4, edges=((0, 1, 1e-12), (0, 2, 1e12), (1, 0, 1.0), (2, 3, 1e-9), (3, 0, 1e9))
    ),
    "power law": _random(7, 300, 1800),
}
