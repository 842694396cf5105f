"""Seeded randomness: every part of a catalogue draws from a stream of its own.

A stream is named, so that a change in how one part is made leaves the others as they were, and a
part can be made again by itself.
"""

import random
import zlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Randomness:
    """The source of all streams of one catalogue."""

    seed: int

    def numbers(self, name: str, part: int = 0) -> np.random.Generator:
        """A stream of arrays of numbers."""
        return np.random.default_rng([self.seed, zlib.crc32(name.encode()), part])

    def words(self, name: str, part: int = 0) -> random.Random:
        """A stream for single draws, such as the words of a title."""
        return random.Random(f"{self.seed}/{name}/{part}")


def amounts(
    rng: np.random.Generator, count: int, *, mean: float, spread: float = 1.2, most: int = 5_000
) -> Indices:
    """`count` amounts with a long tail: most are small, a few reach `most`; their mean is `mean`.

    Log-normal: what one person does at such a site (likes, plays, sounds in a set) follows it.
    """
    centre = np.log(mean + 0.5) - spread * spread / 2
    return np.minimum(rng.lognormal(centre, spread, count), most).astype(np.int64)


def ranks(rng: np.random.Generator, sizes: Indices, *, exponent: float) -> Indices:
    """For each of `sizes` a rank from 0 to size - 1, low ranks the likelier by a power law.

    The share of rank r falls like r ** (1 / exponent - 1): exponent 3 gives r ** -0.67.
    """
    drawn: Indices = (sizes * rng.random(len(sizes)) ** exponent).astype(np.int64)
    return drawn


def choices(rng: np.random.Generator, weights: Floats, count: int) -> Indices:
    """`count` indices of `weights`, drawn in proportion to them."""
    edges = np.cumsum(weights / weights.sum())
    drawn: Indices = np.searchsorted(edges[:-1], rng.random(count), side="right")
    return drawn
