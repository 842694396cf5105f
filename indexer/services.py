"""The services that every part of the indexer works with, opened once a process."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from elasticsearch import AsyncElasticsearch

from core.database import Databases, open_databases
from core.definitions import Definition
from core.engine import engine_client
from core.operation_log import Actor
from core.settings import Settings
from indexer.build_journal import Journal
from indexer.fence import ReplicaFence
from indexer.generation import Generation
from indexer.generations import Generations
from indexer.hydrator import DatabaseHydrator
from indexer.pipeline import Cascade, Pipeline
from indexer.probing import Prober
from indexer.routes import Route
from indexer.shared_task import SharedTask
from indexer.splice import RankView, open_view
from indexer.writer import EngineStore


@dataclass(frozen=True, kw_only=True)
class Services:
    """What the indexer needs besides the broker; survives lost broker connections."""

    settings: Settings
    definitions: Mapping[str, Definition]  # the files that this process was started with
    databases: Databases
    engine: AsyncElasticsearch
    fence: ReplicaFence
    generations: Generations
    ranks: RankView
    journal: Journal
    assistant: SharedTask = field(default_factory=SharedTask)  # does background work, if need be
    # Whoever is in charge of what is done with them; the operation log names him.
    actor: Actor = field(default_factory=Actor.of_this_process)
    prober: Prober | None = None  # searches as the query API does; None: gates are not asked

    def profile_of(self, generation: Generation) -> Mapping[str, Any]:
        """How a generation is searched: by the profile that it was built with, if it knows it."""
        if generation.profile is not None:
            return generation.profile
        definition = self.definitions.get(generation.recipe.entity)
        return definition.profile if definition else {}

    def pipeline(self, route: Route, cascade: Cascade) -> Pipeline:
        """The pipeline to the generations of a route."""
        return Pipeline(
            hydrator=DatabaseHydrator(route.recipes, self.fence, self.ranks),
            store=EngineStore(self.engine, route.indices),
            cascade=cascade,
            clock_tolerance=int(self.settings.clock_tolerance * 1_000_000),
        )


def route_to(generation: Generation) -> Route:
    """The route to one generation and no other."""
    entity = generation.recipe.entity
    return Route(recipes={entity: generation.recipe}, indices={entity: [generation.index]})


@asynccontextmanager
async def open_services(
    settings: Settings, definitions: Mapping[str, Definition]
) -> AsyncIterator[Services]:
    """Database pools and engine client; raises `ServiceUnavailableError`."""
    async with (
        open_databases(settings, application="disco indexer", size=10) as databases,
        engine_client(settings) as engine,
    ):
        yield Services(
            settings=settings,
            definitions=definitions,
            databases=databases,
            engine=engine,
            fence=ReplicaFence(databases, patience=settings.replica_patience),
            generations=Generations(engine, settings),
            ranks=open_view(settings),
            journal=Journal(engine, settings),
        )
