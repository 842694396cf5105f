"""Explanations: which neighbours give an entity its score, and by which signal.

A score is the sum of what comes in along edges (each neighbour passes on its damped score, shared
among its edges by weight), and of what everybody gets who can be jumped to.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from core.rank_editions import Edition
from ranker.editions import graph_of, number_of, ranked_of


@dataclass(frozen=True, kw_only=True)
class Contribution:
    """What one neighbour gives by one signal."""

    type: str
    id: int
    signal: str
    share: float  # of the score that is explained
    of_its_own: float  # the share of what the neighbour passes on that goes this way


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """Where a score comes from. All shares are of it, and sum to 1 (up to the error bound)."""

    type: str
    id: int
    score: float
    rank: int
    place: int  # among those of its type, from 1
    neighbours: int  # that point at it
    signals: dict[str, float]  # share by signal, the largest first
    jumps: float  # share that everybody gets
    contributions: Sequence[Contribution]  # the largest first


def explain(edition: Edition, kind: str, one: int, *, top: int) -> Explanation:
    """Where the score of an entity comes from.

    Raises:
        UnknownEntityError: the edition does not rank it.
        RankStoreError: the edition is damaged.
    """
    ranked, graph = ranked_of(edition), graph_of(edition)
    number = number_of(ranked, kind, one)
    position = int(np.flatnonzero(graph.order == number)[0])
    row = slice(int(graph.starts[position]), int(graph.starts[position + 1]))
    sources = graph.sources[row]
    neighbours = graph.order[sources]
    passed_on = graph.weights[row].astype(np.float64) / graph.out_weights[sources]
    score = float(ranked.scores[number])
    damping = float(edition.manifest["policy"]["damping"])
    shares = damping * ranked.scores[neighbours] * passed_on / score
    names = _kind_names(edition)
    own = graph.kinds[row]
    best = np.argsort(-shares, kind="stable")[:top]
    by_kind = np.bincount(own, weights=shares, minlength=len(names))
    of_type = ranked.of(kind)
    return Explanation(
        type=kind,
        id=one,
        score=score,
        rank=int(edition.table(kind).of(np.array([one]))[0]),
        place=1 + int((of_type > score).sum()),
        neighbours=len(np.unique(neighbours)),
        signals={
            names[at]: float(by_kind[at])
            for at in np.argsort(-by_kind, kind="stable")
            if by_kind[at]
        },
        jumps=1.0 - float(shares.sum()),
        contributions=[
            Contribution(
                type=name,
                id=entity,
                signal=names[int(own[at])],
                share=float(shares[at]),
                of_its_own=float(passed_on[at]),
            )
            for at, (name, entity) in zip(
                best, ranked.entities.named(neighbours[best]), strict=True
            )
        ],
    )


def _kind_names(edition: Edition) -> Sequence[str]:
    signals = [one["name"] for one in edition.manifest["policy"]["signals"]]
    return [*signals, *(f"{name} (reverse)" for name in signals)]
