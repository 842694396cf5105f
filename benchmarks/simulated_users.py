"""Simulated users: what they like and how they click is known, so that it is known what to find.

A user looks for one of some queries, whose hits attract him more or less. He examines a position
with a probability that falls with it, and clicks a hit that he examines if it attracts him (the
position-based model). Variants rank the hits of a query by how attractive they are, more or less
well.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from evaluation.experiments.interleaving import FIRST, team_draft

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

QUERIES: Final = 1_000
HITS: Final = 30  # of a query
SHOWN: Final = 10
EXAMINATION: Final[Floats] = 1 / np.arange(1, SHOWN + 1) ** 0.7
_DRAFTS: Final = 10  # of each query, of which a session gets one


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """What users like, and how two variants rank it."""

    attraction: Floats  # of each hit of each query, 0 to 1
    worse: Integers  # hits of each query, best first, by one variant
    better: Integers  # by the other


@dataclass(frozen=True, kw_only=True, eq=False)
class Sessions:
    """A search each: which hits were shown, and which were clicked."""

    query: Integers
    hits: Integers  # a row each, by position
    clicked: NDArray[np.bool_]  # likewise


def world(seed: int) -> World:
    """A world in which one variant is a little better than the other.

    The better one is the worse one with some neighbours put into their right order, as a better
    weight of a field would.
    """
    rng = np.random.default_rng(seed)
    attraction = rng.beta(0.6, 3.0, size=(QUERIES, HITS))
    noisy = attraction + rng.normal(0, 0.25, size=attraction.shape)
    worse = np.argsort(-noisy, axis=1)
    better = np.argsort(-(noisy + 0.12 * attraction), axis=1)
    return World(attraction=attraction, worse=worse, better=better)


def searched(world: World, rankings: Integers, count: int, rng: np.random.Generator) -> Sessions:
    """Sessions that one variant answers."""
    query = rng.integers(QUERIES, size=count)
    return _clicked(world, query, rankings[query, :SHOWN], rng)


def reciprocal_ranks(sessions: Sessions) -> Floats:
    """The value of each session: 1 / position of the best clicked hit, or 0."""
    best = sessions.clicked.argmax(axis=1)
    values: Floats = np.where(sessions.clicked.any(axis=1), 1 / (best + 1), 0.0)
    return values


class Interleaver:
    """Two variants in one list, drafted as the query API does."""

    def __init__(self, world: World, first: Integers, second: Integers) -> None:
        self._world = world
        drafts = [
            [
                team_draft(
                    first[query].tolist(), second[query].tolist(), seed=f"{query}-{one}", most=SHOWN
                )
                for one in range(_DRAFTS)
            ]
            for query in range(QUERIES)
        ]
        self._hits = np.array([[[hit for hit, _ in one] for one in some] for some in drafts])
        self._points = np.array(
            [[[-1 if team == FIRST else 1 for _, team in one] for one in some] for some in drafts]
        )

    def credits(self, count: int, rng: np.random.Generator) -> Floats:
        """Which variant each session clicked more of: -1 the first, 1 the second, 0 neither."""
        query = rng.integers(QUERIES, size=count)
        draft = rng.integers(_DRAFTS, size=count)
        sessions = _clicked(self._world, query, self._hits[query, draft], rng)
        points = np.where(sessions.clicked, self._points[query, draft], 0).sum(axis=1)
        signs: Floats = np.sign(points).astype(np.float64)
        return signs


def _clicked(world: World, query: Integers, hits: Integers, rng: np.random.Generator) -> Sessions:
    chance = EXAMINATION * world.attraction[query[:, None], hits]
    return Sessions(query=query, hits=hits, clicked=rng.random(hits.shape) < chance)
