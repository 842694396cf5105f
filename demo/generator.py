"""A believable catalogue of any size, made from a seed.

The same seed, size and end give the same rows, byte for byte. Memory holds numbers about every
entity and the users' names, never rows: they are made in chunks while they are copied.
"""

from collections.abc import Iterator
from datetime import datetime

from demo.activity import Community, activity_rows
from demo.copying import TableLoad, text_chunks
from demo.groups import group_rows, member_rows, plan_groups, post_rows
from demo.material import Material
from demo.popularity import rank_sounds
from demo.sets import plan_sets, set_rows, set_sound_rows
from demo.sizes import Counts
from demo.sounds import plan_sounds, sound_rows, tag_names, tag_rows
from demo.users import plan_users, user_rows
from demo.vocabulary import Vocabulary

DEFAULT_SEED = 1


def generate(counts: Counts, *, seed: int, until: datetime) -> Iterator[TableLoad]:
    """The tables of the catalogue, in order; each must be consumed before the next is asked for."""
    material = Material.prepare(seed=seed, until=until)
    yield from _names(material.vocabulary)
    users = plan_users(material, counts.users)
    yield user_rows(material, users)
    sounds = plan_sounds(material, counts.sounds, users)
    yield sound_rows(material, sounds, users)
    yield tag_rows(material, sounds, users)
    sets = plan_sets(material, counts.sets, users, sounds)
    yield set_rows(material, sets, users)
    popularity = rank_sounds(material, sounds, users)
    yield set_sound_rows(material, sets, sounds, popularity)
    groups = plan_groups(material, counts.groups, users)
    yield group_rows(material, groups, users)
    yield member_rows(material, groups, users)
    yield post_rows(material, groups, sounds, popularity)
    yield from activity_rows(
        Community(material=material, users=users, sounds=sounds, popularity=popularity)
    )


def _names(vocabulary: Vocabulary) -> Iterator[TableLoad]:
    genres = [genre.name for genre in vocabulary.music.genres]
    for table, names in (("genres", genres), ("tags", tag_names(vocabulary))):
        yield TableLoad(
            table=table,
            columns=("id", "name"),
            rows=len(names),
            chunks=text_chunks(enumerate(names, 1)),
        )
