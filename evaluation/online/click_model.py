"""A click model: how much of a click is owed to the position that a hit stood at.

The position-based model (Craswell et al., An experimental comparison of click position-bias models,
WSDM 2008): a hit is clicked if its position is examined and the hit, for that query, is attractive,
independently. Both are fitted by expectation-maximisation on counts (Chuklin, Markov and de Rijke,
Click Models for Web Search, 2015, chapter 4), with the leaps of Varadhan and Roland (Simple and
globally convergent methods for accelerating the convergence of any EM algorithm, 2008). Positions
are told apart from hits only where the
same hits stood at different ones.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

_ROUNDS: Final = 2_000
_STILL: Final = 1e-5  # change of an examination, relative, below which it is fitted
_LEAST: Final = 1e-9
_FIRST_ATTRACTION: Final = 0.2


@dataclass(frozen=True, kw_only=True, eq=False)
class Sightings:
    """How often hits were shown and clicked, a row for each hit of a query and position."""

    pair: Integers  # query and hit, numbered from 0
    position: Integers  # numbered from 0
    shown: Floats
    clicked: Floats


@dataclass(frozen=True, kw_only=True, eq=False)
class ClickModel:
    """What explains the clicks."""

    examination: Floats  # of each position, relative to the first
    attraction: Floats  # of each pair: how often it would be clicked at the first position


def fit(sightings: Sightings, *, positions: int) -> ClickModel:
    """Fit the model; positions that nobody was shown anything at are 0.

    Without the first position there is nothing to measure the others by: all are 0.
    """
    step = _Step(sightings, positions)
    examination = 1 / np.arange(1, positions + 1)
    state = np.concatenate([examination, np.full(step.pairs, _FIRST_ATTRACTION)])
    for _ in range(_ROUNDS):
        before, state = state, _leap(step, state)
        change = np.abs(state - before)[:positions] / np.maximum(state[:positions], _LEAST)
        if np.max(change, initial=0.0) < _STILL:
            break
    # Only the product of both is known: the first position is the measure of the others.
    scale = state[0] if state[0] > _LEAST else 1.0
    return ClickModel(
        examination=np.where(
            (step.shown_at > 0) & (step.shown_at[:1] > 0), state[:positions] / scale, 0.0
        ),
        attraction=np.minimum(state[positions:] * scale, 1.0),
    )


class _Step:
    """One step of expectation-maximisation; a state is examinations, then attractions."""

    def __init__(self, sightings: Sightings, positions: int) -> None:
        self.pairs = int(sightings.pair.max()) + 1 if len(sightings.pair) else 0
        self.shown_at = _sums(sightings.position, sightings.shown, positions)
        self._seen = sightings
        self._positions = positions
        self._ignored = sightings.shown - sightings.clicked
        self._shown_of = _sums(sightings.pair, sightings.shown, self.pairs)

    def __call__(self, state: Floats) -> Floats:
        """The state that explains the clicks a little better."""
        seen = self._seen
        e = state[: self._positions][seen.position]
        a = state[self._positions :][seen.pair]
        unclicked = np.maximum(1 - e * a, _LEAST)
        examined = seen.clicked + self._ignored * e * (1 - a) / unclicked
        attracted = seen.clicked + self._ignored * a * (1 - e) / unclicked
        return np.concatenate(
            [
                _ratio(_sums(seen.position, examined, self._positions), self.shown_at),
                _ratio(_sums(seen.pair, attracted, self.pairs), self._shown_of),
            ]
        )


def _leap(step: _Step, state: Floats) -> Floats:
    """Several steps at once: by how much two steps differ says where they lead."""
    once = step(state)
    twice = step(once)
    way, bend = once - state, twice - 2 * once + state
    far = float(np.linalg.norm(way)) / max(float(np.linalg.norm(bend)), _LEAST)
    length = max(1.0, far)
    there = state + 2 * length * way + length**2 * bend
    return step(np.clip(there, _LEAST, 1 - _LEAST))


def _sums(index: Integers, weights: Floats, size: int) -> Floats:
    return np.bincount(index, weights, minlength=size).astype(np.float64)


def _ratio(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)
