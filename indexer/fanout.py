"""The fan-out: every change goes to every generation, each by its own recipe.

As a rule all generations of an entity type have one recipe, and there is one pipeline. While a
definition changes, documents of both shapes are made, so that the old generation stays as right as
the new one, whichever files a worker was started with.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import NamedTuple

from indexer.cascade import DatabaseCascade, RefreshPublisher
from indexer.changes import Change
from indexer.holds import Watch
from indexer.pipeline import Pipeline, Results
from indexer.routes import LEASE_SECONDS, Route, plan_routes
from indexer.services import Services


class _Lane(NamedTuple):
    route: Route
    pipeline: Pipeline


class Fanout:
    """Processes changes on all routes. What it knows of the generations is a lease old at most."""

    def __init__(self, services: Services, publisher: RefreshPublisher) -> None:
        self._services = services
        self._publisher = publisher
        self._lanes: Sequence[_Lane] = ()
        self._known_until = 0.0
        self._holds = Watch()

    async def process(self, changes: Sequence[Change]) -> Results:
        """As `Pipeline.process`; a change has its outcome when it has one in every generation."""
        lanes = await self._look()
        return merge(
            await asyncio.gather(
                *(
                    lane.pipeline.process([c for c in changes if c.key[0] in lane.route.recipes])
                    for lane in lanes
                )
            )
        )

    async def knows(self, entity: str) -> bool:
        """Whether there is a definition or a generation of that entity type."""
        return any(entity in lane.route.recipes for lane in await self._look())

    async def _look(self) -> Sequence[_Lane]:
        if time.monotonic() >= self._known_until:
            asked = time.monotonic()
            generations = await self._services.generations.list()
            await self._holds.lift_overdue(self._services.generations, generations, asked)
            routes = plan_routes(generations, self._services.definitions)
            if routes != [lane.route for lane in self._lanes]:
                self._lanes = [_Lane(route, self._pipeline(route)) for route in routes]
            self._known_until = asked + LEASE_SECONDS
        return self._lanes

    def _pipeline(self, route: Route) -> Pipeline:
        cascade = DatabaseCascade(route.recipes, self._services.fence, self._publisher)
        return self._services.pipeline(route, cascade)


def merge(all_results: Sequence[Results]) -> Results:
    """One result for changes that went several ways; the first way's outcome is the one to tell."""
    merged = Results()
    for results in all_results:
        merged.outcomes = results.outcomes | merged.outcomes
        merged.poison |= results.poison
        merged.again |= results.again
        merged.now = max(merged.now, results.now)
        merged.clamped = max(merged.clamped, results.clamped)
        merged.resettled += results.resettled
    return merged
