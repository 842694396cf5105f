"""PageRank as the textbook has it, with SciPy: readable, and slow on large graphs."""

import numpy as np
from scipy import sparse

from ranker.errors import NotConvergedError
from ranker.graph import Floats, Graph
from ranker.parameters import Dangling, Parameters


def iterate(
    graph: Graph, teleport: Floats, start: Floats, parameters: Parameters
) -> tuple[Floats, list[float]]:
    """Scores by position, and the L1 change of each iteration.

    `teleport` and `start` are by position and sum to 1.

    Raises:
        NotConvergedError: the iterations did not suffice.
    """
    flow = _transition_matrix(graph)
    scores = start
    residuals: list[float] = []
    while not residuals or parameters.error_factor * residuals[-1] > parameters.tolerance:
        if len(residuals) == parameters.iteration_limit:
            raise NotConvergedError(
                len(residuals), parameters.error_factor * residuals[-1], parameters.tolerance
            )
        followed = flow @ scores + _dangling_flow(graph, scores, teleport, parameters.dangling)
        new = parameters.damping * followed + (1.0 - parameters.damping) * teleport
        residuals.append(float(np.abs(new - scores).sum()))
        scores = new
    return scores / scores.sum(), residuals


def _transition_matrix(graph: Graph) -> sparse.csr_array:
    """Row v, column u: the share of u's mass that flows to v."""
    nodes = graph.nodes
    shape = (nodes, nodes)
    rows = sparse.csr_array((graph.weights.astype(float), graph.sources, graph.starts), shape=shape)
    loops = (graph.loop_weights, (graph.loop_positions, graph.loop_positions))
    weights = rows + sparse.coo_array(loops, shape=shape)
    shares = np.divide(1.0, graph.out_weights, where=~graph.dangling, out=np.zeros(nodes))
    return sparse.csr_array(weights @ sparse.diags_array(shares))


def _dangling_flow(graph: Graph, scores: Floats, teleport: Floats, dangling: Dangling) -> Floats:
    """What each node gets of the mass of the dangling ones."""
    stuck = np.where(graph.dangling, scores, 0.0)
    if dangling is Dangling.TELEPORT:
        evenly: Floats = stuck.sum() * teleport
        return evenly
    if graph.nodes == 1:
        return stuck
    flow: Floats = (stuck.sum() - stuck) / (graph.nodes - 1)
    return flow
