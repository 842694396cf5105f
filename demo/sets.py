"""The sets of a generated catalogue, with the sounds in them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo.copying import (
    Chunk,
    TableLoad,
    binary_chunk,
    binary_times,
    numbers,
    optional,
    text_chunk,
)
from demo.material import Material
from demo.popularity import Popularity, once_each, slices
from demo.randomness import Indices, amounts, choices
from demo.sentences import compose
from demo.sounds import Permalinks, Sounds, follow_taste
from demo.titles import SET_FORMS, Titles
from demo.users import Users, lives
from demo.vocabulary import slug

CHUNK = 10_000  # rows
COLUMNS = (
    *("id", "user_id", "title", "description", "permalink", "kind"),
    *("visibility", "deleted_at", "created_at", "updated_at"),
)
PLAYLIST = list(SET_FORMS).index("playlist")
LEAST_FOR_AN_ALBUM = 4  # sounds that somebody must have made


@dataclass(frozen=True, kw_only=True)
class Sets:
    """What their rows are made from. The set at position i has id i + 1."""

    created: Indices  # µs since 1970, nearly ascending
    owner: Indices  # position of the user
    genre: Indices  # position in the vocabulary
    form: Indices  # position in SET_FORMS

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.created)


def plan_sets(material: Material, count: int, users: Users, sounds: Sounds) -> Sets:
    """Draw everything about the sets but their words. Albums and EPs are of their maker's own."""
    rng = material.randomness.numbers("sets")
    form = choices(rng, np.array(list(SET_FORMS.values())), count)
    published = np.bincount(sounds.owner, minlength=users.count)
    makers = np.flatnonzero(published >= LEAST_FOR_AN_ALBUM)
    if not len(makers):
        form[:] = PLAYLIST
        makers = users.creators
    anyone = (users.count * rng.random(count)).astype(np.int64)
    maker = makers[(len(makers) * rng.random(count)).astype(np.int64)]
    owner = np.where(form == PLAYLIST, anyone, maker)
    return Sets(
        created=np.maximum(material.timeline.arrivals(rng, count), users.created[owner] + 1),
        owner=owner,
        genre=users.genre[owner],
        form=form,
    )


def set_rows(material: Material, sets: Sets, users: Users) -> TableLoad:
    """Their rows; the users' names must be there."""
    return TableLoad(
        table="sets",
        columns=COLUMNS,
        rows=sets.count,
        chunks=_chunks(material, sets, users),
    )


def set_sound_rows(
    material: Material, sets: Sets, sounds: Sounds, popularity: Popularity
) -> TableLoad:
    """What is in them."""
    return TableLoad(
        table="set_sounds",
        columns=("set_id", "sound_id", "position", "added_at"),
        rows=sets.count * 13,
        chunks=_content_chunks(material, sets, sounds, popularity),
        binary=True,
    )


def _chunks(material: Material, sets: Sets, users: Users) -> Iterator[Chunk]:
    titles = Titles(users, material.vocabulary)
    permalinks = Permalinks()
    for part in slices(sets.count, CHUNK):
        rng = material.randomness.numbers("set rows", part.start)
        draw = material.randomness.words("set titles", part.start)
        owners, forms = sets.owner[part], sets.form[part]
        columns = zip(forms.tolist(), owners.tolist(), sets.genre[part].tolist(), strict=True)
        texts = [titles.make_for_set(draw, *column) for column in columns]
        languages = material.sentences.language(rng, users.culture[owners])
        described = compose(rng, material.sentences.descriptions, languages, mean=1.5)
        yield text_chunk(
            [
                numbers(np.arange(part.start + 1, part.stop + 1)),
                numbers(owners + 1),
                texts,
                optional(described, rng.random(len(texts)) < 0.5),
                [permalinks.take(o, slug(t)) for o, t in zip(owners.tolist(), texts, strict=True)],
                np.array(list(SET_FORMS))[forms].tolist(),
                *lives(rng, rng.random(len(texts)) >= 0.06, sets.created[part], material.timeline),
            ]
        )


def _content_chunks(
    material: Material, sets: Sets, sounds: Sounds, popularity: Popularity
) -> Iterator[Chunk]:
    works = _Works(sounds)
    for part in slices(sets.count, CHUNK):
        rng = material.randomness.numbers("set sounds", part.start)
        of_playlist = sets.form[part] == PLAYLIST
        size = amounts(rng, len(of_playlist), mean=14, spread=1.0, most=500)
        size = np.where(of_playlist, size, 3 + size % 10)
        holder = np.repeat(np.arange(part.start, part.stop), size)
        liked = popularity.draw(rng, follow_taste(rng, sets.genre[holder], material.vocabulary))
        own = works.draw(rng, sets.owner[holder])
        chosen = np.where(sets.form[holder] == PLAYLIST, liked, own)
        holder, chosen = once_each(holder, chosen)
        holder, chosen, position = _shuffled(rng, holder, chosen)
        when = np.maximum(sets.created[holder], sounds.created[chosen])
        added = binary_times(material.timeline.later(rng, when, haste=2))
        yield binary_chunk(holder + 1, chosen + 1, position.astype(np.int32), added)


class _Works:
    """All sounds by their maker."""

    def __init__(self, sounds: Sounds) -> None:
        self._order = np.argsort(sounds.owner, kind="stable")
        self._counts = np.bincount(sounds.owner)
        self._first = np.cumsum(self._counts) - self._counts

    def draw(self, rng: np.random.Generator, makers: Indices) -> Indices:
        """A sound by each maker; any sound at all for one who made none."""
        known = np.minimum(makers, len(self._counts) - 1)
        counts = np.where(makers == known, self._counts[known], 0)
        sizes = np.where(counts == 0, len(self._order), counts)
        start = np.where(counts == 0, 0, self._first[known])
        picked: Indices = self._order[start + (sizes * rng.random(len(makers))).astype(np.int64)]
        return picked


def _shuffled(
    rng: np.random.Generator, holder: Indices, chosen: Indices
) -> tuple[Indices, Indices, Indices]:
    """The pairs with the sounds of each holder in any order, and their positions from 1."""
    chosen = chosen[np.lexsort((rng.random(len(holder)), holder))]
    starts = np.flatnonzero(np.diff(holder, prepend=-1))
    sizes = np.diff(np.append(starts, len(holder)))
    position: Indices = np.arange(len(holder)) - np.repeat(starts, sizes) + 1
    return holder, chosen, position
