"""The names and the query log that completions are measured with."""

import random
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from pathlib import Path
from typing import Final

import numpy as np

from demo import playlist_archive
from demo.generator import DEFAULT_SEED
from demo.groups import plan_groups
from demo.material import Material
from demo.popularity import rank_sounds
from demo.randomness import Indices
from demo.sets import plan_sets
from demo.sizes import divide
from demo.sounds import Sounds, plan_sounds
from demo.titles import Titles
from demo.users import Users, plan_users
from suggest.folding import fold

LONGEST_PREFIX: Final = 12
TYPO_SHARE: Final = 0.2
SHORTEST_TYPO: Final = 3  # below, nobody corrects
_UNTIL: Final = datetime(2026, 1, 1, tzinfo=UTC)
_HEAVIEST: Final = 10_000_000
_DISTINCT: Final = 0.73  # share of distinct names among generated ones


@dataclass(frozen=True, kw_only=True)
class Name:
    """A distinct name with the weight of the most popular entity that has it."""

    text: str
    weight: int
    type: str


@dataclass(frozen=True, kw_only=True)
class Query:
    """What somebody typed, and the name that was meant."""

    typed: str
    wanted: str
    typo: bool


def generated(count: int, seed: int = DEFAULT_SEED) -> list[Name]:
    """So many distinct names of the generated catalogue, the most popular first."""
    names: list[Name] = []
    entities = count
    while len(names) < count:
        entities = int(entities / _DISTINCT)
        names = _distinct(_catalogue(entities, seed))
    return names[:count]


def real(folder: Path) -> list[Name]:
    """The names of the tracks and artists of an archive of playlists; raises `DataFileError`.

    Their weights: how often they were put into a playlist.
    """
    archive = playlist_archive.read(folder)
    tracks: dict[str, int] = dict.fromkeys(archive.tracks, 0)
    artists: dict[str, int] = dict.fromkeys(archive.artists, 0)
    for playlist in archive.playlists.values():
        for entry in playlist.entries:
            tracks[entry.track] += 1
            for artist in archive.tracks[entry.track].artists:
                artists[artist] += 1
    return _distinct(
        [
            *(
                Name(text=archive.tracks[k].title, weight=n, type="sound")
                for k, n in tracks.items()
            ),
            *(Name(text=archive.artists[k], weight=n, type="user") for k, n in artists.items()),
        ]
    )


def query_log(names: Sequence[Name], count: int, seed: int = 1) -> list[Query]:
    """Beginnings of 1 to 12 characters of names drawn by weight, some of them with a typo."""
    draw = random.Random(seed)
    drawn = draw.choices(names, cum_weights=list(accumulate(n.weight for n in names)), k=count)
    return [_query(name.text, draw) for name in drawn]


def with_typo(text: str, draw: random.Random) -> str:
    """The text after one slip of the finger: a character more, less or other, or two exchanged."""
    at = draw.randrange(len(text))
    letter = draw.choice(string.ascii_lowercase)
    slips = (
        text[:at] + text[at + 1 :],
        text[:at] + letter + text[at:],
        text[:at] + letter + text[at + 1 :],
        text[:at] + text[at : at + 2][::-1] + text[at + 2 :],
    )
    return draw.choice([slip for slip in slips if slip != text])


def _query(name: str, draw: random.Random) -> Query:
    whole = fold(name).rstrip(" ")
    typed = whole[: draw.randint(1, LONGEST_PREFIX)]
    typo = draw.random() < TYPO_SHARE and len(typed) >= SHORTEST_TYPO
    return Query(typed=with_typo(typed, draw) if typo else typed, wanted=name, typo=typo)


def _distinct(names: Iterable[Name]) -> list[Name]:
    """Each folded form once, under its heaviest name; the heaviest first."""
    heaviest: dict[str, Name] = {}
    for name in names:
        folded = fold(name.text).rstrip(" ")
        if folded and (folded not in heaviest or heaviest[folded].weight < name.weight):
            heaviest[folded] = name
    return sorted(heaviest.values(), key=lambda name: (-name.weight, name.text))


def _catalogue(entities: int, seed: int) -> list[Name]:
    counts = divide(entities)
    material = Material.prepare(seed=seed, until=_UNTIL)
    users = plan_users(material, counts.users)
    _name_users(material, users)
    sounds = plan_sounds(material, counts.sounds, users)
    sets = plan_sets(material, counts.sets, users, sounds)
    groups = plan_groups(material, counts.groups, users)
    titles = Titles(users, material.vocabulary)
    draw = material.randomness.words("names to complete")
    by_row = zip(sounds.form.tolist(), sounds.owner.tolist(), sounds.genre.tolist(), strict=True)
    of_sets = zip(sets.form.tolist(), sets.owner.tolist(), sets.genre.tolist(), strict=True)
    of_groups = zip(groups.owner.tolist(), groups.genre.tolist(), strict=True)
    texts = [
        *((name, "user") for name in users.names),
        *((titles.make(draw, *row), "sound") for row in by_row),
        *((titles.make_for_set(draw, *row), "set") for row in of_sets),
        *((titles.make_for_group(draw, *row), "group") for row in of_groups),
    ]
    weights = _weights(material, users, sounds, len(texts))
    return [
        Name(text=text, weight=weight, type=kind)
        for (text, kind), weight in zip(texts, weights.tolist(), strict=True)
    ]


def _name_users(material: Material, users: Users) -> None:
    draw = material.randomness.words("names of users")
    cultures = [material.vocabulary.cultures[culture] for culture in users.culture.tolist()]
    users.names.extend(culture.make_name(draw, alias=draw.random() < 0.4) for culture in cultures)


def _weights(material: Material, users: Users, sounds: Sounds, count: int) -> Indices:
    """A power law: famous users and what is popular in its genre come first, the rest at random."""
    rank = material.randomness.numbers("weights").permutation(count).astype(np.float64)
    rank[users.by_fame] = np.arange(users.count) * 4.0
    popular = rank_sounds(material, sounds, users).order
    rank[users.count + popular] = material.randomness.numbers("mixed").permutation(len(popular))
    return np.maximum(_HEAVIEST / (1 + rank) ** 0.8, 1).astype(np.int64)
