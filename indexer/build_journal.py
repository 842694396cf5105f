"""The journal: where the engine keeps the records of builds.

One document an entity type, in an index of its own, so that the state of a build stands beside the
generation that it makes. It is changed only by whoever saw its newest state (compare and set), so
workers share a build without any other agreement.
"""

import asyncio
import time
from collections.abc import Iterable
from typing import NamedTuple

from elasticsearch import AsyncElasticsearch, BadRequestError, ConflictError, NotFoundError

from core.settings import Settings
from indexer.builds import Build, decode, encode
from indexer.errors import TemporarilyUnavailableError, engine_within_reach
from indexer.names import journal_name

# Found by its id alone: nothing in it is searched.
_MAPPINGS = {"dynamic": False, "properties": {}}
_STARTING = 20.0  # seconds until a new index must answer
_PAUSE = 0.1


class Entry(NamedTuple):
    """A record, and what says that it is the newest."""

    build: Build
    sequence_number: int
    primary_term: int


class Journal:
    """Reads and changes records. All raise `TemporarilyUnavailableError`."""

    def __init__(self, engine: AsyncElasticsearch, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._index = journal_name(settings.index_prefix)

    async def open(self) -> None:
        """Make the index if it is not there; it answers when this returns."""
        with engine_within_reach():
            if not await self._engine.indices.exists(index=self._index):
                await self._create()
        await self._answers()

    async def _answers(self) -> None:
        """Wait until the index can be read: somebody may have made it a moment ago."""
        deadline = time.monotonic() + _STARTING
        while True:
            try:
                await self.read("any")
            except TemporarilyUnavailableError:
                if time.monotonic() >= deadline:
                    raise
                await asyncio.sleep(_PAUSE)
            else:
                return

    async def _create(self) -> None:
        try:
            await self._engine.indices.create(
                index=self._index,
                settings={
                    "number_of_shards": 1,
                    "number_of_replicas": self._settings.engine_replicas,
                    "hidden": True,
                },
                mappings=_MAPPINGS,
            )
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise

    async def read(self, entity: str) -> Entry | None:
        """The newest record of an entity type; None if there is none."""
        with engine_within_reach():
            try:
                found = await self._engine.get(index=self._index, id=entity)
            except NotFoundError:
                return None
        return Entry(decode(found["_source"]), found["_seq_no"], found["_primary_term"])

    async def builds(self, entities: Iterable[str]) -> list[Build]:
        """The records of those of the entity types that have one."""
        found = [await self.read(entity) for entity in entities]
        return [entry.build for entry in found if entry is not None]

    async def put(self, build: Build, before: Entry | None) -> Entry | None:
        """Write a record in place of the one that was read.

        None if somebody else has written one meanwhile: read again.
        """
        with engine_within_reach():
            try:
                written = await self._engine.index(
                    index=self._index,
                    id=build.entity,
                    document=encode(build),
                    op_type="index" if before else "create",
                    if_seq_no=before.sequence_number if before else None,
                    if_primary_term=before.primary_term if before else None,
                )
            except ConflictError:
                return None
        return Entry(build, written["_seq_no"], written["_primary_term"])
