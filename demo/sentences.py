"""Ready-made sentences for descriptions and comments: a pool per culture, filled once.

Filling a template for each of millions of descriptions would take minutes; picking from thousands
of filled ones does not, and their words keep a natural distribution.
"""

import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from demo.copying import NULL
from demo.randomness import Indices, Randomness
from demo.vocabulary import Culture, Template, Vocabulary

DESCRIPTIONS = 3_000  # sentences of a culture
COMMENTS = 400
MOTHER_TONGUE = 0.6  # share of people who write in their own language; the others use English


@dataclass(frozen=True, kw_only=True)
class Sentences:
    """Filled sentences by culture, in the order of the vocabulary's cultures."""

    descriptions: tuple[tuple[str, ...], ...]
    comments: tuple[tuple[str, ...], ...]
    english: int  # the position of the culture whose language everybody knows

    def language(self, rng: np.random.Generator, cultures: Indices) -> Indices:
        """The culture in whose language each person of these cultures writes."""
        own = rng.random(len(cultures)) < MOTHER_TONGUE
        return np.where(own, cultures, self.english)


def make_sentences(randomness: Randomness, vocabulary: Vocabulary) -> Sentences:
    """The pools of a catalogue."""
    names = _artist_names(randomness.words("artists in sentences"), vocabulary)
    genres = [genre.name for genre in vocabulary.music.genres]

    def pool(culture: Culture, templates: Sequence[Template], count: int) -> tuple[str, ...]:
        draw = randomness.words(f"sentences of {culture.name}", count)

        def value(field: str) -> str:
            match field:
                case "artist":
                    return draw.choice(names)
                case "genre" | "genre2":
                    return draw.choice(genres)
            return culture.word(field, draw)

        return tuple(draw.choice(templates).fill(value) for _ in range(count))

    cultures = vocabulary.cultures
    return Sentences(
        descriptions=tuple(pool(c, c.sentences, DESCRIPTIONS) for c in cultures),
        comments=tuple(pool(c, c.comments, COMMENTS) for c in cultures),
        english=next(i for i, c in enumerate(cultures) if c.name == "english"),
    )


def compose(
    rng: np.random.Generator, pools: Sequence[Sequence[str]], languages: Indices, *, mean: float
) -> list[str]:
    """Descriptions as values of text rows: some sentences each, one in eight has none (NULL)."""
    total = len(languages)
    lengths = 1 + rng.poisson(mean - 1, total)
    lengths[rng.random(total) < 0.125] = 0
    picks = rng.random(int(lengths.sum())).tolist()
    breaks = np.where(rng.random(total) < 0.35, "\\n", " ").tolist()
    texts: list[str] = []
    start = 0
    for language, length, separator in zip(
        languages.tolist(), lengths.tolist(), breaks, strict=True
    ):
        pool = pools[language]
        chosen = [pool[int(len(pool) * pick)] for pick in picks[start : start + length]]
        texts.append(separator.join(chosen) if chosen else NULL)
        start += length
    return texts


def _artist_names(draw: random.Random, vocabulary: Vocabulary) -> list[str]:
    weights = [culture.weight for culture in vocabulary.cultures]
    cultures = draw.choices(vocabulary.cultures, weights, k=500)
    return [culture.make_name(draw, alias=True) for culture in cultures]
