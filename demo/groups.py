"""The groups of a generated catalogue, with their members and what was posted to them."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from demo.copying import Chunk, TableLoad, binary_chunk, binary_times, numbers, text_chunk
from demo.material import Material
from demo.popularity import Popularity, once_each, slices
from demo.randomness import Indices, amounts, ranks
from demo.sounds import Sounds, follow_taste
from demo.titles import Titles
from demo.users import Handles, Users, lives

CHUNK = 10_000  # rows
COLUMNS = (
    *("id", "owner_id", "name", "description", "permalink"),
    *("visibility", "deleted_at", "created_at", "updated_at"),
)


@dataclass(frozen=True, kw_only=True)
class Groups:
    """What their rows are made from. The group at position i has id i + 1."""

    created: Indices  # µs since 1970, nearly ascending
    owner: Indices  # position of the user
    genre: Indices  # position in the vocabulary

    @property
    def count(self) -> int:
        """How many there are."""
        return len(self.created)


def plan_groups(material: Material, count: int, users: Users) -> Groups:
    """Draw everything about the groups but their words."""
    rng = material.randomness.numbers("groups")
    owner = (users.count * rng.random(count)).astype(np.int64)
    return Groups(
        created=np.maximum(material.timeline.arrivals(rng, count), users.created[owner] + 1),
        owner=owner,
        genre=users.genre[owner],
    )


def group_rows(material: Material, groups: Groups, users: Users) -> TableLoad:
    """Their rows; the users' names must be there."""
    return TableLoad(
        table="groups",
        columns=COLUMNS,
        rows=groups.count,
        chunks=_chunks(material, groups, users),
    )


def member_rows(material: Material, groups: Groups, users: Users) -> TableLoad:
    """Who joined them; the owner always did."""
    return TableLoad(
        table="group_members",
        columns=("group_id", "user_id", "joined_at"),
        rows=groups.count * 20,
        chunks=_member_chunks(material, groups, users),
        binary=True,
    )


def post_rows(
    material: Material, groups: Groups, sounds: Sounds, popularity: Popularity
) -> TableLoad:
    """What was posted to them."""
    return TableLoad(
        table="group_sounds",
        columns=("group_id", "sound_id", "posted_at"),
        rows=groups.count * 14,
        chunks=_post_chunks(material, groups, sounds, popularity),
        binary=True,
    )


def _chunks(material: Material, groups: Groups, users: Users) -> Iterator[Chunk]:
    titles = Titles(users, material.vocabulary)
    permalinks = Handles()
    for part in slices(groups.count, CHUNK):
        rng = material.randomness.numbers("group rows", part.start)
        draw = material.randomness.words("group names", part.start)
        columns = list(zip(groups.owner[part].tolist(), groups.genre[part].tolist(), strict=True))
        names = [titles.make_for_group(draw, *column) for column in columns]
        yield text_chunk(
            [
                numbers(np.arange(part.start + 1, part.stop + 1)),
                numbers(groups.owner[part] + 1),
                names,
                [titles.make_for_group_text(draw, *column) for column in columns],
                [permalinks.take(name) for name in names],
                *lives(
                    rng, rng.random(len(names)) >= 0.05, groups.created[part], material.timeline
                ),
            ]
        )


def _member_chunks(material: Material, groups: Groups, users: Users) -> Iterator[Chunk]:
    for part in slices(groups.count, CHUNK):
        rng = material.randomness.numbers("group members", part.start)
        holders = np.arange(part.start, part.stop)
        group = np.repeat(holders, amounts(rng, len(holders), mean=20))
        joined = users.by_fame[ranks(rng, np.full(len(group), users.count), exponent=1.5)]
        group, member = once_each(
            np.concatenate([holders, group]), np.concatenate([groups.owner[part], joined])
        )
        when = np.maximum(groups.created[group], users.created[member])
        is_owner = member == groups.owner[group]
        moment = np.where(is_owner, when, material.timeline.later(rng, when, haste=1.5))
        yield binary_chunk(group + 1, member + 1, binary_times(moment))


def _post_chunks(
    material: Material, groups: Groups, sounds: Sounds, popularity: Popularity
) -> Iterator[Chunk]:
    for part in slices(groups.count, CHUNK):
        rng = material.randomness.numbers("group sounds", part.start)
        holders = np.arange(part.start, part.stop)
        group = np.repeat(holders, amounts(rng, len(holders), mean=15))
        sound = popularity.draw(rng, follow_taste(rng, groups.genre[group], material.vocabulary))
        group, sound = once_each(group, sound)
        when = np.maximum(groups.created[group], sounds.created[sound])
        moment = material.timeline.later(rng, when, haste=1.5)
        yield binary_chunk(group + 1, sound + 1, binary_times(moment))
