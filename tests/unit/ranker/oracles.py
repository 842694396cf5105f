"""PageRank by other means: dense linear algebra, and networkx."""

from collections.abc import Sequence

import networkx as nx
import numpy as np

from ranker.graph import Floats

Edge = tuple[int, int, float]


def dense(
    edges: Sequence[Edge],
    nodes: int,
    *,
    damping: float,
    others: bool,
    teleport: Floats | None = None,
) -> Floats:
    """Solve (1 - αM)x = (1 - α)t, with the matrix M written out: column u says where u's mass goes.

    Nothing here is shared with the solver: no rows, no iteration, no normalisation.
    """
    jumps = np.full(nodes, 1.0 / nodes) if teleport is None else teleport / teleport.sum()
    matrix = np.zeros((nodes, nodes))
    for source, target, weight in edges:
        matrix[target, source] += weight
    for node in range(nodes):
        total = matrix[:, node].sum()
        if total > 0.0:
            matrix[:, node] /= total
        elif not others:
            matrix[:, node] = jumps
        elif nodes == 1:
            matrix[:, node] = 1.0
        else:
            matrix[:, node] = 1.0 / (nodes - 1)
            matrix[node, node] = 0.0
    solution: Floats = np.linalg.solve(np.eye(nodes) - damping * matrix, (1.0 - damping) * jumps)
    return solution


def by_networkx(
    edges: Sequence[Edge], nodes: int, *, damping: float, teleport: Floats | None = None
) -> Floats:
    graph = nx.MultiDiGraph()
    graph.add_nodes_from(range(nodes))
    graph.add_weighted_edges_from(edges)
    jumps = None if teleport is None else dict(enumerate(teleport))
    found = nx.pagerank(
        graph, alpha=damping, personalization=jumps, tol=1e-15 / nodes, max_iter=10_000
    )
    return np.array([found[node] for node in range(nodes)])
