"""What every part of a generated catalogue is made with."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from demo import vocabulary as words
from demo.randomness import Randomness
from demo.sentences import Sentences, make_sentences
from demo.timeline import Timeline
from demo.vocabulary import Vocabulary


@dataclass(frozen=True, kw_only=True)
class Material:
    """Chance, time and words."""

    randomness: Randomness
    timeline: Timeline
    vocabulary: Vocabulary
    sentences: Sentences

    @classmethod
    def prepare(cls, *, seed: int, until: datetime) -> Self:
        """The material that belongs to a seed and an end of time."""
        randomness = Randomness(seed=seed)
        vocabulary = words.load()
        return cls(
            randomness=randomness,
            timeline=Timeline.ending(until),
            vocabulary=vocabulary,
            sentences=make_sentences(randomness, vocabulary),
        )
