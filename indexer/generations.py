"""Generations: concrete indices built from a definition, and the aliases that point at them.

The state lives in the engine and nowhere else: a generation's name says what it was built from, an
alias says which one is live.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from core.definitions import Definition
from core.engine import is_unavailable
from core.settings import Settings
from indexer.errors import NoGenerationError, TemporarilyUnavailableError
from indexer.names import GenerationName, generation_pattern, live_alias, parse

# How old a worker's knowledge of the generations may be when it hydrates. Who builds a generation
# waits longer than this before it scans: whatever a worker wrote without knowing the generation was
# committed before the scan read it (ADR 0001).
LEASE_SECONDS = 1.0


@dataclass(frozen=True, kw_only=True)
class Generation:
    """One concrete index."""

    name: GenerationName
    index: str  # the name as the engine has it
    is_live: bool  # whether queries reach it


def index_body(definition: Definition, settings: Settings) -> dict[str, Any]:
    """Settings and mappings of a new generation, for the engine's create call."""
    return {
        "settings": {
            "number_of_shards": 1,
            "number_of_replicas": settings.engine_replicas,
            "refresh_interval": settings.refresh_interval,
            "gc_deletes": settings.tombstone_retention,
            "analysis": definition.analysis,
        },
        "mappings": definition.mappings,
    }


class OneGeneration:
    """Writes go to one generation and to no other."""

    def __init__(self, index: str) -> None:
        self._index = index

    async def names(self, entity: str) -> Sequence[str]:  # noqa: ARG002 - one type has the index
        """The one index."""
        return (self._index,)

    def forget(self) -> None:
        """There is nothing to look up."""


class Generations:
    """The generations of an installation, as the engine knows them."""

    def __init__(self, engine: AsyncElasticsearch, settings: Settings) -> None:
        self._engine = engine
        self._settings = settings
        self._known: Mapping[str, Sequence[str]] = {}
        self._known_until = 0.0

    async def names(self, entity: str) -> Sequence[str]:
        """Index names of every generation that takes live writes; known for a lease."""
        if time.monotonic() >= self._known_until:
            asked = time.monotonic()
            known: dict[str, list[str]] = {}
            for generation in await self.list():
                known.setdefault(generation.name.entity, []).append(generation.index)
            self._known, self._known_until = known, asked + LEASE_SECONDS
        return self._known.get(entity, ())

    def forget(self) -> None:
        """Look again at the next call."""
        self._known_until = 0.0

    async def list(self) -> list[Generation]:
        """All generations, by entity type, then oldest first."""
        prefix = self._settings.index_prefix
        try:
            found = await self._engine.indices.get_alias(index=generation_pattern(prefix))
        except (ApiError, TransportError) as error:
            if is_unavailable(error):
                raise TemporarilyUnavailableError("Elasticsearch", repr(error)[:300]) from error
            raise
        generations = []
        for index, content in found.items():
            name = parse(index)
            if name is not None and name.prefix == prefix:
                is_live = live_alias(prefix, name.entity) in content["aliases"]
                generations.append(Generation(name=name, index=index, is_live=is_live))
        return sorted(generations, key=lambda one: (one.name.entity, one.name.created_at))

    async def live(self, entity: str) -> Generation:
        """The generation that queries reach; raises `NoGenerationError`."""
        for generation in await self.list():
            if generation.name.entity == entity and generation.is_live:
                return generation
        raise NoGenerationError(f"{entity} has no live index; run `disco index reindex {entity}`")

    async def create(self, definition: Definition) -> Generation:
        """A new, empty generation that takes live writes from a lease later on."""
        name = GenerationName(
            prefix=self._settings.index_prefix,
            entity=definition.entity,
            definition=definition.hash,
            created_at=datetime.now(UTC),
        )
        index = name.build()
        await self._engine.indices.create(index=index, **index_body(definition, self._settings))
        self.forget()
        return Generation(name=name, index=index, is_live=False)

    async def promote(self, generation: Generation) -> None:
        """Make queries reach this generation and no other of its type, in one atomic action."""
        alias = live_alias(self._settings.index_prefix, generation.name.entity)
        others = generation_pattern(self._settings.index_prefix, generation.name.entity)
        await self._engine.indices.update_aliases(
            actions=[
                {"remove": {"index": others, "alias": alias, "must_exist": False}},
                {"add": {"index": generation.index, "alias": alias}},
            ]
        )
        self.forget()

    async def delete(self, generation: Generation) -> None:
        """Delete a generation for good."""
        await self._engine.indices.delete(index=generation.index, ignore_unavailable=True)
        self.forget()
