"""The store: searches and interactions as rows of the service's own schema, a partition a day.

The day is that of the search, which its id tells: a repeated record is found in the same
partition, whenever it comes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Final

import asyncpg
import orjson

from core.database import Connection, Pool

TABLES: Final = ("searches", "interactions")
_LOCK: Final = 0x_D15C_0002  # advisory; whoever makes or drops a partition holds it
_INSERT: Final[Mapping[str, str]] = {
    "searches": """
INSERT INTO disco.searches
SELECT r.* FROM jsonb_populate_recordset(NULL::disco.searches, $1::jsonb) AS r
ON CONFLICT DO NOTHING
""",
    "interactions": """
INSERT INTO disco.interactions
SELECT r.* FROM jsonb_populate_recordset(NULL::disco.interactions, $1::jsonb) AS r
ON CONFLICT DO NOTHING
""",
}
_PARTITIONS: Final = """
SELECT child.relname AS name
FROM pg_inherits
JOIN pg_class AS child ON child.oid = inhrelid
WHERE inhparent = $1::regclass
ORDER BY 1
"""

#: What is wrong with the rows themselves, whenever they are tried.
REFUSED_ERRORS: Final = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError)


@dataclass(frozen=True, kw_only=True)
class Inserted:
    """What became of rows."""

    stored: int
    repeated: int  # were there already


async def insert(
    primary: Pool, searches: Sequence[Mapping[str, Any]], interactions: Sequence[Mapping[str, Any]]
) -> dict[str, Inserted]:
    """Insert records in one transaction, each once however often it comes; by table.

    Raises one of `REFUSED_ERRORS` for a record that is no row, and the driver's errors.
    """
    rows = {"searches": searches, "interactions": interactions}
    days = {date.fromisoformat(one["day"]) for some in rows.values() for one in some}
    async with primary.acquire() as connection:
        await _make_days(connection, days)
        async with connection.transaction():
            return {name: await _insert(connection, name, some) for name, some in rows.items()}


async def days(primary: Pool) -> list[date]:
    """The days that there are partitions of, oldest first."""
    found: set[date] = set()
    for table in TABLES:
        rows = await primary.fetch(_PARTITIONS, f"disco.{table}")
        found |= {_day_of(row["name"]) for row in rows}
    return sorted(found)


async def drop(primary: Pool, day: date) -> None:
    """Delete all of a day."""
    async with primary.acquire() as connection, connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        for table in TABLES:
            await connection.execute(f"DROP TABLE IF EXISTS disco.{_partition(table, day)}")


async def _insert(
    connection: Connection, table: str, rows: Sequence[Mapping[str, Any]]
) -> Inserted:
    if not rows:
        return Inserted(stored=0, repeated=0)
    told = await connection.execute(_INSERT[table], orjson.dumps(rows).decode())
    stored = int(told.rpartition(" ")[2])
    return Inserted(stored=stored, repeated=len(rows) - stored)


async def _make_days(connection: Connection, wanted: set[date]) -> None:
    for day in sorted(wanted):
        there = await connection.fetchval(
            "SELECT to_regclass($1) IS NOT NULL", f"disco.{_partition(TABLES[-1], day)}"
        )
        if not there:
            await _make_day(connection, day)


async def _make_day(connection: Connection, day: date) -> None:
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
        for table in TABLES:
            await connection.execute(
                f"CREATE TABLE IF NOT EXISTS disco.{_partition(table, day)} "
                f"PARTITION OF disco.{table} "
                f"FOR VALUES FROM ('{day}') TO ('{day + timedelta(days=1)}')"
            )


def _partition(table: str, day: date) -> str:
    return f"{table}_{day:%Y%m%d}"


def _day_of(partition: str) -> date:
    text = partition.rpartition("_")[2]
    return date(int(text[:4]), int(text[4:6]), int(text[6:]))
