"""Reading the playlist archive and the listening data."""

import gzip
from pathlib import Path

import pytest

from core.events import format_time
from demo import listening_data, playlist_archive
from demo.errors import DataFileError
from demo.playlist_archive import Archive
from tests.unit.demo import small_data


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return small_data.write(tmp_path)


@pytest.fixture
def archive(folder: Path) -> Archive:
    return playlist_archive.read(folder / "playlists")


def replaced(
    rows: list[tuple[object, ...]], at: int, column: int, value: object
) -> list[tuple[object, ...]]:
    changed = list(rows)
    changed[at] = (*changed[at][:column], value, *changed[at][column + 1 :])
    return changed


def test_text_is_freed_of_escapes_and_markup(archive: Archive) -> None:
    playlist = archive.playlists["p1"]
    assert (playlist.title, playlist.description) == ("Techno & Friends", "Deep techno only.")
    assert archive.playlists["p2"].description is None
    assert archive.tracks["t1"].title == 'Über "All"'


def test_a_name_may_contain_the_separator(archive: Archive) -> None:
    assert archive.artists["a4"] == "M|O|O|N"
    assert archive.artists["a2"] == "Moo"


def test_a_renamed_artist_has_the_commonest_name(archive: Archive) -> None:
    assert archive.artists["a1"] == "Élan"  # four times so, once "Elan"


def test_the_first_row_of_a_track_counts_with_the_artists_of_all(archive: Archive) -> None:
    assert archive.tracks["t1"].artists == ("a1", "a3")


@pytest.mark.parametrize(("track", "duration"), [("t1", 225), ("t2", 3_723), ("t4", 56)])
def test_lengths(archive: Archive, track: str, duration: int) -> None:
    assert archive.tracks[track].duration_ms == duration * 1_000


def test_entries_without_an_artist_are_left_out_and_counted(archive: Archive) -> None:
    assert archive.nameless == 1
    assert set(archive.tracks) == {"t1", "t2", "t4", "t5"}


def test_entries_keep_their_days(archive: Archive) -> None:
    stays = [
        (e.track, format_time(e.added)[:10], e.removed and format_time(e.removed)[:10])
        for e in archive.playlists["p1"].entries
    ]
    assert stays == [
        ("t1", "2020-05-01", None),
        ("t2", "2020-05-02", "2020-06-01"),
        ("t2", "2020-07-01", None),
    ]
    assert format_time(archive.last_day)[:10] == "2021-01-01"


def test_listening_data_are_read_whatever_their_encoding(folder: Path) -> None:
    data = listening_data.read(folder / "lastfm-2k")
    assert data.tags == {1: "techno", 2: "tropicália", 3: "seen live"}
    assert data.artists[10] == "elan"
    assert data.listeners == [2, 3]
    assert data.friendships == [(2, 3), (3, 2)]
    assert [(x.listener, x.artist, x.count) for x in data.listenings] == small_data.LISTENINGS


def test_impossible_years_are_left_out_and_counted(folder: Path) -> None:
    data = listening_data.read(folder / "lastfm-2k")
    assert data.misdated == 1
    assert len(data.assignments) == 5
    assert format_time(data.assignments[0].at)[:10] == "2009-04-01"


@pytest.mark.parametrize(
    ("column", "value", "problem"),
    [
        (0, "p7", "playlist 'p7' is not in playlists.tsv"),
        (7, "long", "length is 'long', not [hours:][minutes:]seconds"),
        (8, "1.5.2020", "added is '1.5.2020', not a date YYYY-MM-DD"),
        (9, "2020-02-30", "removed is '2020-02-30', not a date"),
    ],
)
def test_a_bad_entry_is_named_with_file_line_and_remedy(
    tmp_path: Path, column: int, value: str, problem: str
) -> None:
    rows = replaced([*small_data.ENTRIES], 1, column, value)
    folder = small_data.write(tmp_path, entries=rows)
    with pytest.raises(DataFileError) as raised:
        playlist_archive.read(folder / "playlists")
    message = str(raised.value)
    assert f"{folder}/playlists/entries.tsv.gz, line 3: " in message
    assert problem in message
    assert "disco demo import PATH" in message


@pytest.mark.parametrize(
    ("stem", "rows", "problem"),
    [
        ("user_artists", [(2, 77, 1)], "artistID 77 is not in the table"),
        ("user_artists", [(2, 10, "many")], "weight is 'many', not a whole number"),
        ("user_friends", [(2, 5)], "friendID 5 is not in the table"),
        ("user_taggedartists", [(2, 10, 9, 1, 1, 2009)], "tagID 9 is not in the table"),
        ("user_taggedartists", [(2, 10, 1, 31, 2, 2009)], "2009-2-31 is no date"),
    ],
)
def test_bad_listening_data_are_named(
    tmp_path: Path, stem: str, rows: list[tuple[object, ...]], problem: str
) -> None:
    folder = small_data.write(tmp_path, **{stem: rows})
    with pytest.raises(DataFileError) as raised:
        listening_data.read(folder / "lastfm-2k")
    assert f"{stem}.dat, line 2: {problem}" in str(raised.value)


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / "lastfm-2k" / "tags.dat").unlink()
    with pytest.raises(DataFileError, match=r"tags\.dat: there is no such file, nor a \.gz of it"):
        listening_data.read(folder / "lastfm-2k")


def test_another_header_is_refused(folder: Path) -> None:
    (folder / "playlists" / "playlists.tsv").write_text("id\tname\np1\tSunday\n")
    with pytest.raises(DataFileError, match="line 1: the header is 'id name'"):
        playlist_archive.read(folder / "playlists")


def test_a_line_with_too_few_values_is_named(folder: Path) -> None:
    path = folder / "lastfm-2k" / "user_friends.dat"
    path.write_text("userID\tfriendID\n2\t3\n2\n")
    with pytest.raises(DataFileError, match="line 3: 1 values instead of 2"):
        listening_data.read(folder / "lastfm-2k")


def test_a_damaged_archive_is_named(folder: Path) -> None:
    path = folder / "playlists" / "entries.tsv.gz"
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(DataFileError, match="cannot be read"):
        playlist_archive.read(folder / "playlists")
    path.write_bytes(gzip.compress(small_data.HEADERS["playlists/entries.tsv"].encode() + b"\xff"))
    with pytest.raises(DataFileError, match="line 1: not utf-8 text"):
        playlist_archive.read(folder / "playlists")
