"""Solving y = b + αPᵀy by relaxation with compiled passes over all rows, from any start.

The mass of the dangling nodes is in no equation: it only scales the solution, which is normalised
at the end. So the scale is free, and each pass is followed by a choice of it: b is multiplied so
that the residuals of all rows sum to zero. That takes the error along the solution itself out, the
slowest of all, for nothing.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ranker.compilation import required_kernels
from ranker.errors import NotConvergedError
from ranker.graph import Floats, Graph
from ranker.parameters import Dangling, Method, Parameters

_ROW_COST = 2  # reading a row costs about as much as so many edges
# Many, for long sums lose digits; a fixed number, so that they are the same on any number of cores.
_PARTS = 256


@dataclass(frozen=True, kw_only=True, eq=False)
class _State:
    """Where a solution stands after a pass."""

    shares: Floats  # by position
    scale: float  # what b is multiplied with in the next pass
    change: float  # of the last pass
    bound: float  # of the error


def _bound(state: _State) -> float:
    return state.bound


class Relaxation:
    """The compiled kernels with the arrays that they need for one graph."""

    def __init__(self, graph: Graph, parameters: Parameters) -> None:
        """`Parameters.method` says which kernel. Numba must be there."""
        self._graph = graph
        self._parameters = parameters
        self._kernels = required_kernels()
        self._kept = _kept_by_dangling(graph, parameters)
        self._pivots = _pivots(graph, parameters.damping, self._kept)
        self._cuts = _cuts(graph, _PARTS)
        self._sums = np.zeros((_PARTS, 3))
        self._following = np.empty(graph.nodes) if parameters.method is Method.JACOBI else None

    def solve(
        self, base: Floats, *starts: Floats, dangling_mass: float | None = None
    ) -> tuple[Floats, list[float], float]:
        """The y of every position; the change of each pass; an error bound.

        Changes and bound are L1, relative to the sum of y. Of several starts each gets one pass,
        and the best of them, by the bound, all others.

        Args:
            base: b by position, or one value for all.
            starts: y to begin with, by position, of any scale; are used up.
            dangling_mass: What part of the starts' mass dangles, if not what the graph says.

        Raises:
            NotConvergedError: the iterations did not suffice.
        """
        parameters, total_base = self._parameters, self._total(base)
        begun = (self._begin(total_base, start, dangling_mass) for start in starts)
        state = min((self._pass(base, total_base, one) for one in begun), key=_bound)
        residuals = [state.change]
        while state.bound > parameters.tolerance:
            if len(residuals) == parameters.iteration_limit:
                raise NotConvergedError(len(residuals), state.bound, parameters.tolerance)
            state = self._pass(base, total_base, state)
            residuals.append(state.change)
        return self._masses(state.shares) / state.scale, residuals, state.bound

    def _begin(self, total_base: float, start: Floats, dangling_mass: float | None) -> "_State":
        dangling = float(start[self._graph.dangling].sum())
        scale = self._scale(total_base, float(start.sum()), dangling, dangling_mass)
        return _State(shares=self._shares(start), scale=scale, change=np.inf, bound=np.inf)

    def _pass(self, base: Floats, total_base: float, state: "_State") -> "_State":
        damping = self._parameters.damping
        shares = self._iterate(base, state.scale, state.shares)
        change, moving, dangling = self._sums.sum(axis=0)
        mass = moving + dangling
        scale = self._scale(total_base, mass, dangling)
        # The residual's norm by the new scale, times that of the inverse.
        residual = damping * change + abs(scale - state.scale) * total_base
        return _State(
            shares=shares,
            scale=scale,
            change=float(change / mass),
            bound=float(residual / mass / (1.0 - damping)),
        )

    def _scale(
        self, total_base: float, mass: float, dangling: float, told: float | None = None
    ) -> float:
        """What to multiply b with, so that the residuals of y sum to zero."""
        dangling = dangling if told is None else told * mass
        damping = self._parameters.damping
        return float((mass - damping * (mass - dangling) + self._kept * dangling) / total_base)

    def _iterate(self, base: Floats, scale: float, shares: Floats) -> Floats:
        graph, damping = self._graph, self._parameters.damping
        rows = (graph.starts, graph.sources, graph.weights, graph.out_weights, self._pivots)
        following = shares if self._following is None else self._following
        self._kernels.relax(*rows, base, scale, damping, shares, following, self._cuts, self._sums)
        if self._following is not None:
            self._following = shares
        return following

    def _shares(self, masses: Floats) -> Floats:
        np.divide(masses, self._graph.out_weights, where=~self._graph.dangling, out=masses)
        return masses

    def _masses(self, shares: Floats) -> Floats:
        np.multiply(shares, self._graph.out_weights, where=~self._graph.dangling, out=shares)
        return shares

    def _total(self, base: Floats) -> float:
        return float(base.sum()) * (self._graph.nodes if base.size == 1 else 1)


def _kept_by_dangling(graph: Graph, parameters: Parameters) -> float:
    """What a dangling row has on its diagonal beyond 1: it gets nothing of its own mass."""
    others = parameters.dangling is Dangling.OTHERS and graph.nodes > 1
    return parameters.damping / (graph.nodes - 1) if others else 0.0


def _pivots(graph: Graph, damping: float, kept: float) -> Floats:
    """What a row's sum is divided by to give its share: out-weight, less the damped self-loop."""
    pivots = np.where(graph.dangling, 1.0 + kept, graph.out_weights)
    np.subtract.at(pivots, graph.loop_positions, damping * graph.loop_weights)
    return pivots


def _cuts(graph: Graph, parts: int) -> NDArray[np.uint64]:
    """Rows at which to cut them into parts of equal work."""
    cost = graph.starts + _ROW_COST * np.arange(graph.nodes + 1, dtype=np.uint64)
    cuts = np.searchsorted(cost, np.linspace(0.0, float(cost[-1]), parts + 1))
    cuts[0], cuts[-1] = 0, graph.nodes
    return cuts.astype(np.uint64)
