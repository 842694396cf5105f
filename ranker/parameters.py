"""What a calculation can be asked for, and what it answers."""

import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from ranker.errors import ParameterError
from ranker.graph import Floats

# What rounding may leave in the residual of a large graph.
_PRECISION: Final = 2e-14


class Dangling(StrEnum):
    """Where the mass of nodes without outgoing edges goes."""

    TELEPORT = "teleport"  # to all nodes, as the teleport vector has it
    OTHERS = "others"  # evenly to all other nodes


class Method(StrEnum):
    """How the equations are solved."""

    GAUSS_SEIDEL = "gauss-seidel"  # compiled, on all cores; the last bits differ from run to run
    JACOBI = "jacobi"  # compiled, on all cores, repeatable bit for bit; about twice the iterations
    POWER = "power"  # power iteration with SciPy: for small graphs, and where numba is missing


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """What is calculated, and how exactly."""

    damping: float = 0.85  # how likely the surfer follows an edge; from 0 to below 1
    dangling: Dangling = Dangling.TELEPORT
    tolerance: float = 1e-9  # the sum of all scores' errors is at most this
    max_iterations: int | None = None  # None: as many as are sure to suffice
    method: Method | None = None  # None: by the size of the graph
    deterministic: bool = (
        False  # whether every run must give the same digits, if no method is named
    )

    def __post_init__(self) -> None:
        if not 0.0 <= self.damping < 1.0:
            raise ParameterError(f"damping {self.damping} must be at least 0 and below 1")
        if not 0.0 < self.tolerance < math.inf:
            raise ParameterError(f"tolerance {self.tolerance} must be above 0")
        if self.max_iterations is not None and self.max_iterations < 1:
            raise ParameterError(f"max_iterations {self.max_iterations} must be at least 1")
        if self.tolerance < self._finest:
            raise ParameterError(
                f"tolerance {self.tolerance:.3g} is finer than double precision can tell at "
                f"damping {self.damping}; the finest is {self._finest:.1g}"
            )

    @property
    def error_factor(self) -> float:
        """An iteration that changes the scores by c leaves an error of at most this times c.

        The equations are y = b + αPᵀy, and ‖(1 - αPᵀ)⁻¹‖ ≤ 1 / (1 - α) in the L1 norm. After an
        iteration (also one whose rows saw newer and older values, as each value changes once) the
        residual is at most α times the change.
        """
        return self.damping / (1.0 - self.damping)

    @property
    def iteration_limit(self) -> int:
        """After how many iterations to give up."""
        if self.max_iterations is not None:
            return self.max_iterations
        if self.damping == 0.0:
            return 2
        # Each iteration shrinks the error at least by the damping; a start may be off by 1/(1-α).
        needed = math.log(self.tolerance * (1.0 - self.damping) ** 2 / 8.0) / math.log(self.damping)
        return math.ceil(needed) + 20

    @property
    def _finest(self) -> float:
        return _PRECISION / (1.0 - self.damping)


@dataclass(frozen=True, kw_only=True, eq=False)
class Prior:
    """Scores of an earlier calculation, from which the new one starts."""

    scores: Floats  # one a node; NaN for nodes that it did not have
    dangling_mass: float | None = None  # of its dangling nodes; None: of those that dangle now
    # By how much scores are expected to have moved since, as they did before: fading is steady. It
    # is tried, at the price of one iteration, and the better of the two starts is taken.
    trend: Floats | None = None  # one a node; None: nothing is expected


@dataclass(frozen=True, kw_only=True, eq=False)
class Solution:
    """Scores, and how they were found."""

    scores: Floats  # one a node, summing to 1
    residuals: tuple[float, ...]  # L1 change of all scores in each iteration
    error_bound: float  # the scores' L1 distance from the exact ones is at most this
    dangling_mass: float  # what the dangling nodes' scores sum to
    method: Method
    seconds: float

    @property
    def iterations(self) -> int:
        """How many there were."""
        return len(self.residuals)

    def as_prior(self) -> Prior:
        """The start of the next calculation, on a graph with the same numbers of nodes."""
        return Prior(scores=self.scores, dangling_mass=self.dangling_mass)

    def grown(self, nodes: int) -> Prior:
        """The start of the next calculation, on a graph to which nodes were added at the end."""
        scores = np.full(nodes, np.nan)
        scores[: len(self.scores)] = self.scores
        return Prior(scores=scores, dangling_mass=self.dangling_mass)
