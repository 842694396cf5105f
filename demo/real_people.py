"""Who and what the real catalogue consists of: ids, names, addresses, and who owns what.

An artist of the archive and one of the listening data are the same if their names are, but for case
and accents.
"""

import unicodedata
import zlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field

from demo.listening_data import ListeningData
from demo.playlist_archive import Archive

DAY = 86_400_000_000  # µs


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Everything by its id in the catalogue, and the join of the two sources."""

    artists: dict[str, int]  # the archive's key -> user id
    listeners: dict[int, int]  # the data's number -> user id
    sounds: dict[str, int]  # the archive's track key -> sound id
    joined: dict[int, str]  # artist's number in the listening data -> key in the archive
    # Artist's key -> his tracks, those in most playlists first; tracks that he is a guest on only
    # if he has none of his own.
    works: dict[str, list[str]] = field(repr=False)


def cast(archive: Archive, listening: ListeningData) -> Cast:
    """Number everybody: the artists first, then the listeners, each in the order of the files."""
    artists = {key: i for i, key in enumerate(archive.artists, 1)}
    works = _works(archive)
    by_name = _by_name(archive, works)
    return Cast(
        artists=artists,
        listeners={n: i for i, n in enumerate(listening.listeners, len(artists) + 1)},
        sounds={key: i for i, key in enumerate(archive.tracks, 1)},
        joined={
            number: by_name[folded]
            for number, name in listening.artists.items()
            if (folded := fold(name)) in by_name
        },
        works=works,
    )


def fold(name: str) -> str:
    """The name without case and accents."""
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in decomposed if not unicodedata.combining(c)).strip()


def share(*what: object) -> float:
    """A number from 0 up to 1 that belongs to `what`: chance that is the same in every run."""
    return zlib.crc32("/".join(map(str, what)).encode()) / 2**32


def within_day(day: int, *what: object) -> int:
    """A moment of that day, for data that know the day alone."""
    return day + int(DAY * share("time", *what))


def _works(archive: Archive) -> dict[str, list[str]]:
    spread = Counter(
        entry.track for playlist in archive.playlists.values() for entry in playlist.entries
    )
    own: defaultdict[str, list[str]] = defaultdict(list)
    guest: defaultdict[str, list[str]] = defaultdict(list)
    for key, track in archive.tracks.items():
        own[track.artists[0]].append(key)
        for artist in track.artists[1:]:
            guest[artist].append(key)
    return {
        artist: sorted(own.get(artist) or guest[artist], key=lambda key: (-spread[key], key))
        for artist in archive.artists
    }


def _by_name(archive: Archive, works: dict[str, list[str]]) -> dict[str, str]:
    """Folded name -> the artist; of several with one name the one with most tracks."""
    found: dict[str, str] = {}
    for key, name in archive.artists.items():
        folded = fold(name)
        if folded not in found or len(works[key]) > len(works[found[folded]]):
            found[folded] = key
    return found
