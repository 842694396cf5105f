"""The services that every part of the indexer works with, opened once a process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass

from elasticsearch import AsyncElasticsearch

from core.database import Databases, open_databases
from core.definitions import Definition
from core.engine import engine_client
from core.settings import Settings
from indexer.cascade import DatabaseCascade, RefreshPublisher
from indexer.fence import ReplicaFence
from indexer.generations import Generations
from indexer.hydrator import DatabaseHydrator
from indexer.pipeline import Pipeline
from indexer.writer import EngineStore


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the indexer needs besides the broker; survives lost broker connections."""

    settings: Settings
    definitions: Mapping[str, Definition]
    databases: Databases
    engine: AsyncElasticsearch
    fence: ReplicaFence
    hydrator: DatabaseHydrator
    generations: Generations
    store: EngineStore  # every generation that takes live writes

    def pipeline(self, publisher: RefreshPublisher) -> Pipeline:
        """A pipeline whose cascade publishes through the given publisher."""
        return Pipeline(
            hydrator=self.hydrator,
            store=self.store,
            cascade=DatabaseCascade(self.definitions, self.fence, publisher),
            clock_tolerance=int(self.settings.clock_tolerance * 1_000_000),
        )


@asynccontextmanager
async def open_services(
    settings: Settings, definitions: Mapping[str, Definition]
) -> AsyncIterator[Services]:
    """Database pools and engine client; raises `ServiceUnavailableError`."""
    async with (
        open_databases(settings, application="disco indexer", size=10) as databases,
        engine_client(settings) as engine,
    ):
        fence = ReplicaFence(databases, patience=settings.replica_patience)
        generations = Generations(engine, settings)
        yield Services(
            settings=settings,
            definitions=definitions,
            databases=databases,
            engine=engine,
            fence=fence,
            hydrator=DatabaseHydrator(definitions, fence),
            generations=generations,
            store=EngineStore(engine, generations),
        )
