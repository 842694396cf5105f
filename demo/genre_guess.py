"""Which genre a real track is of: told by its artist's tags and the playlists that had it.

The words that speak for a genre are the tags that only that genre has in `music.toml`, but for
those listed there as ambiguous.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from demo.playlist_archive import Archive
from demo.vocabulary import Music

TAG_VOTES = 3  # what an artist's tag counts for; a playlist's text counts 1


def telling_words(music: Music) -> dict[str, int]:
    """Word -> position of the only genre that it speaks for."""
    owners: defaultdict[str, set[int]] = defaultdict(set)
    for position, genre in enumerate(music.genres):
        for word in {genre.name.lower(), *genre.tags}:
            owners[word].add(position)
    mute = music.ambiguous_tags | set(music.general_tags)
    return {w: next(iter(o)) for w, o in owners.items() if len(o) == 1 and w not in mute}


def guess_genres(
    archive: Archive, artist_tags: Mapping[str, Counter[str]], music: Music
) -> dict[str, int]:
    """Track key -> position of its genre; tracks that nothing is known of are left out.

    `artist_tags` has for an artist's key how often each tag was given.
    """
    words = telling_words(music)
    of_artist: defaultdict[str, Counter[int]] = defaultdict(Counter)
    of_track: defaultdict[str, Counter[int]] = defaultdict(Counter)
    for artist, tags in artist_tags.items():
        for tag, count in tags.items():
            if (genre := words.get(tag.lower())) is not None:
                of_artist[artist][genre] += TAG_VOTES * count
    for playlist in archive.playlists.values():
        genres = set(_mentioned(f"{playlist.title} {playlist.description or ''}", words))
        for entry in playlist.entries:
            of_track[entry.track].update(genres)
            of_artist[archive.tracks[entry.track].artists[0]].update(genres)
    guesses: dict[str, int] = {}
    for key, track in archive.tracks.items():
        if votes := of_track[key] + of_artist[track.artists[0]]:
            guesses[key] = min(votes, key=lambda genre: (-votes[genre], genre))
    return guesses


def _mentioned(text: str, words: Mapping[str, int]) -> Iterable[int]:
    spaced = f" {re.sub(r'[^a-z0-9&-]+', ' ', text.lower())} "
    return (genre for word, genre in words.items() if f" {word} " in spaced)
