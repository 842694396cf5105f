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
from indexer.generation import Generation
from indexer.holds import Watch
from indexer.pipeline import Pipeline, Results
from indexer.routes import LEASE_SECONDS, Route, plan_routes
from indexer.services import Services


class _Lane(NamedTuple):
    route: Route
    pipeline: Pipeline


class Fanout:
    """Processes changes on all routes. What it knows of the generations is a lease old at most."""

    def __init__(
        self,
        services: Services,
        publisher: RefreshPublisher,
        *,
        dependents: RefreshPublisher | None = None,
    ) -> None:
        """`dependents` publishes for those (default: `publisher`, which does all the rest)."""
        self._services = services
        self._publisher = publisher
        self._dependents = dependents or publisher
        self._lanes: Sequence[_Lane] = ()  # to every generation
        self._roomy: Sequence[_Lane] = ()  # to every generation but those without room
        self._late: frozenset[str] = frozenset()  # entity types that have one without room
        self._known_until = 0.0
        self._holds = Watch()

    async def process(self, changes: Sequence[Change]) -> Results:
        """As `Pipeline.process`; a change has its outcome when it has one in every generation."""
        await self._look()
        return await _process(self._lanes, changes)

    async def process_urgently(self, changes: Sequence[Change]) -> Results:
        """The same, but what is not live and has no room is no reason to wait.

        A change has its outcome when every other generation has it, and the broker has a refresh
        event for the one without room: it gets it as background work.
        """
        await self._look()
        results = await _process(self._roomy, changes)
        settled = [change.key for change in changes if change.key not in results.again]
        if late := [(key, results.now) for key in settled if key[0] in self._late]:
            await self._publisher.publish(late)
        return results

    async def knows(self, entity: str) -> bool:
        """Whether there is a definition or a generation of that entity type."""
        await self._look()
        return any(entity in lane.route.recipes for lane in self._lanes)

    async def _look(self) -> None:
        if time.monotonic() < self._known_until:
            return
        asked = time.monotonic()
        generations = await self._services.generations.list()
        await self._holds.lift_overdue(self._services.generations, generations, asked)
        late = _late(generations)
        self._lanes = self._to(generations, self._lanes)
        roomy = [one for one in generations if one not in late]
        self._roomy = self._to(roomy, self._roomy) if late else self._lanes
        self._late = frozenset(one.recipe.entity for one in late)
        self._known_until = asked + LEASE_SECONDS

    def _to(self, generations: Sequence[Generation], lanes: Sequence[_Lane]) -> Sequence[_Lane]:
        """Lanes on the routes to generations; those that are there, if nothing is new."""
        routes = plan_routes(generations, self._services.definitions)
        if routes == [lane.route for lane in lanes]:
            return lanes
        return [_Lane(route, self._pipeline(route)) for route in routes]

    def _pipeline(self, route: Route) -> Pipeline:
        cascade = DatabaseCascade(route.recipes, self._services.fence, self._dependents)
        return self._services.pipeline(route, cascade)


class UrgentFanout:
    """The fan-out of those who cannot wait for an index that nobody searches."""

    def __init__(self, fanout: Fanout) -> None:
        self._fanout = fanout

    async def process(self, changes: Sequence[Change]) -> Results:
        """As `Fanout.process_urgently`."""
        return await self._fanout.process_urgently(changes)

    async def knows(self, entity: str) -> bool:
        """As `Fanout.knows`."""
        return await self._fanout.knows(entity)


def _late(generations: Sequence[Generation]) -> list[Generation]:
    """Those without room beside a live one: whoever searches does not notice."""
    searched = {one.recipe.entity for one in generations if one.is_live}
    return [
        one
        for one in generations
        if one.is_full and not one.is_live and one.recipe.entity in searched
    ]


async def _process(lanes: Sequence[_Lane], changes: Sequence[Change]) -> Results:
    return merge(
        await asyncio.gather(
            *(
                lane.pipeline.process([c for c in changes if c.key[0] in lane.route.recipes])
                for lane in lanes
            )
        )
    )


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
