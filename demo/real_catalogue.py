"""The real catalogue: a playlist archive and listening data, joined by the artists' names.

Users are the artists and the listeners, sounds the tracks, sets the playlists as they are at the
end of the archive, groups the tags that many use. The same files give the same rows.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.events import from_microseconds
from demo import genre_guess, listening_data, playlist_archive, real_activity, real_people, sounds
from demo import groups as group_tables
from demo import sets as set_tables
from demo import users as user_tables
from demo import vocabulary as words
from demo.copying import TableLoad, text_chunks
from demo.listening_data import ListeningData
from demo.playlist_archive import Archive, Track
from demo.real_activity import Group, Tagging
from demo.real_people import DAY, Cast, share, within_day
from demo.sounds import Permalinks
from demo.users import Handles
from demo.vocabulary import slug

ARCHIVE_FOLDER, LISTENING_FOLDER = "playlists", "lastfm-2k"
NAMED_GUESTS = 3  # guests that a title mentions; all stand in the description

Line = tuple[object, ...]


@dataclass(frozen=True, kw_only=True)
class Sources:
    """The files, read and joined."""

    archive: Archive
    listening: ListeningData
    people: Cast


def read(folder: Path) -> Sources:
    """Read and check the files below `folder`; raises `DataFileError`."""
    archive = playlist_archive.read(folder / ARCHIVE_FOLDER)
    listening = listening_data.read(folder / LISTENING_FOLDER)
    return Sources(
        archive=archive, listening=listening, people=real_people.cast(archive, listening)
    )


def tables(sources: Sources) -> Iterator[TableLoad]:
    """The tables of the catalogue, in order."""
    return _Builder(sources).tables()


def count_groups(sources: Sources) -> int:
    """How many groups there will be."""
    return len(real_activity.groups(real_activity.taggings(sources.listening, sources.people)))


def describe_sources(sources: Sources) -> str:
    """What was found, and what was left out and why, in a sentence."""
    archive, listening = sources.archive, sources.listening
    return (
        f"{len(archive.tracks):,} tracks by {len(archive.artists):,} artists in "
        f"{len(archive.playlists):,} playlists; {len(listening.listeners):,} listeners, who know "
        f"{len(sources.people.joined):,} of the artists; left out: {archive.nameless:,} entries "
        f"without an artist's name, {listening.misdated:,} tags with an impossible year"
    )


class _Builder:
    """Holds what several tables are made from."""

    def __init__(self, sources: Sources) -> None:
        self._archive = sources.archive
        self._listening = sources.listening
        self._people = sources.people
        self._end = sources.archive.last_day + DAY
        self._taggings = real_activity.taggings(sources.listening, sources.people)
        self._tags = real_activity.artist_tags(sources.listening, sources.people)
        self._plays = real_activity.plays(sources.listening, sources.people)
        self._groups = real_activity.groups(self._taggings)
        self._appeared = _appearances(sources.archive, self._taggings)
        self._joined = _arrivals(sources, self._appeared)

    def tables(self) -> Iterator[TableLoad]:
        music = words.load().music
        genres: list[Line] = [(i, genre.name) for i, genre in enumerate(music.genres, 1)]
        yield _table("genres", ("id", "name"), genres)
        yield _table("tags", ("id", "name"), self._tag_names())
        yield _table("users", user_tables.COLUMNS, list(self._users()))
        yield _table("sounds", sounds.COLUMNS, list(self._sounds(music)))
        yield _table(
            "sound_tags", ("sound_id", "tag_id", "user_id", "tagged_at"), list(self._sound_tags())
        )
        yield _table("sets", set_tables.COLUMNS, list(self._sets()))
        yield _table(
            "set_sounds", ("set_id", "sound_id", "position", "added_at"), list(self._set_sounds())
        )
        yield _table("groups", group_tables.COLUMNS, list(self._group_rows()))
        yield _table("group_members", ("group_id", "user_id", "joined_at"), list(self._members()))
        yield _table("group_sounds", ("group_id", "sound_id", "posted_at"), list(self._posts()))
        yield _table("follows", ("follower_id", "followee_id", "created_at"), list(self._follows()))
        yield _table("likes", ("user_id", "sound_id", "created_at"), list(self._likes()))
        yield _table(
            "plays", ("user_id", "sound_id", "count", "last_played_at"), list(self._play_rows())
        )

    def _tag_names(self) -> list[Line]:
        """Numbers are ids. Of two tags that differ by blanks alone the second keeps its number."""
        seen: set[str] = set()
        lines: list[Line] = []
        for number, name in self._listening.tags.items():
            unique = name if name and name not in seen else f"{name} {number}".strip()
            seen.add(unique)
            lines.append((number, unique))
        return lines

    def _users(self) -> Iterator[Line]:
        handles = Handles()
        joined = set(self._people.joined.values())
        for key, user_id in self._people.artists.items():
            name = self._archive.artists[key]
            yield self._user(user_id, handles.take(name), name, verified=key in joined)
        for number, user_id in self._people.listeners.items():
            name = f"Listener {number}"
            yield self._user(user_id, handles.take(name), name, verified=False)

    def _user(self, user_id: int, handle: str, name: str, *, verified: bool) -> Line:
        moment = _time(self._joined[user_id])
        account = (None, None, None, None, verified, "active", "public", None)
        return (user_id, handle, name, *account, moment, moment)

    def _sounds(self, music: words.Music) -> Iterator[Line]:
        names = self._listening.tags
        named = {a: Counter({names[t]: n for t, n in c.items()}) for a, c in self._tags.items()}
        genres = genre_guess.guess_genres(self._archive, named, music)
        permalinks = Permalinks()
        for key, sound_id in self._people.sounds.items():
            track = self._archive.tracks[key]
            owner = self._people.artists[track.artists[0]]
            guests = [self._archive.artists[artist] for artist in track.artists[1:]]
            title = with_guests(track.title, guests)
            moment = _time(self._appeared[key])
            yield (
                *(sound_id, owner, title, describe(track, guests)),
                *(permalinks.take(owner, slug(title)), _genre_id(genres.get(key))),
                *(track.duration_ms, "all-rights-reserved", False, "public", None),
                *(moment, moment),
            )

    def _sound_tags(self) -> Iterator[Line]:
        for key, tag in real_activity.own_tags(self._archive, self._tags):
            yield (self._people.sounds[key], tag, None, _time(self._appeared[key]))
        for made in self._taggings:
            listener = self._people.listeners[made.listener]
            yield (self._people.sounds[made.sound], made.tag, listener, _time(made.at))

    def _sets(self) -> Iterator[Line]:
        listeners = list(self._people.listeners.values())
        permalinks = Permalinks()
        for set_id, (key, playlist) in enumerate(self._archive.playlists.items(), 1):
            owner = listeners[int(len(listeners) * share("curator", key))]
            days = [entry.added for entry in playlist.entries] or [self._archive.last_day]
            changes = days + [entry.removed for entry in playlist.entries if entry.removed]
            yield (
                *(set_id, owner, playlist.title, playlist.description),
                *(permalinks.take(owner, slug(playlist.title)), "playlist", "public", None),
                _time(within_day(min(days), "made", key) - DAY),
                _time(max(within_day(max(changes), "changed", key), min(days) + 1)),
            )

    def _set_sounds(self) -> Iterator[Line]:
        for set_id, (key, playlist) in enumerate(self._archive.playlists.items(), 1):
            # A track that came back after it had gone stands where it stands now, once.
            there = {entry.track: entry for entry in playlist.entries if entry.removed is None}
            for position, entry in enumerate(there.values(), 1):
                added = within_day(entry.added, key, entry.track)
                yield (set_id, self._people.sounds[entry.track], position, _time(added))

    def _group_rows(self) -> Iterator[Line]:
        handles = Handles()
        for group_id, group in enumerate(self._groups, 1):
            name = self._listening.tags[group.tag]
            founder, founded = next(iter(group.members.items()))
            moment = _time(founded)
            yield (
                *(group_id, self._people.listeners[founder], name, _description(group)),
                *(handles.take(name), "public", None, moment, moment),
            )

    def _members(self) -> Iterator[Line]:
        for group_id, group in enumerate(self._groups, 1):
            for listener, at in group.members.items():
                yield (group_id, self._people.listeners[listener], _time(at))

    def _posts(self) -> Iterator[Line]:
        for group_id, group in enumerate(self._groups, 1):
            for key, at in group.sounds.items():
                yield (group_id, self._people.sounds[key], _time(at))

    def _follows(self) -> Iterator[Line]:
        for pair in dict.fromkeys(self._listening.friendships):
            follower, followee = (self._people.listeners[number] for number in pair)
            if follower != followee:
                both = max(self._joined[follower], self._joined[followee])
                yield (follower, followee, self._later(both, "follow", follower, followee))

    def _likes(self) -> Iterator[Line]:
        for listener, key in real_activity.likes(self._plays):
            user_id = self._people.listeners[listener]
            moment = self._later(self._appeared[key], "like", user_id, key)
            yield (user_id, self._people.sounds[key], moment)

    def _play_rows(self) -> Iterator[Line]:
        for listener, counts in self._plays.items():
            user_id = self._people.listeners[listener]
            for key, count in counts.items():
                moment = self._later(self._appeared[key], "play", user_id, key)
                yield (user_id, self._people.sounds[key], count, moment)

    def _later(self, since: int, *what: object) -> str:
        return _time(since + int((self._end - since) * share(*what)))


def with_guests(title: str, guests: list[str]) -> str:
    """The title, with the guests that it does not mention yet."""
    missing = [guest for guest in guests if guest.casefold() not in title.casefold()]
    return f"{title} (feat. {' & '.join(missing[:NAMED_GUESTS])})" if missing else title


def describe(track: Track, guests: list[str]) -> str | None:
    """The album, unless it is called like the track, and everybody who takes part."""
    parts = []
    if track.album and track.album.casefold() != track.title.casefold():
        parts.append(f"From “{track.album}”.")
    if guests:
        parts.append(f"With {', '.join(guests)}.")
    return " ".join(parts) or None


def _appearances(archive: Archive, made: list[Tagging]) -> dict[str, int]:
    """When each track is first heard of: in a playlist, or by a tag."""
    first: dict[str, int] = {}
    for playlist in archive.playlists.values():
        for entry in playlist.entries:
            first[entry.track] = min(first.get(entry.track, entry.added), entry.added)
    for tagging in made:
        first[tagging.sound] = min(first[tagging.sound], tagging.at - DAY)
    return {key: within_day(day, "appeared", key) for key, day in first.items()}


def _arrivals(sources: Sources, appeared: dict[str, int]) -> dict[int, int]:
    """User id -> when he joined: some time before the first thing that is known of him."""
    first: dict[int, int] = {}
    people = sources.people
    for artist, user_id in people.artists.items():
        first[user_id] = min(appeared[key] for key in people.works[artist])
    end = sources.archive.last_day
    for given in sources.listening.assignments:
        user_id = people.listeners[given.listener]
        first[user_id] = min(first.get(user_id, end), given.at)
    # Of a listener who never tagged nothing is known: as if at the median of the others.
    known = sorted(first[u] for u in people.listeners.values() if u in first) or [end]
    for user_id in people.listeners.values():
        first.setdefault(user_id, known[len(known) // 2])
    return {u: within_day(day, "joined", u) - DAY * (2 + u % 300) for u, day in first.items()}


def _description(group: Group) -> str:
    return f"{len(group.sounds):,} sounds, posted by {len(group.members):,} listeners."


def _genre_id(position: int | None) -> int | None:
    return None if position is None else position + 1


def _table(name: str, columns: tuple[str, ...], lines: list[Line]) -> TableLoad:
    return TableLoad(table=name, columns=columns, rows=len(lines), chunks=text_chunks(lines))


def _time(microseconds: int) -> str:
    return from_microseconds(microseconds).isoformat()
