"""Gate probes: generations are searched as they will be once they are live, and the answers gauged.

The planner and the engine's search are those of every query; only the index is another, and the
profile is the one that the generation was built with.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from elasticsearch import AsyncElasticsearch, BadRequestError

from core.definitions import DefinitionError
from evaluation.operations import Gauge, gauge
from indexer.operations import Generation, Hit, KnownItem, Rankings, Services
from query_api import known_items, planner, profiles
from query_api.parameters import SearchRequest, shortened
from query_api.profiles import SearchProfile
from query_api.wording import clean

_DEPTH: Final = 10  # hits that are looked at
_AT_ONCE: Final = 50  # queries in one request
_FILTER_PATH: Final = (
    "responses.status,responses.error.type,responses.hits.hits._id,responses.hits.hits._source"
)
_LONGEST_REASON: Final = 500  # characters of the engine's words


class GateProber:
    """Searches generations of the definitions that this process knows.

    All raise what the engine's client raises.
    """

    def __init__(self, services: Services) -> None:
        self._services = services
        self._engine: AsyncElasticsearch = services.engine
        self._profiles: dict[str, SearchProfile | str] = {}  # by index; a text says what is wrong

    async def problem(self, generation: Generation) -> str | None:
        """Why searches of the generation would fail; None: they would not."""
        if generation.index not in self._profiles:
            self._profiles[generation.index] = await self._read(generation)
        found = self._profiles[generation.index]
        return found if isinstance(found, str) else None

    def known_items(
        self, generation: Generation, documents: Sequence[Mapping[str, Any]]
    ) -> Sequence[KnownItem]:
        """The ways in which somebody may look for these documents."""
        return known_items.known_items(documents, self._profile(generation))

    def answers(self, item: KnownItem, hit: Hit) -> bool:
        """Whether somebody who looks for the item would be content with the hit."""
        return known_items.answers(item, hit)

    async def rank(self, generation: Generation, texts: Sequence[str]) -> Rankings:
        """The first ten hits of each query, in the order of the queries."""
        found: list[Sequence[Hit]] = []
        for at in range(0, len(texts), _AT_ONCE):
            found += await self._rank(generation, texts[at : at + _AT_ONCE])
        return found

    async def time(self, generation: Generation, text: str) -> float:
        """How long a search takes that a person waits for, in seconds."""
        plan = self._plan(generation, self._profile(generation), text)
        began = time.perf_counter()
        await self._ask(plan)
        return time.perf_counter() - began

    def gauge(
        self,
        grades: Mapping[str, Mapping[str, int]],
        rankings: Mapping[str, Sequence[str]],
        before: Mapping[str, Sequence[str]] | None,
        measure: str,
    ) -> Gauge:
        """How good rankings are, by query; beside those of the live generation."""
        return gauge(grades, rankings, before, measure)

    async def _rank(self, generation: Generation, texts: Sequence[str]) -> Rankings:
        """The hits of some queries in one request, without what only a person needs."""
        profile = self._profile(generation)
        plans = [self._plan(generation, profile, text) for text in texts]
        searches: list[Mapping[str, Any]] = []
        for plan in plans:
            body = {name: part for name, part in plan.body.items() if name != "highlight"}
            searches += [{}, {**body, "_source": [profile.title], "track_total_hits": False}]
        answer = await self._engine.msearch(
            index=generation.index, searches=searches, filter_path=_FILTER_PATH
        )
        found = zip(plans, answer["responses"], strict=True)
        # One that failed is asked alone: the client then raises what the engine says.
        answers = [await self._ask(plan) if "error" in one else one for plan, one in found]
        return [_hits(one, profile.title) for one in answers]

    async def _read(self, generation: Generation) -> SearchProfile | str:
        entity = generation.recipe.entity
        definition = self._services.definitions.get(entity)
        if definition is None:
            return f"there is no definition of {entity} any more"
        found = await self._engine.indices.get_mapping(index=generation.index)
        built = replace(
            definition,
            mappings=found[generation.index]["mappings"],
            profile=self._services.profile_of(generation),
        )
        try:
            profile = profiles.read({entity: built})[entity]
            await self._ask(self._plan(generation, profile, "two words"))
        except (DefinitionError, BadRequestError) as error:
            return str(error)[:_LONGEST_REASON]
        return profile

    def _profile(self, generation: Generation) -> SearchProfile:
        found = self._profiles[generation.index]
        assert isinstance(found, SearchProfile), "`problem` is asked first"
        return found

    async def _ask(self, plan: planner.Plan) -> Any:
        return await self._engine.search(index=",".join(plan.indices), body=dict(plan.body))

    def _plan(self, generation: Generation, profile: SearchProfile, text: str) -> planner.Plan:
        entity = generation.recipe.entity
        return planner.plan(
            SearchRequest(text=shortened(clean(text)), entities=(entity,), limit=_DEPTH),
            {entity: profile},
            indices={entity: generation.index},
            deadline=self._services.settings.search_deadline,
        )


def _hits(answer: Mapping[str, Any], title: str) -> Sequence[Hit]:
    hits = answer.get("hits", {}).get("hits", ())
    return [Hit(hit["_id"], str(hit["_source"].get(title) or "")) for hit in hits]
