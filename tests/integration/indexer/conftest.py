"""Fixtures of the indexer's tests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.settings import Settings
from tests.integration.indexer.oracle import open_index
from tests.integration.indexer.scene import Scene, open_scene


@pytest.fixture(scope="module")
def indexed(settings: Settings) -> Settings:
    """The module's place, with a live index of each entity type."""

    async def build() -> None:
        async with open_index(settings) as index:
            # The catalogue is empty: there is nothing to scan, nor to wait for.
            generations = index.services.generations
            for definition in index.services.definitions.values():
                await generations.promote(await generations.create(definition), before=None)

    asyncio.run(build())
    return settings


@pytest.fixture
async def scene(indexed: Settings, tmp_path: Path) -> AsyncIterator[Scene]:
    """The module's place as a scene, emptied of whatever an earlier test left."""
    async with open_scene(indexed, tmp_path) as made:
        await made.broker.purge()
        await made.index.clear()
        yield made
