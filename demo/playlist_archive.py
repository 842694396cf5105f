"""An archive of public playlists: which tracks came and went, and when.

Two tables: `playlists.tsv` (playlist_id, title, description) and `entries.tsv` (playlist_id,
track_id, title, artist_ids by comma, artists by `|`, album, length, added, removed).
"""

import html
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from demo import data_files
from demo.data_files import Row

PLAYLIST_COLUMNS = ("playlist_id", "title", "description")
ENTRY_COLUMNS = (
    *("playlist_id", "track_id", "title", "artist_ids", "artists"),
    *("album_id", "album", "length", "added", "removed"),
)

_MARKED = re.compile(r"[\\<&]|\s\s")
_ESCAPED = re.compile(r"\\(.)")
_MARKUP = re.compile(r"<[^>]*>")
_LENGTH = re.compile(r"(?:(?:(\d+):)?(\d{1,3}):)?(\d{1,2})")


@dataclass(frozen=True, kw_only=True)
class Playlist:
    """A playlist, with every track that was ever in it, in the archive's order."""

    title: str
    description: str | None
    entries: list["Entry"] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Track:
    """A track. The first of its artists is the one who published it."""

    key: str  # the archive's id
    title: str
    artists: tuple[str, ...]  # keys
    album: str
    duration_ms: int


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One stay of a track in a playlist."""

    track: str  # key
    added: int  # µs since 1970; the archive knows the day
    removed: int | None  # None: it is still there


@dataclass(frozen=True, kw_only=True)
class Archive:
    """All of it, in the order of the files."""

    playlists: dict[str, Playlist]
    tracks: dict[str, Track]
    artists: dict[str, str]  # key -> name
    nameless: int  # entries that were left out because the archive has no artist's name for them

    @property
    def last_day(self) -> int:
        """When the archive ends: µs since 1970."""
        return max(
            entry.removed or entry.added
            for playlist in self.playlists.values()
            for entry in playlist.entries
        )


def read(folder: Path) -> Archive:
    """Read the two tables of a folder; raises `DataFileError`."""
    playlists = {
        row["playlist_id"]: Playlist(
            title=_clean(row["title"]), description=_clean(row["description"]) or None
        )
        for row in data_files.read(data_files.find(folder, "playlists.tsv"), PLAYLIST_COLUMNS)
    }
    tracks: dict[str, Track] = {}
    names: dict[str, Counter[str]] = {}
    nameless = 0
    for row in data_files.read(data_files.find(folder, "entries.tsv"), ENTRY_COLUMNS):
        if row["playlist_id"] not in playlists:
            raise row.error(f"playlist {row['playlist_id']!r} is not in playlists.tsv")
        artists = _artists(row)
        if not artists:
            nameless += 1
            continue
        for key, name in artists:
            names.setdefault(key, Counter())[name] += 1
        keys = tuple(key for key, _ in artists)
        known = tracks.get(row["track_id"])
        if known is None:
            tracks[row["track_id"]] = _track(row, keys)
        elif known.artists != keys:
            # Rows differ where the service mended its data: the first counts, with all artists.
            joined = tuple(dict.fromkeys(known.artists + keys))
            tracks[known.key] = replace(known, artists=joined)
        playlists[row["playlist_id"]].entries.append(_entry(row))
    return Archive(
        playlists=playlists,
        tracks=tracks,
        # An artist who was renamed meanwhile has the name that occurs most.
        artists={key: counts.most_common(1)[0][0] for key, counts in names.items()},
        nameless=nameless,
    )


def _track(row: Row, artists: tuple[str, ...]) -> Track:
    return Track(
        key=row["track_id"],
        title=_clean(row["title"]) or "untitled",
        artists=artists,
        album=_clean(row["album"]),
        duration_ms=_duration(row),
    )


def _entry(row: Row) -> Entry:
    removed = row.day("removed") if row["removed"] else None
    return Entry(track=row["track_id"], added=row.day("added"), removed=removed)


def _artists(row: Row) -> Sequence[tuple[str, str]]:
    """Key and name of each artist; nothing if the names are missing."""
    keys = row["artist_ids"].split(",")
    names = row["artists"].split("|")
    if len(names) > len(keys):
        # A name may contain the separator; those known do so in the first name.
        surplus = len(names) - len(keys) + 1
        names = ["|".join(names[:surplus]), *names[surplus:]]
    pairs = zip(keys, map(_clean, names), strict=False)
    return [(key, name) for key, name in pairs if key and name]


def _duration(row: Row) -> int:
    """Milliseconds of a length such as 3:45, 1:02:03 or, in seconds, 56."""
    found = _LENGTH.fullmatch(row["length"])
    if not found:
        raise row.error(f"length is {row['length'][:60]!r}, not [hours:][minutes:]seconds")
    hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return max(1, (hours * 60 + minutes) * 60 + seconds) * 1000


def _clean(text: str) -> str:
    """Without the archive's escapes and mark-up."""
    if not _MARKED.search(text):
        return text.strip()
    plain = _MARKUP.sub("", html.unescape(_ESCAPED.sub(r"\1", text)))
    return " ".join(plain.split())
