"""Windows: an entity type's ids in consecutive ranges of about equally many rows.

Keyset ranges: the next window starts where the last one ended, however many rows there are and
however sparse their ids. Together the windows cover every possible id, so that what only the engine
has is seen too.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple

from core.database import UNAVAILABLE_ERRORS, Pool
from core.definitions import Recipe
from indexer.errors import TemporarilyUnavailableError

SMALLEST_ID = 0
END_OF_IDS = 2**63 - 1  # no row has this id; the end of the last window


class Window(NamedTuple):
    """Ids from `start` up to, but without, `end`."""

    start: int
    end: int


async def windows(
    pool: Pool, recipe: Recipe, *, rows: int, start: int = SMALLEST_ID
) -> AsyncIterator[Window]:
    """Windows of about `rows` rows each from `start` on, ascending.

    Raises `TemporarilyUnavailableError` when the server is away.
    """
    while start < END_OF_IDS:
        window, _ = await next_window(pool, recipe, rows=rows, start=start)
        yield window
        start = window.end


async def next_window(pool: Pool, recipe: Recipe, *, rows: int, start: int) -> tuple[Window, int]:
    """The window of `rows` rows from `start` on, and how many rows are in it.

    With fewer rows left it is the last one, which ends at `END_OF_IDS`.
    Raises `TemporarilyUnavailableError` when the server is away.
    """
    statement = (
        "SELECT count(*), max(id) FROM "
        f"(SELECT id FROM {recipe.source_table} WHERE id >= $1 ORDER BY id LIMIT $2) w"
    )
    try:
        [(count, last)] = await pool.fetch(statement, start, rows)
    except UNAVAILABLE_ERRORS as error:
        raise TemporarilyUnavailableError("PostgreSQL", repr(error)) from error
    return Window(start, last + 1 if count == rows else END_OF_IDS), count


async def count_rows(pool: Pool, recipe: Recipe) -> int:
    """About how many rows the table has; 0 if the planner has no statistics of it yet.

    Rows a page by the last statistics, times the pages that there are now, as the planner does.
    """
    estimate = await pool.fetchval(
        "SELECT (greatest(reltuples, 0) / greatest(relpages, 1) "
        "* (pg_relation_size(oid) / current_setting('block_size')::integer))::bigint "
        "FROM pg_class WHERE oid = to_regclass($1)",
        recipe.source_table,
    )
    return estimate or 0
