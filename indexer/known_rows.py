"""Known rows: a few documents as the database gives them, drawn at random, the same each time.

They are what somebody may look for; whether he finds it is a gate's question.
"""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from core.database import STATEMENT_ERRORS
from core.telemetry import logger
from indexer.generation import Generation
from indexer.hydrator import documents_by_ids
from indexer.services import Services

_SEED = 1
_SPARE = 3  # rows drawn for each that is wanted: some are private, or drawn twice

log = logger("gates")


async def known_rows(
    services: Services, reference: Generation, *, count: int
) -> Sequence[Mapping[str, Any]]:
    """At most `count` documents of the type, made by the recipe of `reference`.

    Rows are drawn by ids spread over the range of ids, without reading the table. None where the
    recipe does not fit the database any more.
    """
    ids = await _draw(services, reference.recipe.source_table, count * _SPARE)
    _, pool = await services.fence.wait()
    try:
        rows = await pool.fetch(documents_by_ids(reference.recipe), ids)
    except STATEMENT_ERRORS as error:
        log.warning("known_rows_unreadable", index=reference.index, error=str(error))
        return []
    documents = [orjson.loads(row["document"]) for row in sorted(rows, key=lambda row: row["id"])]
    return random.Random(_SEED).sample(documents, min(count, len(documents)))  # noqa: S311


async def _draw(services: Services, table: str, count: int) -> Sequence[int]:
    """Ids of rows that are there, ascending."""
    _, pool = await services.fence.wait()
    [(least, most)] = await pool.fetch(f"SELECT min(id), max(id) FROM {table}")
    if least is None:
        return []
    chance = random.Random(_SEED)  # noqa: S311 - nothing depends on its being unforeseeable
    points = sorted(chance.randint(least, most) for _ in range(count))
    rows = await pool.fetch(
        "SELECT DISTINCT x.id FROM unnest($1::bigint[]) p, LATERAL "
        f"(SELECT id FROM {table} WHERE id >= p ORDER BY id LIMIT 1) x ORDER BY x.id",
        points,
    )
    return [row["id"] for row in rows]
