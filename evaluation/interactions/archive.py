"""The archive: days that are over, as Parquet files, beside the rows that they were made of.

    <store>/searches/2026-05-24.parquet
    <store>/interactions/2026-05-24.parquet

A day is over when nothing can come for it any more: a day after its end, which is how long it can
be said what became of a search. A file is written beside its place and renamed when it is complete.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from adbc_driver_manager import Error
from adbc_driver_postgresql import dbapi
from pyarrow import parquet

from core.errors import ServiceUnavailableError
from core.settings import Settings
from evaluation.interactions.store import TABLES

_OVER_AFTER: Final = timedelta(days=2)  # of the beginning of a day
_ROWS: Final[Mapping[str, str]] = {
    "searches": """
SELECT day, query_id, first, searched_at, text, types, every_type, total, took_ms, hit_types,
       hit_ids, teams, variant, experiment, generations::text AS generations, edition,
       user_hash, session_hash
FROM disco.searches WHERE day BETWEEN '{first}' AND '{last}' ORDER BY searched_at
""",
    "interactions": """
SELECT day, query_id, id, kind, entity_type, entity_id, position, done_at, received_at, seconds
FROM disco.interactions WHERE day BETWEEN '{first}' AND '{last}' ORDER BY done_at
""",
}


class Archive:
    """The files of one folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def file(self, table: str, day: date) -> Path:
        """Where a day's rows are, or are to be."""
        return self.folder / table / f"{day}.parquet"

    def days(self) -> list[date]:
        """The days that have all their files, oldest first."""
        found = [
            {
                date.fromisoformat(path.stem)
                for path in (self.folder / table).glob("????-??-??.parquet")
            }
            for table in TABLES
        ]
        return sorted(set.intersection(*found))

    def counts(self, day: date) -> dict[str, int] | None:
        """Rows of a day's files by table; None: they are not all there."""
        try:
            return {
                table: parquet.read_metadata(self.file(table, day)).num_rows for table in TABLES
            }
        except (OSError, pa.ArrowInvalid):
            return None

    def write(self, day: date, tables: Mapping[str, pa.Table]) -> None:
        """Put a day's rows in the place of what was there."""
        for name, rows in tables.items():
            path = self.file(name, day)
            path.parent.mkdir(parents=True, exist_ok=True)
            partial = path.with_suffix(f".partial.{os.getpid()}")
            parquet.write_table(rows, partial, compression="zstd")
            partial.replace(path)

    def remove(self, day: date) -> None:
        """Delete a day's files."""
        for table in TABLES:
            self.file(table, day).unlink(missing_ok=True)


def is_over(day: date, now: datetime) -> bool:
    """Whether nothing can come for a day any more; `now` is in UTC."""
    return day <= (now - _OVER_AFTER).date()


@contextmanager
def reading(settings: Settings) -> Iterator[Any]:
    """A connection that rows are read by; raises `ServiceUnavailableError`."""
    try:
        with dbapi.connect(settings.database_url) as connection:
            yield connection
    except Error as error:
        raise ServiceUnavailableError(
            f"searches and interactions cannot be read: {error}; is PostgreSQL running?"
        ) from error


def rows(connection: Any, table: str, first: date, last: date) -> pa.Table:
    """The rows of days, both included."""
    with connection.cursor() as cursor:
        cursor.execute(_ROWS[table].format(first=first, last=last))
        return cursor.fetch_arrow_table()


def write_days(settings: Settings, days: Sequence[date]) -> list[date]:
    """Write the files of those days that have none, or others than there are rows."""
    archive = Archive(Path(settings.interactions_store))
    written = []
    with reading(settings) as connection:
        for day in days:
            if archive.counts(day) != _counts(connection, day):
                archive.write(day, {table: rows(connection, table, day, day) for table in TABLES})
                written.append(day)
    return written


def _counts(connection: Any, day: date) -> dict[str, int]:
    found = {}
    with connection.cursor() as cursor:
        for table in TABLES:
            cursor.execute(f"SELECT count(*) FROM disco.{table} WHERE day = '{day}'")
            found[table] = int(cursor.fetchone()[0])
    return found
