"""The log of a period, to ask with SQL: files of days that are over, and rows of the others.

DuckDB reads both. Its views:

- `found`: a row for each search with a text, whatever was paged through: `query_id`,
  `searched_at`, `hour`, `text`, `type` (the type that was searched, or `all`), `total`, `variant`,
  `experiment`, `who` (hash of the user, else of the session), `user_hash`, `session_hash`
- `shown`: a row for each hit that was shown: `query_id`, `entity_type`, `entity_id`, `position`
  (from 1, pages before included), `team`
- `clicked`: a row for each shown hit that was clicked or played: as `shown`, and `clicked_at`, of
  the first time. An interaction with what was never shown is in none of them.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

import duckdb
import pyarrow as pa

from core.settings import Settings
from evaluation.interactions import archive
from evaluation.interactions.archive import Archive
from evaluation.interactions.store import TABLES

_VIEWS: Final = """
CREATE TEMP TABLE found AS
SELECT query_id, min(searched_at) AS searched_at,
       date_trunc('hour', min(searched_at)) AS hour, any_value(text) AS text,
       any_value(CASE WHEN len(types) = 1 THEN types[1] ELSE 'all' END) AS type,
       max(total) AS total, any_value(variant) AS variant, any_value(experiment) AS experiment,
       any_value(coalesce(user_hash, session_hash)) AS who,
       any_value(user_hash) AS user_hash,
       any_value(session_hash) AS session_hash
FROM searches WHERE text <> '' GROUP BY query_id
HAVING min(searched_at) >= $since AND min(searched_at) < $until;
CREATE TEMP TABLE shown AS
SELECT DISTINCT ON (query_id, position) query_id, entity_type, entity_id, position, team FROM (
    SELECT query_id, unnest(hit_types) AS entity_type, unnest(hit_ids) AS entity_id,
           first + unnest(range(1, len(hit_ids) + 1)) AS position,
           unnest(coalesce(teams, list_transform(hit_ids, lambda x: NULL::VARCHAR))) AS team
    FROM searches WHERE query_id IN (SELECT query_id FROM found)
);
CREATE TEMP TABLE clicked AS
SELECT shown.*, min(i.done_at) AS clicked_at FROM shown
JOIN interactions AS i USING (query_id, entity_type, entity_id)
WHERE i.kind IN ('click', 'play')
GROUP BY ALL;
"""


@contextmanager
def opened(
    settings: Settings, since: datetime, until: datetime
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The log of searches from `since` until before `until`; raises `ServiceUnavailableError`."""
    first, last = since.astimezone(UTC).date(), until.astimezone(UTC).date()
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for table, rows in _rows(settings, first, last).items():
            connection.register(table, rows)
        prepare(connection, since, until)
        yield connection


def prepare(connection: duckdb.DuckDBPyConnection, since: datetime, until: datetime) -> None:
    """Make the views of what is registered as `searches` and `interactions`."""
    for statement in _VIEWS.split(";"):
        named = {"since": since, "until": until} if "$since" in statement else {}
        if statement.strip():
            connection.execute(statement, named)


def _rows(settings: Settings, first: date, last: date) -> dict[str, pa.Table]:
    """The rows of days: from files where a day is over, else from the database."""
    store = Archive(Path(settings.interactions_store))
    now = datetime.now(UTC)
    in_files = [day for day in store.days() if first <= day <= last and archive.is_over(day, now)]
    with archive.reading(settings) as connection:
        return {
            table: pa.concat_tables(
                [
                    *(pa.parquet.read_table(store.file(table, day)) for day in in_files),
                    *(
                        archive.rows(connection, table, start, end)
                        for start, end in _gaps(first, last, in_files)
                    ),
                ],
                promote_options="default",
            )
            for table in TABLES
        }


def _gaps(first: date, last: date, covered: list[date]) -> Iterator[tuple[date, date]]:
    """The days that are not covered, as first and last of each run; one at least."""
    one = timedelta(days=1)
    start = first
    for day in covered:
        if start < day:
            yield start, day - one
        start = day + one
    if start <= last or not covered:
        yield start, last
