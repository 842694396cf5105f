"""Live indices: which index answers for each entity type, as this process knows it.

Searches name indices rather than aliases: so an answer knows by which index it was made, a
search stays with its index from page to page, and a variant may name another one.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from typing import Final

from elasticsearch import AsyncElasticsearch

from query_api.aliases import indices_behind

# Seconds that knowledge is used for: so soon does every process follow a promotion.
LEASE: Final = 0.3
# Seconds after which it is asked for anew, while searches go on with what is known: only the first
# after a pause waits for the answer. One call in each such time, however many searches there are.
_RENEWAL: Final = 0.15


class LiveIndices:
    """The live index of each entity type. Errors of the engine's client pass through."""

    def __init__(
        self, engine: AsyncElasticsearch, index_prefix: str, entities: Iterable[str]
    ) -> None:
        self._engine = engine
        self._index_prefix = index_prefix
        self._entities = tuple(entities)
        self._known: Mapping[str, str] = {}
        self._read_at = float("-inf")  # monotonic seconds
        self._reading: asyncio.Task[Mapping[str, str]] | None = None

    async def current(self) -> Mapping[str, str]:
        """What is known; not older than `LEASE`. A type without an index is not in it."""
        # A type that had no index a moment ago may have its first one now.
        is_complete = len(self._known) == len(self._entities)
        age = time.monotonic() - self._read_at
        if not is_complete or age >= LEASE:
            return await asyncio.shield(self._shared())
        if age >= _RENEWAL:
            self._shared()
        return self._known

    async def fresh(self) -> Mapping[str, str]:
        """What the engine says now, asked after this was called."""
        return await self._read()

    def _shared(self) -> asyncio.Task[Mapping[str, str]]:
        """One reading for all who wait; it is not to be cancelled with one of them."""
        if self._reading is None or self._reading.done():
            self._reading = asyncio.create_task(self._read())
            # An error is told even if all who waited for it are gone.
            self._reading.add_done_callback(lambda done: done.cancelled() or done.exception())
        return self._reading

    async def _read(self) -> Mapping[str, str]:
        asked_at = time.monotonic()
        found = await indices_behind(self._engine, self._index_prefix, self._entities)
        if asked_at >= self._read_at:
            self._known, self._read_at = found, asked_at
        return found
