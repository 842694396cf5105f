"""The sounds of a generated catalogue, and their tags."""

import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from demo.copying import (
    Chunk,
    TableLoad,
    binary_chunk,
    binary_times,
    booleans,
    numbers,
    text_chunk,
)
from demo.material import Material
from demo.randomness import Indices, choices, ranks
from demo.sentences import compose
from demo.titles import FORMS, Titles
from demo.users import Users, lives
from demo.vocabulary import Vocabulary, slug

CHUNK = 10_000  # rows
COLUMNS = (
    *("id", "user_id", "title", "description", "permalink", "genre_id", "duration_ms"),
    *("license", "downloadable", "visibility", "deleted_at", "created_at", "updated_at"),
)
LICENSES: Mapping[str, float] = {
    "all-rights-reserved": 0.82,
    "cc-by": 0.05,
    "cc-by-nc": 0.04,
    "cc-by-sa": 0.03,
    "cc-by-nc-sa": 0.03,
    "cc-by-nd": 0.02,
    "cc0": 0.01,
}
FAITH = 0.8  # how often a user makes or hears the genre that is his
MINUTE = 60_000  # milliseconds


@dataclass(frozen=True, kw_only=True)
class Sounds:
    """What the rest of the catalogue needs to know of them. The one at position i has id i + 1."""

    created: Indices  # µs since 1970, nearly ascending
    owner: Indices  # position of the user
    genre: Indices  # position in the vocabulary
    form: Indices  # position in FORMS
    public: NDArray[np.bool_]

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.created)


def plan_sounds(material: Material, count: int, users: Users) -> Sounds:
    """Draw everything about the sounds but their words."""
    rng = material.randomness.numbers("sounds")
    arrivals = material.timeline.arrivals(rng, count)
    owner = _owners(rng, users, arrivals)
    genre = follow_taste(rng, users.genre[owner], material.vocabulary)
    form = choices(rng, np.array(list(FORMS.values())), count)
    form[genre == _position(material.vocabulary, "Podcast & Talk")] = list(FORMS).index("podcast")
    return Sounds(
        # The first sounds wait for their makers to arrive.
        created=np.maximum(arrivals, users.created[owner] + 1),
        owner=owner,
        genre=genre,
        form=form,
        public=rng.random(count) >= 0.04,
    )


def follow_taste(rng: np.random.Generator, genres: Indices, vocabulary: Vocabulary) -> Indices:
    """For each favourite genre itself, or now and then another one."""
    other = choices(rng, vocabulary.genre_weights, len(genres))
    return np.where(rng.random(len(genres)) < FAITH, genres, other)


def sound_rows(material: Material, sounds: Sounds, users: Users) -> TableLoad:
    """Their rows; the users' names must be there."""
    return TableLoad(
        table="sounds",
        columns=COLUMNS,
        rows=sounds.count,
        chunks=_chunks(material, sounds, users),
    )


def tag_rows(material: Material, sounds: Sounds, users: Users) -> TableLoad:
    """The tags that owners gave their sounds, and a few that others did."""
    return TableLoad(
        table="sound_tags",
        columns=("sound_id", "tag_id", "user_id", "tagged_at"),
        rows=sounds.count * 3,
        chunks=_tag_chunks(material, sounds, users),
        binary=True,
    )


def tag_names(vocabulary: Vocabulary) -> list[str]:
    """All tags; the one at position i has id i + 1. The general ones stand first."""
    names = dict.fromkeys(vocabulary.music.general_tags)
    for genre in vocabulary.music.genres:
        names.update(dict.fromkeys(genre.tags))
    return list(names)


def _owners(rng: np.random.Generator, users: Users, arrivals: Indices) -> Indices:
    """The makers: a power law over all creators, or any earlier one if that one is yet to come."""
    creators = users.creators
    there = np.maximum(np.searchsorted(users.created[creators], arrivals), 1)
    prolific = rng.permutation(len(creators))[
        ranks(rng, np.full(len(arrivals), len(creators)), exponent=2.0)
    ]
    anyone = (there * rng.random(len(arrivals))).astype(np.int64)
    return creators[np.where(prolific < there, prolific, anyone)]


def _position(vocabulary: Vocabulary, genre: str) -> int:
    return next(i for i, g in enumerate(vocabulary.music.genres) if g.name == genre)


def _chunks(material: Material, sounds: Sounds, users: Users) -> Iterator[Chunk]:
    titles = Titles(users, material.vocabulary)
    permalinks = Permalinks()
    for start in range(0, sounds.count, CHUNK):
        part = slice(start, min(start + CHUNK, sounds.count))
        rng = material.randomness.numbers("sound rows", start)
        draw = material.randomness.words("sound titles", start)
        owners = sounds.owner[part]
        texts = [
            titles.make(draw, form, owner, genre)
            for form, owner, genre in zip(
                sounds.form[part].tolist(),
                owners.tolist(),
                sounds.genre[part].tolist(),
                strict=True,
            )
        ]
        yield text_chunk(
            [
                numbers(np.arange(part.start + 1, part.stop + 1)),
                numbers(owners + 1),
                texts,
                compose(
                    rng,
                    material.sentences.descriptions,
                    material.sentences.language(rng, users.culture[owners]),
                    mean=9,  # makes a sound's document about 800 bytes
                ),
                [permalinks.take(o, slug(t)) for o, t in zip(owners.tolist(), texts, strict=True)],
                numbers(sounds.genre[part] + 1),
                numbers(durations(rng, sounds.form[part])),
                _licenses(rng, len(texts)),
                booleans(rng.random(len(texts)) < 0.2),
                *lives(rng, sounds.public[part], sounds.created[part], material.timeline),
            ]
        )


def durations(rng: np.random.Generator, forms: Indices) -> Indices:
    """Milliseconds: minutes for a track, an hour or so for a mix, seconds for a sketch."""
    typical = np.full(len(FORMS), 3.8 * MINUTE)
    for form, minutes in {"mix": 62, "live": 48, "podcast": 41, "number": 1.9}.items():
        typical[list(FORMS).index(form)] = minutes * MINUTE
    drawn = typical[forms] * rng.lognormal(0, 0.35, len(forms))
    return np.maximum(drawn, 5_000).astype(np.int64)


def _licenses(rng: np.random.Generator, count: int) -> list[str]:
    drawn = choices(rng, np.array(list(LICENSES.values())), count)
    names = list(LICENSES)
    return [names[i] for i in drawn.tolist()]


def _tag_chunks(material: Material, sounds: Sounds, users: Users) -> Iterator[Chunk]:
    positions = {name: i for i, name in enumerate(tag_names(material.vocabulary))}
    genres = [[positions[tag] for tag in genre.tags] for genre in material.vocabulary.music.genres]
    own = np.full((len(genres), max(map(len, genres))), -1)
    for i, tags in enumerate(genres):
        own[i, : len(tags)] = tags
    own_counts = np.array([len(tags) for tags in genres])
    step = CHUNK * 10
    for start in range(0, sounds.count, step):
        rng = material.randomness.numbers("tags", start)
        stop = min(start + step, sounds.count)
        amount = np.minimum(rng.poisson(3.2, stop - start), 10)
        sound = np.repeat(np.arange(start, stop), amount)
        genre = sounds.genre[sound]
        typical = own[genre, ranks(rng, own_counts[genre], exponent=1.6)]
        general = ranks(
            rng, np.full(len(sound), len(material.vocabulary.music.general_tags)), exponent=1.6
        )
        tag = np.where(rng.random(len(sound)) < 0.7, typical, general)
        # One row a sound and tag, in that order.
        both = np.unique(sound * len(positions) + tag)
        sound, tag = both // len(positions), both % len(positions)
        by_others = rng.random(len(both)) < 0.05
        tagger = users.by_fame[(users.count * rng.random(len(both))).astype(np.int64)]
        when = np.maximum(sounds.created[sound], users.created[tagger] * by_others)
        tagged = binary_times(
            np.where(by_others, material.timeline.later(rng, when, haste=3), when)
        )
        for rows, taggers in ((~by_others, None), (by_others, tagger[by_others] + 1)):
            if rows.any():
                yield binary_chunk(sound[rows] + 1, tag[rows] + 1, taggers, tagged[rows])


class Permalinks:
    """Hands out the last parts of addresses, each once an owner."""

    def __init__(self) -> None:
        # Owner and checksum in one number, for millions of strings take too much memory. Two
        # permalinks of one owner with the same checksum only cost one of them a number.
        self._taken: set[int] = set()

    def take(self, owner: int, permalink: str) -> str:
        """The permalink, with a number if the owner has it already."""
        candidate = permalink
        number = 1
        while (key := owner << 32 | zlib.crc32(candidate.encode())) in self._taken:
            number += 1
            candidate = f"{permalink}-{number}"
        self._taken.add(key)
        return candidate
