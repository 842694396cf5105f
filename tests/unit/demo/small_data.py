"""A tiny playlist archive and listening data of our own, in the formats of the real files."""

import gzip
from pathlib import Path

PLAYLISTS = [
    ("p1", "Techno &amp; Friends", r"Deep <a href=\"x:y\">techno</a> only.", "repo", "c0", "4"),
    ("p2", "Sunday", "", "repo", "c0", "3"),
]
# playlist, track, title, artist ids, artists, album id, album, length, added, removed
ENTRIES = [
    ("p1", "t1", r"Über \"All\"", "a1", "Élan", "b1", "First", "3:45", "2020-05-01", ""),
    ("p1", "t2", "Bus", "a1,a2", "Élan|Moo", "b1", "1st", "1:02:03", "2020-05-02", "2020-06-01"),
    ("p1", "t2", "Bus", "a1,a2", "Élan|Moo", "b1", "1st", "1:02:03", "2020-07-01", ""),
    ("p1", "t3", "<MISSING>", "a9", "", "b9", "<MISSING>", "3:00", "2020-05-01", "2020-05-03"),
    ("p2", "t1", "Über", "a1,a3", "Élan|Guest", "b1", "1st", "3:45", "2019-12-24", "2020-01-02"),
    ("p2", "t4", "밤 (feat. Élan)", "a3,a1", "Guest|Elan", "b4", "밤", "56", "2021-01-01", ""),
    ("p2", "t5", "Dust", "a4", "M|O|O|N", "b5", "Dust", "5:02", "2020-10-20", "2020-10-21"),
]
ARTISTS = [(10, "elan", "u", "p"), (11, "Guest", "u", "p"), (12, "Unheard", "u", "p")]
TAGS = [(1, "techno"), (2, "tropicália"), (3, "seen live")]
LISTENINGS = [(2, 10, 100), (2, 12, 7), (3, 10, 1), (3, 11, 3)]
FRIENDS = [(2, 3), (3, 2)]
TAGGED = [
    (2, 10, 1, 1, 4, 2009),
    (3, 10, 1, 2, 5, 2009),
    (3, 10, 2, 2, 5, 2009),
    (2, 11, 3, 1, 6, 2010),
    (2, 999, 1, 1, 6, 2010),  # an artist without a name
    (2, 10, 2, 1, 1, 1956),  # an impossible year
]

HEADERS = {
    "playlists/playlists.tsv": "playlist_id title description source_repo source_commit entries",
    "playlists/entries.tsv": (
        "playlist_id track_id title artist_ids artists album_id album length added removed"
    ),
    "lastfm-2k/artists.dat": "id name url pictureURL",
    "lastfm-2k/tags.dat": "tagID tagValue",
    "lastfm-2k/user_artists.dat": "userID artistID weight",
    "lastfm-2k/user_friends.dat": "userID friendID",
    "lastfm-2k/user_taggedartists.dat": "userID artistID tagID day month year",
}
ROWS: dict[str, list[tuple[object, ...]]] = {
    "playlists/playlists.tsv": [*PLAYLISTS],
    "playlists/entries.tsv": [*ENTRIES],
    "lastfm-2k/artists.dat": [*ARTISTS],
    "lastfm-2k/tags.dat": [*TAGS],
    "lastfm-2k/user_artists.dat": [*LISTENINGS],
    "lastfm-2k/user_friends.dat": [*FRIENDS],
    "lastfm-2k/user_taggedartists.dat": [*TAGGED],
}


def write(folder: Path, **changed: list[tuple[object, ...]]) -> Path:
    """Write all files below `folder`; `changed` has other rows by the file's stem."""
    for name, header in HEADERS.items():
        path = folder / name
        rows = changed.get(path.stem, ROWS[name])
        lines = [header.replace(" ", "\t"), *("\t".join(map(str, row)) for row in rows)]
        content = "".join(f"{line}\r\n" for line in lines)
        path.parent.mkdir(parents=True, exist_ok=True)
        encoded = content.encode("latin-1" if path.stem == "tags" else "utf-8")
        if path.stem == "entries":
            path.with_suffix(".tsv.gz").write_bytes(gzip.compress(encoded))
        else:
            path.write_bytes(encoded)
    return folder
