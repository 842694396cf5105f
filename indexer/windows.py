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
    statement = f"SELECT id FROM {recipe.source_table} WHERE id >= $1 ORDER BY id OFFSET $2 LIMIT 1"
    while True:
        try:
            end = await pool.fetchval(statement, start, rows)
        except UNAVAILABLE_ERRORS as error:
            raise TemporarilyUnavailableError("PostgreSQL", repr(error)) from error
        if end is None:
            yield Window(start, END_OF_IDS)
            return
        yield Window(start, end)
        start = end


async def count_rows(pool: Pool, recipe: Recipe) -> int:
    """About how many rows the table has, from the planner's statistics; 0 if it has none yet."""
    estimate = await pool.fetchval(
        "SELECT reltuples::bigint FROM pg_class WHERE oid = to_regclass($1)",
        recipe.source_table,
    )
    return max(0, estimate or 0)
