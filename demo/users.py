"""The users of a generated catalogue."""

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from demo.copying import NULL, Chunk, TableLoad, booleans, numbers, optional, text_chunk, times
from demo.material import Material
from demo.randomness import Indices, choices
from demo.sentences import compose
from demo.timeline import Timeline
from demo.vocabulary import slug

CHUNK = 10_000  # rows
CREATORS = 0.45  # share of the users who publish sounds
COLUMNS = (
    *("id", "username", "display_name", "full_name", "city", "country_code", "description"),
    *("verified", "state", "visibility", "deleted_at", "created_at", "updated_at"),
)
_SEPARATORS = ("", "", "-", "-", "_")


@dataclass(frozen=True, kw_only=True)
class Users:
    """What the rest of the catalogue needs to know of them. The user at position i has id i + 1."""

    created: Indices  # µs since 1970, ascending
    culture: Indices  # position in the vocabulary
    genre: Indices  # the one that the user mostly makes and hears
    by_fame: Indices  # positions, the most famous first
    creators: Indices  # positions of those who publish, ascending
    public: NDArray[np.bool_]
    names: list[str] = field(default_factory=list)  # filled while the rows are made

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.created)


def plan_users(material: Material, count: int) -> Users:
    """Draw everything about the users but their words."""
    rng = material.randomness.numbers("users")
    creators = np.flatnonzero(rng.random(count) < CREATORS)
    return Users(
        created=material.timeline.arrivals(rng, count),
        culture=choices(rng, material.vocabulary.culture_weights, count),
        genre=choices(rng, material.vocabulary.genre_weights, count),
        by_fame=rng.permutation(count),
        creators=creators if len(creators) else np.arange(count),
        public=rng.random(count) >= 0.02,
    )


def user_rows(material: Material, users: Users) -> TableLoad:
    """Their rows. Making them fills `users.names`."""
    return TableLoad(
        table="users",
        columns=COLUMNS,
        rows=users.count,
        chunks=_chunks(material, users),
    )


def _chunks(material: Material, users: Users) -> Iterator[Chunk]:
    handles = Handles()
    creates = np.zeros(users.count, dtype=bool)
    creates[users.creators] = True
    for start in range(0, users.count, CHUNK):
        part = slice(start, min(start + CHUNK, users.count))
        rng = material.randomness.numbers("user rows", start)
        draw = material.randomness.words("user names", start)
        cultures = [material.vocabulary.cultures[c] for c in users.culture[part].tolist()]
        # People who publish mostly do so under the name of an act.
        acts = (rng.random(len(cultures)) < np.where(creates[part], 0.65, 0.15)).tolist()
        names = [c.make_name(draw, alias=act) for c, act in zip(cultures, acts, strict=True)]
        users.names.extend(names)
        yield text_chunk(
            [
                numbers(np.arange(part.start + 1, part.stop + 1)),
                [handles.take(name, draw.choice(_SEPARATORS)) for name in names],
                names,
                optional(
                    [c.make_name(draw, alias=False) for c in cultures], rng.random(len(names)) < 0.5
                ),
                *_origins(rng, [[(p.city, p.country_code) for p in c.places] for c in cultures]),
                compose(
                    rng,
                    material.sentences.descriptions,
                    material.sentences.language(rng, users.culture[part]),
                    mean=1.7,
                ),
                booleans(rng.random(len(names)) < 0.01),
                *_lives(rng, users.public[part], users.created[part], material.timeline),
            ]
        )


def _origins(
    rng: np.random.Generator, places: list[list[tuple[str, str]]]
) -> tuple[list[str], list[str]]:
    # The first towns of a list are the largest. One in four keeps it to himself.
    told = (rng.random(len(places)) < 0.75).tolist()
    chosen = [
        known[int(len(known) * d**2)] if tells else (NULL, NULL)
        for known, tells, d in zip(places, told, rng.random(len(places)).tolist(), strict=True)
    ]
    return [city for city, _ in chosen], [code for _, code in chosen]


def _lives(
    rng: np.random.Generator, public: NDArray[np.bool_], created: Indices, timeline: Timeline
) -> list[list[str]]:
    """The columns state to updated_at."""
    suspended = ~public & (rng.random(len(public)) < 0.3)
    return [
        np.where(suspended, "suspended", "active").tolist(),
        *lives(rng, public, created, timeline),
    ]


def lives(
    rng: np.random.Generator, public: NDArray[np.bool_], created: Indices, timeline: Timeline
) -> list[list[str]]:
    """The columns visibility, deleted_at, created_at and updated_at of any entity.

    One in fifty is deleted (softly), and most have not changed since they were made.
    """
    count = len(created)
    deleted = rng.random(count) < 0.02
    changed = deleted | (rng.random(count) < 0.3)
    updated = np.where(changed, timeline.later(rng, created), created)
    return [
        np.where(public, "public", "private").tolist(),
        optional(times(updated), deleted),
        times(created),
        times(updated),
    ]


class Handles:
    """Hands out user names, each once."""

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._last: dict[str, int] = {}  # stem -> the greatest number behind it so far

    def take(self, name: str, separator: str = "-") -> str:
        """A user name that resembles `name` and that nobody has."""
        stem = slug(name, fallback="user").replace("-", separator)
        handle = stem
        number = self._last.get(stem, 1)
        while handle in self._taken:
            number += 1
            handle = f"{stem}{separator if stem[-1].isdigit() else ''}{number}"
            self._last[stem] = number
        self._taken.add(handle)
        return handle
