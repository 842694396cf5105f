"""What listeners of a music service heard, tagged, and whom they befriended.

Five tables: `artists.dat`, `tags.dat`, `user_artists.dat` (how often a listener played an artist),
`user_friends.dat`, `user_taggedartists.dat` (which tag a listener gave an artist, and when).
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from core.events import to_microseconds
from demo import data_files
from demo.data_files import Row

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # a tag from before is a slip of the data


@dataclass(frozen=True, kw_only=True, slots=True)
class Listening:
    """How often a listener played an artist's work."""

    listener: int
    artist: int
    count: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Assignment:
    """A tag that a listener gave an artist."""

    listener: int
    artist: int
    tag: int
    at: int  # µs since 1970; the data know the day


@dataclass(frozen=True, kw_only=True)
class ListeningData:
    """All of it, in the order of the files."""

    artists: dict[int, str]
    tags: dict[int, str]
    listenings: list[Listening]
    friendships: list[tuple[int, int]]  # each direction by itself
    assignments: list[Assignment]
    misdated: int  # assignments that were left out because their year is impossible

    @property
    def listeners(self) -> list[int]:
        """Everybody who heard something, ascending."""
        return sorted({listening.listener for listening in self.listenings})


def read(folder: Path) -> ListeningData:
    """Read the five tables of a folder; raises `DataFileError`."""
    artists = {
        row.integer("id"): row["name"].strip() for row in _table(folder, "artists", "id", "name")
    }
    tags = {
        row.integer("tagID"): " ".join(row["tagValue"].split())
        for row in _table(folder, "tags", "tagID", "tagValue", encoding="latin-1")
    }
    listenings = [
        Listening(
            listener=row.integer("userID"),
            artist=_known(row, "artistID", artists),
            count=max(1, row.integer("weight")),
        )
        for row in _table(folder, "user_artists", "userID", "artistID", "weight")
    ]
    listeners = {listening.listener for listening in listenings}
    assignments, misdated = _assignments(folder, listeners, tags)
    return ListeningData(
        artists=artists,
        tags=tags,
        listenings=listenings,
        friendships=[
            (_known(row, "userID", listeners), _known(row, "friendID", listeners))
            for row in _table(folder, "user_friends", "userID", "friendID")
        ],
        assignments=assignments,
        misdated=misdated,
    )


def _table(folder: Path, name: str, *columns: str, encoding: str = "utf-8") -> Iterator[Row]:
    path = data_files.find(folder, f"{name}.dat")
    return data_files.read(path, columns, encoding=encoding)


def _assignments(
    folder: Path, listeners: Container[int], tags: Container[int]
) -> tuple[list[Assignment], int]:
    columns = ("userID", "artistID", "tagID", "day", "month", "year")
    found: list[Assignment] = []
    misdated = 0
    for row in _table(folder, "user_taggedartists", *columns):
        at = _moment(row)
        if at < to_microseconds(EARLIEST):
            misdated += 1
            continue
        found.append(
            Assignment(
                listener=_known(row, "userID", listeners),
                # Not looked up: artists whom nobody played are tagged, too, and have no name here.
                artist=row.integer("artistID"),
                tag=_known(row, "tagID", tags),
                at=at,
            )
        )
    return found, misdated


def _moment(row: Row) -> int:
    year, month, day = (row.integer(column) for column in ("year", "month", "day"))
    try:
        return to_microseconds(datetime(year, month, day, tzinfo=UTC))
    except ValueError:
        raise row.error(f"{year}-{month}-{day} is no date") from None


def _known(row: Row, column: str, known: Container[int]) -> int:
    number = row.integer(column)
    if number not in known:
        raise row.error(f"{column} {number} is not in the table that it refers to")
    return number
