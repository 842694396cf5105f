"""Fills an empty catalogue: bare tables, COPY, then keys and triggers, in one transaction.

A load that fails or is interrupted therefore leaves what was there before.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from typing import Any

from demo import schema
from demo.copying import BINARY_HEADER, BINARY_TRAILER, Chunk, TableLoad

REPORT_EVERY = 1.0  # seconds

Report = Callable[[str], None]


async def load(
    connection: Any, tables: Iterable[TableLoad], *, origin: str, report: Report
) -> dict[str, int]:
    """Replace whatever catalogue there is by `tables`; returns the rows of each.

    `origin` says where they come from and is kept with the catalogue; `report` is given a line of
    progress now and then.
    """
    rows: dict[str, int] = {}
    async with connection.transaction():
        await connection.execute("set local synchronous_commit = off")
        await connection.execute("set local maintenance_work_mem = '256MB'")
        await connection.execute("set local timezone = 'UTC'")
        await schema.drop(connection)
        await connection.execute(schema.section("tables"))
        for table in tables:
            rows[table.table] = await _copy(connection, table, report)
        await _finish(connection, report)
        await schema.set_origin(connection, origin)
    await _settle(connection, report)
    return rows


async def _copy(connection: Any, table: TableLoad, report: Report) -> int:
    progress = _Progress(table, report)
    await connection.copy_to_table(
        table.table,
        source=_encoded(table, progress),
        columns=table.columns,
        format="binary" if table.binary else "text",
        timeout=schema.LONG,
    )
    progress.done()
    return progress.rows


async def _encoded(table: TableLoad, progress: "_Progress") -> AsyncIterator[bytes]:
    if table.binary:
        yield BINARY_HEADER
    async for chunk in _ahead(table.chunks):
        progress.add(chunk.rows)
        yield chunk.data
    if table.binary:
        yield BINARY_TRAILER


async def _ahead(chunks: Iterator[Chunk]) -> AsyncIterator[Chunk]:
    """The chunks, the next one being made in a thread while the database takes the last."""
    following = asyncio.create_task(asyncio.to_thread(next, chunks, None))
    try:
        while (chunk := await following) is not None:
            following = asyncio.create_task(asyncio.to_thread(next, chunks, None))
            yield chunk
    finally:
        following.cancel()


async def _finish(connection: Any, report: Report) -> None:
    """What the tables have beside rows."""
    last = ""
    for table, statement in schema.key_statements():
        if table != last:
            report(f"building the keys of {table}")
            last = table
        await connection.execute(statement, timeout=schema.LONG)
    for table in (*schema.ENTITY_TABLES.values(), "genres", "tags"):
        # The next id follows the greatest; an empty table starts at 1.
        await connection.execute(
            f"select setval(pg_get_serial_sequence('{table}', 'id'), "  # noqa: S608 our names
            f"coalesce(max(id), 0) + 1, false) from {table}",
            timeout=schema.LONG,
        )
    report("adding up the latest activity")
    await connection.execute(schema.section("triggers"), timeout=schema.LONG)


async def _settle(connection: Any, report: Report) -> None:
    """Statistics for the planner, and hint bits now rather than in the first reader's time."""
    report("vacuuming and analysing")
    for table in schema.TABLES:
        await connection.execute(f"vacuum (analyze) {table}", timeout=schema.LONG)


class _Progress:
    """Counts the rows of a table and reports now and then."""

    def __init__(self, table: TableLoad, report: Report) -> None:
        self.rows = 0
        self._table = table
        self._report = report
        self._started = self._reported = time.monotonic()

    def add(self, rows: int) -> None:
        """Some more rows are on their way."""
        self.rows += rows
        now = time.monotonic()
        if now - self._reported >= REPORT_EVERY:
            self._reported = now
            share = min(self.rows / max(self._table.rows, 1), 0.99)
            self._report(f"loading {self._table.table}: {share:.0%}, {self._rate()}")

    def done(self) -> None:
        """That was all."""
        self._report(f"loaded {self._table.table}: {self._rate()}")

    def _rate(self) -> str:
        seconds = max(time.monotonic() - self._started, 1e-6)
        return f"{self.rows:,} rows ({self.rows / seconds:,.0f}/s)"
