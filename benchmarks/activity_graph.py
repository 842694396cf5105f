"""A generated graph of activities: power laws within and between communities, some nodes dangling.

A graph whose edges are drawn at random throughout converges so fast that it tells nothing.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

INSIDE: Final = 0.9  # how many edges stay within their community
DANGLING: Final = 0.038
COMMUNITY: Final = 500  # nodes, on the average
MOST_ACTIVE: Final = 3_000  # times as active as the average, at most
KINDS: Final = 4
HALF_LIVES: Final = (30.0, 90.0, 180.0, 365.0)  # days, by kind
_GRID: Final = 256  # weights are multiples of 1/256, as damped counts times signal weights


@dataclass(frozen=True, kw_only=True, eq=False)
class ActivityGraph:
    """Arrays of edges."""

    sources: NDArray[np.uint32]
    targets: NDArray[np.uint32]
    weights: NDArray[np.float32]
    kinds: NDArray[np.uint8]


def generate(nodes: int, edges: int, *, seed: int) -> ActivityGraph:
    """The same for the same arguments. Numbers of nodes tell nothing of communities."""
    rng = np.random.default_rng(seed)
    bounds = _communities(rng, nodes)
    community = np.repeat(np.arange(len(bounds) - 1), np.diff(bounds))
    sources = _sources(rng, nodes, edges)
    at = community[sources]
    sizes = (bounds[at + 1] - bounds[at]).astype(np.float64)
    targets = bounds[at] + np.floor(sizes * rng.random(edges) ** 3).astype(np.int64)
    outside = np.flatnonzero(rng.random(edges) >= INSIDE)
    popular = rng.permutation(nodes)
    targets[outside] = popular[np.floor(nodes * rng.random(len(outside)) ** 4).astype(np.int64)]
    targets = np.where(targets == sources, (targets + 1) % nodes, targets)
    names = rng.permutation(nodes).astype(np.uint32)
    weights = np.maximum(np.round(np.exp(rng.normal(0.0, 1.0, edges)) * _GRID), 1.0) / _GRID
    return ActivityGraph(
        sources=names[sources],
        targets=names[targets],
        weights=weights.astype(np.float32),
        kinds=rng.integers(0, KINDS, edges).astype(np.uint8),
    )


def _communities(rng: np.random.Generator, nodes: int) -> NDArray[np.int64]:
    """Where each community begins, and behind the last where it ends."""
    shares = rng.pareto(1.5, max(1, nodes // COMMUNITY)) + 1.0
    ends = np.floor(np.cumsum(shares) / shares.sum() * nodes).astype(np.int64)
    ends[-1] = nodes
    return np.concatenate([[0], ends])


def _sources(rng: np.random.Generator, nodes: int, edges: int) -> NDArray[np.int64]:
    """Who acts, once an edge: every node that does not dangle at least once if there is room."""
    activity = np.minimum(rng.pareto(1.6, nodes) + 0.3, MOST_ACTIVE)
    activity[rng.random(nodes) < DANGLING] = 0.0
    cumulated = np.cumsum(activity)
    sources = np.searchsorted(cumulated, rng.random(edges) * cumulated[-1], side="right")
    active = np.flatnonzero(activity > 0.0)[:edges]
    sources[: len(active)] = active
    return rng.permutation(sources)
