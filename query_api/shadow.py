"""Shadow traffic: live searches done again by a candidate, whose answers nobody sees.

What people get is neither changed nor waited with: the candidate starts when the answer is made,
only so many of them run at once, and one that fails is counted and no more.
"""

import asyncio
import random
import time
from collections.abc import Mapping
from typing import Any, Final

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from core import telemetry
from core.overlap import rank_biased_overlap
from query_api import engine_search, planner
from query_api.metrics import SHADOW_OVERLAP, SHADOW_SEARCHES, SHADOW_SECONDS
from query_api.parameters import SearchRequest
from query_api.problems import QueryError
from query_api.variant_indices import VariantIndices
from query_api.variants import Trials, Variant

MOST: Final = 4  # searches in the shadow at once; more would take the engine from people

_log = telemetry.logger("shadow")


class Shadows:
    """Does a share of the searches again, and compares."""

    def __init__(
        self, engine: AsyncElasticsearch, indices: VariantIndices, *, deadline: float
    ) -> None:
        self._engine = engine
        self._indices = indices
        self._deadline = deadline
        self._draw = random.Random()  # noqa: S311 - a sample, no secret
        self._running: set[asyncio.Task[None]] = set()

    def follow(
        self, trials: Trials, request: SearchRequest, answer: Mapping[str, Any], *, seconds: float
    ) -> None:
        """Do a search again, if its turn has come; `seconds` is how long the engine took for it."""
        shadow = trials.shadow
        if shadow is None or answer["variant"] != trials.live.name:
            return
        if self._draw.random() >= shadow.share:
            return
        if len(self._running) >= MOST:
            SHADOW_SEARCHES.labels(shadow.variant, "shed").inc()
            return
        again = self._again(trials.variants[shadow.variant], request, answer, seconds)
        task = asyncio.create_task(again)
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def close(self) -> None:
        """Give up what is running."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    async def _again(
        self, variant: Variant, request: SearchRequest, answer: Mapping[str, Any], live: float
    ) -> None:
        began = time.perf_counter()
        try:
            found = await self._search(variant, request)
        except (QueryError, ApiError, TransportError, TimeoutError) as error:
            SHADOW_SEARCHES.labels(variant.name, "failed").inc()
            _log.info("shadow_failed", variant=variant.name, error=type(error).__name__)
            return
        seconds = time.perf_counter() - began
        overlap = rank_biased_overlap(found, [(hit["type"], hit["id"]) for hit in answer["hits"]])
        SHADOW_SEARCHES.labels(variant.name, "compared").inc()
        SHADOW_SECONDS.labels(variant.name, "candidate").observe(seconds)
        SHADOW_SECONDS.labels(variant.name, "live").observe(live)
        SHADOW_OVERLAP.labels(variant.name).observe(overlap)
        # The query id names the search; what was searched for is not for the log.
        _log.info(
            "shadow_compared",
            variant=variant.name,
            query_id=answer["query_id"],
            overlap=round(overlap, 4),
            ms=round(seconds * 1000, 2),
            live_ms=round(live * 1000, 2),
            hits=len(found),
            live_hits=len(answer["hits"]),
        )

    async def _search(self, variant: Variant, request: SearchRequest) -> list[tuple[str, str]]:
        """Type and id of the hits, best first."""
        placed = await self._indices.place(variant)
        plan = planner.plan(
            request, placed.profiles, indices=placed.indices, deadline=self._deadline
        )
        response = await engine_search.run(self._engine, plan)
        hits = response["hits"].get("hits", ())
        return [(hit["_source"]["type"], hit["_id"]) for hit in hits]
