"""The hydrator: the phrases that entities have now, from the primary database.

The sources of a build are asked, for some ids only. What is asked together is seen as of one
moment. The primary, because an event can be here before a replica has its change.
"""

from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from core.database import STATEMENT_ERRORS, UNAVAILABLE_ERRORS, Pool
from core.definitions import Recipe
from core.telemetry import logger
from suggest.metrics import OVERLAY_CHANGES
from suggest.overlay import Key, Phrases
from suggest.phrases import Phrase
from suggest.rank_weights import RankWeights, UnrankedIdError
from suggest.sources import Source, phrases_of

_log = logger("suggest")


class Hydrator:
    """Reads phrases, and finds out what shows something of an entity."""

    def __init__(
        self,
        pool: Pool,
        sources: Sequence[Source],
        recipes: Mapping[str, Recipe],
        ranks: RankWeights | None,
    ) -> None:
        self._pool = pool
        self._sources = sources
        self._ranks = ranks
        self._dependents = {e: r.dependents_sql for e, r in recipes.items() if r.dependents_sql}
        self.types = frozenset(source.type for source in sources)

    async def phrases(self, keys: Sequence[Key]) -> dict[Key, Phrases]:
        """The phrases of each entity; none for one that must not be suggested.

        Entities that the database refuses to tell of are left out, told in the log, and counted.
        Raises one of `UNAVAILABLE_ERRORS`.
        """
        if not keys:
            return {}
        try:
            return await self._read(keys)
        except UNAVAILABLE_ERRORS:
            raise
        except (asyncpg.PostgresError, UnrankedIdError) as error:
            if len(keys) == 1 or isinstance(error, STATEMENT_ERRORS):
                _log.error("overlay_unreadable", entities=keys[:5], reason=str(error))
                OVERLAY_CHANGES.labels("failed").inc(len(keys))
                return {}
        middle = len(keys) // 2
        return await self.phrases(keys[:middle]) | await self.phrases(keys[middle:])

    async def dependents(self, keys: Iterable[Key]) -> list[Key]:
        """What shows something of the entities, of the types that are suggested.

        Raises one of `UNAVAILABLE_ERRORS`.
        """
        found: list[Key] = []
        for entity, ids in _by_type(keys).items():
            if sql := self._dependents.get(entity):
                try:
                    rows = await self._pool.fetch(sql, ids)
                except UNAVAILABLE_ERRORS:
                    raise
                except asyncpg.PostgresError as error:
                    _log.error("overlay_unreadable", entities=[entity], reason=str(error))
                    continue
                found += [(kind, one) for kind, one in rows if kind in self.types]
        return found

    async def _read(self, keys: Sequence[Key]) -> dict[Key, Phrases]:
        found: dict[Key, list[Phrase]] = {key: [] for key in keys}
        ids = _by_type(keys)
        async with (
            self._pool.acquire() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            for source in self._sources:
                if wanted := ids.get(source.type):
                    rows = await connection.fetch(source.query_some, wanted, source.minimum_weight)
                    for phrase in phrases_of(source, rows, self._ranks):
                        found[source.type, int(phrase.target or 0)].append(phrase)
        return {key: tuple(phrases) for key, phrases in found.items()}


def _by_type(keys: Iterable[Key]) -> dict[str, list[int]]:
    ids: dict[str, list[int]] = {}
    for entity, one in keys:
        ids.setdefault(entity, []).append(one)
    return ids
