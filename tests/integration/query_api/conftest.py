"""A served query API over indices of the module's own."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

import httpx
import pytest

from core.engine import create_engine
from core.settings import Settings
from tests.integration.query_api import catalogue
from tests.integration.query_api.catalogue import Document
from tests.integration.query_api.serving import served

Write = Callable[[Iterable[Document]], None]


@pytest.fixture(scope="module")
def indices(settings: Settings) -> Settings:
    """Settings of a place where every entity type has an empty index."""

    async def create() -> None:
        async with create_engine(settings) as engine:
            await catalogue.create_indices(engine, settings)

    asyncio.run(create())
    return settings


@pytest.fixture(scope="module")
def write(indices: Settings) -> Write:
    """Writes documents into the indices; they can be found when it returns."""

    async def run(documents: Iterable[Document]) -> None:
        async with create_engine(indices) as engine:
            await catalogue.write(engine, indices, documents)

    return lambda documents: asyncio.run(run(documents))


@pytest.fixture(scope="module")
def address(indices: Settings) -> Iterator[str]:
    """Where the query API answers."""
    with served(indices) as at:
        yield at


@pytest.fixture
def api(address: str) -> Iterator[httpx.Client]:
    """A client of the query API."""
    with httpx.Client(base_url=address, timeout=20) as client:
        yield client
