"""What the users of a generated catalogue do: follow, like, repost, comment, play.

Each table is made user by user in the order of its primary key, so that the key's index is built
from sorted rows.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from demo.copying import Chunk, TableLoad, binary_chunk, binary_times, numbers, text_chunk, times
from demo.material import Material
from demo.popularity import Popularity, once_each, slices
from demo.randomness import Indices, amounts, ranks
from demo.sounds import Sounds, follow_taste
from demo.users import Users

CHUNK = 20_000  # users
# What a user does on average, all years together.
MEANS: Mapping[str, float] = {"follows": 6, "likes": 8, "reposts": 2, "comments": 2, "plays": 14}


@dataclass(frozen=True, kw_only=True)
class Community:
    """The catalogue as those who act in it see it."""

    material: Material
    users: Users
    sounds: Sounds
    popularity: Popularity

    def acts(self, what: str) -> Iterator[tuple[np.random.Generator, Indices]]:
        """For each slice of users a stream, and the user of each of their acts, ascending."""
        for part in slices(self.users.count, CHUNK):
            rng = self.material.randomness.numbers(what, part.start)
            count = amounts(rng, part.stop - part.start, mean=MEANS[what])
            yield rng, np.repeat(np.arange(part.start, part.stop), count)

    def hear(self, rng: np.random.Generator, user: Indices) -> Indices:
        """A sound for each act."""
        return self.popularity.draw(
            rng, follow_taste(rng, self.users.genre[user], self.material.vocabulary)
        )

    def moments(self, rng: np.random.Generator, user: Indices, sound: Indices) -> Indices:
        """When each act took place: once both were there, and mostly while the sound was new."""
        both = np.maximum(self.users.created[user], self.sounds.created[sound])
        return self.material.timeline.later(rng, both, haste=2)


def activity_rows(community: Community) -> Iterator[TableLoad]:
    """The five tables."""
    yield _table(community, "follows", ("follower_id", "followee_id", "created_at"), _follows)
    yield _table(community, "likes", ("user_id", "sound_id", "created_at"), _reactions)
    yield _table(community, "reposts", ("user_id", "sound_id", "created_at"), _reactions)
    yield _table(community, "plays", ("user_id", "sound_id", "count", "last_played_at"), _plays)
    yield TableLoad(
        table="comments",
        columns=("user_id", "sound_id", "body", "created_at"),
        rows=_expected(community, "comments"),
        chunks=_comments(community),
    )


def _table(
    community: Community,
    what: str,
    columns: tuple[str, ...],
    chunks: Callable[[Community, str], Iterator[Chunk]],
) -> TableLoad:
    return TableLoad(
        table=what,
        columns=columns,
        rows=_expected(community, what),
        chunks=chunks(community, what),
        binary=True,
    )


def _expected(community: Community, what: str) -> int:
    return int(community.users.count * MEANS[what])


def _follows(community: Community, what: str) -> Iterator[Chunk]:
    users = community.users
    for rng, acting in community.acts(what):
        liked = users.by_fame[ranks(rng, np.full(len(acting), users.count), exponent=2.5)]
        others = acting != liked
        follower, followee = once_each(acting[others], liked[others])
        when = np.maximum(users.created[follower], users.created[followee])
        moment = community.material.timeline.later(rng, when, haste=1.5)
        yield binary_chunk(follower + 1, followee + 1, binary_times(moment))


def _reactions(community: Community, what: str) -> Iterator[Chunk]:
    for rng, acting in community.acts(what):
        user, sound = once_each(acting, community.hear(rng, acting))
        moment = community.moments(rng, user, sound)
        yield binary_chunk(user + 1, sound + 1, binary_times(moment))


def _plays(community: Community, what: str) -> Iterator[Chunk]:
    for rng, acting in community.acts(what):
        user, sound = once_each(acting, community.hear(rng, acting))
        count = 1 + rng.pareto(1.3, len(user)).clip(0, 10_000).astype(np.int64)
        moment = community.moments(rng, user, sound)
        yield binary_chunk(user + 1, sound + 1, count, binary_times(moment))


def _comments(community: Community) -> Iterator[Chunk]:
    for rng, user in community.acts("comments"):
        sound = community.hear(rng, user)
        sentences = community.material.sentences
        languages = sentences.language(rng, community.users.culture[user]).tolist()
        pools = [sentences.comments[language] for language in languages]
        picks = rng.random(len(pools)).tolist()
        yield text_chunk(
            [
                numbers(user + 1),
                numbers(sound + 1),
                [pool[int(len(pool) * pick)] for pool, pick in zip(pools, picks, strict=True)],
                times(community.moments(rng, user, sound)),
            ]
        )
