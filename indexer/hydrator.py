"""The hydrator: reads the truth, as documents built by the database.

The recipe's SQL gives columns; PostgreSQL makes them JSON text and takes its digest, so that
Python passes bytes through. The digest is the first 64 bits of the MD5 of the JSON text, signed.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from core.database import STATEMENT_ERRORS, UNAVAILABLE_ERRORS, Pool
from core.definitions import Recipe
from core.telemetry import logger
from indexer.changes import Key, Row
from indexer.errors import TemporarilyUnavailableError
from indexer.fence import ReplicaFence
from indexer.metrics import HYDRATION_SECONDS
from indexer.pipeline import Hydration
from indexer.splice import RankView, rows_of

DIGEST = "('x' || left(md5(document), 16))::bit(64)::bigint"
# OFFSET 0 keeps the planner from building the JSON once for each use.
_DOCUMENTS = """
SELECT id, (extract(epoch FROM updated_at) * 1000000)::bigint AS version, document
FROM (SELECT d.id, d.updated_at, row_to_json(d)::text AS document FROM ({sql}) d OFFSET 0) h
"""

log = logger("hydrator")


def documents_by_ids(recipe: Recipe) -> str:
    """SQL of (id, version, document, digest) for the ids in `$1::bigint[]`."""
    return f"SELECT *, {DIGEST} AS digest FROM ({_documents(recipe.hydrate_by_ids())}) x"


def digests_by_range(recipe: Recipe) -> str:
    """SQL of (id, digest) for ids from `$1` up to, but without, `$2`, by id."""
    documents = _documents(recipe.hydrate_by_range())
    return f"SELECT id, {DIGEST} AS digest FROM ({documents} OFFSET 0) x ORDER BY id"


def documents_by_range(recipe: Recipe) -> str:
    """SQL of (id, version, document, digest) for ids from `$1` up to, but without, `$2`."""
    return f"SELECT *, {DIGEST} AS digest FROM ({_documents(recipe.hydrate_by_range())}) x"


@dataclass(frozen=True)
class _Reading:
    """One hydration under way."""

    pool: Pool
    rows: dict[Key, Row] = field(default_factory=dict)
    failures: dict[Key, str] = field(default_factory=dict)


class DatabaseHydrator:
    """One round trip an entity type, from the replica, behind the fence."""

    def __init__(self, recipes: Mapping[str, Recipe], fence: ReplicaFence, ranks: RankView) -> None:
        self._recipes = recipes
        self._statements = {e: documents_by_ids(d) for e, d in recipes.items()}
        self._fence = fence
        self._ranks = ranks

    async def hydrate(self, keys: Sequence[Key]) -> Hydration:
        """Rows of the keys; raises `TemporarilyUnavailableError` when a server is away."""
        now, pool = await self._fence.wait()
        wanted: dict[str, list[int]] = defaultdict(list)
        for entity, entity_id in keys:
            wanted[entity].append(entity_id)
        reading = _Reading(pool)
        await asyncio.gather(*(self._read(reading, entity, ids) for entity, ids in wanted.items()))
        return Hydration(now, reading.rows, reading.failures)

    async def _read(self, reading: _Reading, entity: str, ids: list[int]) -> None:
        """Read the rows of one entity type; halve the ids to find one that cannot be read."""
        try:
            with HYDRATION_SECONDS.labels(entity).time():
                records = await self._fence.fetch(reading.pool, self._statements[entity], ids)
        except asyncpg.QueryCanceledError as error:
            await self._isolate(reading, entity, ids, error)
        except UNAVAILABLE_ERRORS as error:
            raise TemporarilyUnavailableError("PostgreSQL", repr(error)) from error
        except asyncpg.PostgresError as error:
            await self._isolate(reading, entity, ids, error)
        else:
            reading.rows.update(rows_of(self._recipes[entity], records, self._ranks))

    async def _isolate(
        self, reading: _Reading, entity: str, ids: list[int], error: asyncpg.PostgresError
    ) -> None:
        if len(ids) == 1 or isinstance(error, STATEMENT_ERRORS):
            log.error("hydration_failed", entity=entity, ids=ids[:10], error=str(error))
            reason = f"hydration of {entity} failed: {type(error).__name__}: {error}"
            reading.failures.update(((entity, entity_id), reason) for entity_id in ids)
            return
        middle = len(ids) // 2
        await self._read(reading, entity, ids[:middle])
        await self._read(reading, entity, ids[middle:])


def _documents(sql: str) -> str:
    return _DOCUMENTS.format(sql=sql)
