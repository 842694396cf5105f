"""The oracle: builds the indices, and tells on what they and the database differ."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import NotFoundError
from elasticsearch.helpers import async_scan

from core.settings import Settings
from indexer import operations
from indexer.changes import Change, Key, Outcome, Write
from indexer.names import live_alias
from indexer.routes import plan_routes
from indexer.services import Services
from indexer.verification import Difference

ENTITIES = ("group", "set", "sound", "user")


@dataclass(kw_only=True)
class Verification:
    """What one verification of all entity types found."""

    compared: int = 0
    differences: list[Difference] = field(default_factory=list)

    def kinds(self) -> set[tuple[str, int, str]]:
        """The differences as (entity, id, kind)."""
        return {(one.entity, one.id, str(one.kind)) for one in self.differences}


class _Silence:
    """A cascade that tells nobody."""

    async def publish(self, keys: Sequence[Key], now: int) -> None:
        """Publish nothing."""

    async def announce(self, writes: Sequence[Write]) -> None:
        """Publish nothing."""


class Index:
    """The index of one place: built, looked at, compared, and tampered with."""

    def __init__(self, services: Services) -> None:
        self.services = services
        self._prefix = services.settings.index_prefix

    async def build(self, entities: Sequence[str] = ENTITIES) -> None:
        """A live generation of each entity type, with all that is in the database."""
        async with asyncio.TaskGroup() as builds:
            for entity in entities:
                builds.create_task(self._build(entity))

    async def _build(self, entity: str) -> None:
        async for _ in operations.build(self.services, entity):
            pass

    async def clear(self) -> None:
        """Leave no row and no document. Ids go on from where they were."""
        await self.services.databases.primary.execute("truncate users, tags, genres cascade")
        await self.services.engine.delete_by_query(
            index=f"{self._prefix}-*", query={"match_all": {}}, refresh=True, conflicts="proceed"
        )

    async def block_writes(self) -> None:
        """Make the engine answer 429 to every write, as it does when its disk is full."""
        await self._set_block(blocked=True)

    async def allow_writes(self) -> None:
        """Make it take writes again."""
        await self._set_block(blocked=None)

    async def _set_block(self, *, blocked: bool | None) -> None:
        await self.services.engine.indices.put_settings(
            index=f"{self._prefix}-*",
            settings={"index.blocks.read_only_allow_delete": blocked},
        )

    async def verify(self, *, patience: float = 5.0) -> Verification:
        """Compare everything; a difference counts when it is there after `patience` seconds."""
        found = Verification()
        for entity in self.services.definitions:
            compared = 0
            async for verdict in operations.verify(self.services, entity, patience=patience):
                compared = verdict.compared
                found.differences += verdict.differences
            found.compared += compared
        return found

    async def ahead(self) -> list[Key]:
        """Documents whose version the primary's clock has not reached, tolerance included."""
        clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
        now = await self.services.databases.primary.fetchval(clock)
        limit = now + round(self.services.settings.clock_tolerance * 1e6)
        found: list[Key] = []
        for entity in self.services.definitions:
            scan = async_scan(
                self.services.engine,
                index=live_alias(self._prefix, entity),
                query={"version": True, "_source": False},
            )
            found += [(entity, int(hit["_id"])) async for hit in scan if hit["_version"] > limit]
        return found

    async def stored(self, entity: str, entity_id: int) -> dict[str, Any] | None:
        """The document with its version (`_version`), searchable or not; None: there is none."""
        try:
            answer = await self.services.engine.get(
                index=live_alias(self._prefix, entity), id=str(entity_id)
            )
        except NotFoundError:
            return None
        return {"_version": answer["_version"], **answer["_source"]}

    async def take(self, *keys: Key) -> None:
        """Write the documents of the keys as a scan would: nobody is told, nothing else follows."""
        services = self.services
        routes = plan_routes(await services.generations.list(), services.definitions)
        pipeline = services.pipeline(routes[0], _Silence())
        results = await pipeline.process([Change(key, 0, cascades=False) for key in keys])
        assert set(results.outcomes.values()) == {Outcome.INDEXED}, results

    async def write(self, entity: str, entity_id: int, *, version: int, **document: Any) -> None:
        """Write a document past the indexer."""
        await self.services.engine.index(
            index=live_alias(self._prefix, entity),
            id=str(entity_id),
            document=document,
            version=version,
            version_type="external",
            refresh=True,
        )

    async def remove(self, entity: str, entity_id: int) -> None:
        """Delete a document past the indexer."""
        await self.services.engine.delete(
            index=live_alias(self._prefix, entity), id=str(entity_id), refresh=True
        )


@asynccontextmanager
async def open_index(settings: Settings) -> AsyncIterator[Index]:
    """The index of the settings, not built yet."""
    async with operations.open_indexer(settings) as services:
        yield Index(services)
