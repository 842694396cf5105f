"""DiscoRank of a graph: PageRank with weighted edges, from scratch or from a prior.

x = α(Pᵀx + what the dangling give) + (1 - α)t: the score of a node is the chance to meet a surfer
there who follows edges by their weights with probability α (the damping), and otherwise jumps
anywhere as the teleport vector t says.
"""

import time
from dataclasses import dataclass, replace

import numpy as np

from ranker import power_iteration
from ranker.compilation import kernels
from ranker.errors import EmptyGraphError, ParameterError
from ranker.graph import Floats, Graph
from ranker.graph_builder import SMALL_GRAPH
from ranker.parameters import Dangling, Method, Parameters, Prior, Solution
from ranker.relaxation import Relaxation


def solve(
    graph: Graph,
    parameters: Parameters | None = None,
    *,
    teleport: Floats | None = None,
    prior: Prior | None = None,
) -> Solution:
    """The scores of all nodes, to within `Parameters.tolerance` of the exact ones in L1.

    Args:
        graph: Of at least one node.
        parameters: The defaults if None.
        teleport: Where surfers jump to, one value a node, of any positive sum; uniform if None.
        prior: Scores to start from; it changes how long it takes, not what comes out.

    Raises:
        EmptyGraphError: there is no node.
        NotConvergedError: the iterations did not suffice.
        ParameterError: the teleport vector or the prior does not fit.
    """
    began = time.perf_counter()
    if graph.nodes == 0:
        raise EmptyGraphError(
            "the graph has no nodes, so that there is nothing to rank; give edges"
        )
    parameters = parameters or Parameters()
    parameters = replace(parameters, method=_method(graph, parameters))
    jumps = None if teleport is None else graph.by_position(_checked_teleport(teleport, graph))
    if prior is not None:
        _check_prior(prior, graph)
    found = _solve(graph, parameters, jumps, prior)
    scores = found.scores / found.scores.sum()
    assert parameters.method is not None
    return Solution(
        scores=graph.by_node(scores),
        residuals=tuple(found.residuals),
        error_bound=found.bound,
        dangling_mass=float(scores[graph.dangling].sum()),
        method=parameters.method,
        seconds=time.perf_counter() - began,
    )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Found:
    scores: Floats  # by position, of any sum
    residuals: list[float]
    bound: float


def _solve(
    graph: Graph, parameters: Parameters, jumps: Floats | None, prior: Prior | None
) -> _Found:
    if parameters.method is Method.POWER:
        return _by_power(graph, parameters, jumps, prior)
    return _by_relaxation(graph, parameters, jumps, prior)


def _by_power(
    graph: Graph, parameters: Parameters, jumps: Floats | None, prior: Prior | None
) -> _Found:
    teleport = np.full(graph.nodes, 1.0 / graph.nodes) if jumps is None else jumps
    start = _start(graph, parameters, teleport, prior)
    scores, residuals = power_iteration.iterate(graph, teleport, start / start.sum(), parameters)
    return _Found(scores=scores, residuals=residuals, bound=parameters.error_factor * residuals[-1])


def _by_relaxation(
    graph: Graph, parameters: Parameters, jumps: Floats | None, prior: Prior | None
) -> _Found:
    if jumps is not None and parameters.dangling is Dangling.OTHERS and graph.nodes > 1:
        return _by_two_solutions(graph, parameters, jumps)
    base = np.full(1, 1.0 / graph.nodes) if jumps is None else jumps
    starts = [_start(graph, parameters, base, prior)]
    if prior is not None and prior.trend is not None:
        starts.append(_start(graph, parameters, base, _moved(prior, prior.trend)))
    masses, residuals, bound = Relaxation(graph, parameters).solve(
        base, *starts, dangling_mass=None if prior is None else prior.dangling_mass
    )
    return _Found(scores=masses, residuals=residuals, bound=bound)


def _by_two_solutions(graph: Graph, parameters: Parameters, jumps: Floats) -> _Found:
    """Solve x = (1 - α) u + c v, where u solves the equations for the teleport vector, v for 1/n.

    What the dangling give is uniform: c = α d n / (n - 1) with d = (1 - α) D(u) + c D(v), where D
    sums what is dangling. Both start from scratch.
    """
    # What the dangling have together may be off by 1 / (1 - α) times as much as either solution.
    tightened = (1.0 - parameters.damping) / 4.0
    relaxation = Relaxation(graph, replace(parameters, tolerance=parameters.tolerance * tightened))
    uniform = np.full(1, 1.0 / graph.nodes)
    masses, residuals, bound = relaxation.solve(jumps, jumps.copy())
    spread, more, other_bound = relaxation.solve(uniform, np.full(graph.nodes, 1.0 / graph.nodes))
    masses *= 1.0 - parameters.damping
    factor = parameters.damping * graph.nodes / (graph.nodes - 1)
    dangling = masses[graph.dangling].sum() / (1.0 - factor * spread[graph.dangling].sum())
    return _Found(
        scores=masses + factor * dangling * spread,
        residuals=[*residuals, *more],
        bound=max(bound, other_bound) / tightened,
    )


def _start(graph: Graph, parameters: Parameters, base: Floats, prior: Prior | None) -> Floats:
    """The prior, by position; nodes that it does not know have what they get by teleport alone."""
    everywhere = np.broadcast_to(base, graph.nodes)
    if prior is None:
        return everywhere.copy()
    known = graph.by_position(prior.scores)
    start = np.where(np.isnan(known), everywhere * (1.0 - parameters.damping), known)
    # Scaled: what is left of a prior may be so small that nothing could be multiplied with it.
    total = float(start.sum())
    return start / total if total > 0.0 else everywhere.copy()


def _moved(prior: Prior, trend: Floats) -> Prior:
    """The prior as its trend would have it now."""
    return replace(prior, scores=np.maximum(prior.scores + trend, 0.0), trend=None)


def _method(graph: Graph, parameters: Parameters) -> Method:
    if parameters.method is None:
        if graph.edges < SMALL_GRAPH or kernels() is None:
            return Method.POWER
        return Method.JACOBI if parameters.deterministic else Method.GAUSS_SEIDEL
    if parameters.method is not Method.POWER and kernels() is None:
        raise ParameterError(
            f"method {parameters.method} needs numba, which cannot be imported; install it, or "
            f"use {Method.POWER}"
        )
    return parameters.method


def _checked_teleport(teleport: Floats, graph: Graph) -> Floats:
    """The vector with the sum 1."""
    if teleport.shape != (graph.nodes,):
        raise ParameterError(
            f"the teleport vector has {teleport.size:,} values, "
            f"but there are {graph.nodes:,} nodes; give one for each"
        )
    total = teleport.sum()
    if not (teleport.min() >= 0.0 and 0.0 < total < np.inf):
        raise ParameterError(
            "the teleport vector must be finite, nowhere below zero, and somewhere above"
        )
    scaled: Floats = teleport / total
    return scaled


def _check_prior(prior: Prior, graph: Graph) -> None:
    if prior.scores.shape != (graph.nodes,):
        raise ParameterError(
            f"the prior has {prior.scores.size:,} scores, "
            f"but there are {graph.nodes:,} nodes; give one for each"
        )
    if prior.trend is not None and not (
        prior.trend.shape == (graph.nodes,) and np.isfinite(prior.trend).all()
    ):
        raise ParameterError("the prior's trend must have one finite value for each node")
    if np.nanmin(prior.scores, initial=0.0) < 0.0 or np.nanmax(prior.scores, initial=0.0) > 1.0:
        raise ParameterError("the prior's scores must be from 0 to 1")
