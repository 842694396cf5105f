"""What is heard: power laws over one order of fame, which is the same for all activity."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo.material import Material
from demo.randomness import Indices, ranks
from demo.sounds import Sounds
from demo.users import Users

STEEPNESS = 3.0  # exponent of the power law within a genre


@dataclass(frozen=True, kw_only=True)
class Popularity:
    """The sounds of each genre, the most popular first."""

    order: Indices  # positions of sounds, genre after genre
    first: Indices  # where a genre begins in `order`
    counts: Indices  # how many sounds a genre has

    def draw(self, rng: np.random.Generator, genres: Indices) -> Indices:
        """A sound for each genre, popular ones the likelier. A genre without sounds takes any."""
        empty = self.counts[genres] == 0
        sizes = np.where(empty, len(self.order), self.counts[genres])
        start = np.where(empty, 0, self.first[genres])
        return self.order[start + ranks(rng, sizes, exponent=STEEPNESS)]


def rank_sounds(material: Material, sounds: Sounds, users: Users) -> Popularity:
    """An order in which famous users' sounds stand higher, and hidden ones last."""
    rng = material.randomness.numbers("popularity")
    fame = np.empty(users.count)
    fame[users.by_fame] = (np.arange(users.count) + 1.0) ** -0.5
    score = fame[sounds.owner] * rng.lognormal(0, 1.0, sounds.count)
    score[~sounds.public] *= 1e-6
    genres = len(material.vocabulary.music.genres)
    order = np.lexsort((-score, sounds.genre))
    counts = np.bincount(sounds.genre, minlength=genres)
    return Popularity(order=order, first=np.cumsum(counts) - counts, counts=counts)


def once_each(left: Indices, right: Indices) -> tuple[Indices, Indices]:
    """The pairs without repetition, ordered."""
    width = int(right.max(initial=0)) + 1
    pairs = np.unique(left * width + right)
    return pairs // width, pairs % width


def slices(count: int, step: int) -> Iterator[slice]:
    """0 to `count` in slices of `step`."""
    for start in range(0, count, step):
        yield slice(start, min(start + step, count))
