"""Ranks: scores as whole numbers from 0 to 255, fit for an index.

A rank is the logarithm of a score, eight steps a doubling, so that a step is 9 %: a document is
indexed again only when its score moved by as much. The unit is the median of the entity's type. So
types with different levels have ranks of one range, and half of a catalogue, of which little can be
said, has the rank 0 in this edition and in the next. 255 is four billion times the median.
"""

import numpy as np

from core.rank_editions import HIGHEST_RANK, RANKS_PER_DOUBLING, Ranks
from ranker.graph import Floats


def ranks_of(scores: Floats) -> Ranks:
    """The ranks of all entities of a type."""
    unit = _unit(scores)
    if unit is None:
        return np.zeros(len(scores), dtype=np.uint8)
    steps = np.rint(RANKS_PER_DOUBLING * np.log2(np.maximum(scores / unit, 1.0)))
    ranks: Ranks = np.minimum(steps, HIGHEST_RANK).astype(np.uint8)
    return ranks


def _unit(scores: Floats) -> float | None:
    """The median, or the lowest score if the median is zero; None if all are."""
    above = scores[scores > 0.0]
    if not len(above):
        return None
    return float(np.median(scores)) or float(above.min())
