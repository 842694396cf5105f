"""A small catalogue with live indices, and generations of changed definitions beside them."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from core.definitions import load
from core.settings import Settings
from demo import operations as demo
from indexer import operations
from indexer.changes import Change
from indexer.generation import Generation, State
from indexer.services import Services, route_to
from query_api.operations import gate_prober
from tests.integration.indexer.oracle import _Silence

ENTITIES = 2_000
UNTIL = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def catalogue(settings: Settings) -> Settings:
    """The module's place with a generated catalogue, and a live index of each type."""

    async def make() -> None:
        await demo.load_generated(settings, ENTITIES, until=UNTIL)
        async with open_gates(settings) as services:
            for entity in services.definitions:
                generation = await built(services, entity)
                await services.generations.promote(generation, before=None)

    asyncio.run(make())
    return settings


@asynccontextmanager
async def open_gates(settings: Settings, folder: Path | None = None) -> AsyncIterator[Services]:
    """Services that ask gates, with the definitions of a folder."""
    if folder is not None:
        settings = dataclasses.replace(settings, definitions=str(folder))
    async with operations.open_indexer(settings, prober=gate_prober) as services:
        yield services


async def built(services: Services, entity: str) -> Generation:
    """A generation that is ready; filled as by live changes, which is quicker for a small one."""
    generation = await services.generations.create(services.definitions[entity])
    table = generation.recipe.source_table
    rows = await services.databases.primary.fetch(f"SELECT id FROM {table} ORDER BY id")
    pipeline = services.pipeline(route_to(generation), _Silence())
    for chunk in _chunks([row["id"] for row in rows], 1_000):
        results = await pipeline.process([Change((entity, one), 0, False) for one in chunk])
        assert not results.poison, results.poison
    await services.generations.refresh(generation)
    return await services.generations.enter(generation, State.READY)


def _chunks(ids: list[int], size: int) -> Iterable[list[int]]:
    return (ids[at : at + size] for at in range(0, len(ids), size))


__all__ = ["built", "catalogue", "load", "open_gates"]
