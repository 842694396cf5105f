"""Related sounds: like a sound by what it says of itself, or together with it in people's sets.

Both come from the index alone. What sounds say is in their documents. Who is neighbour of whom is
in the documents of sets, which follow a change of a set within a second and know public ones only.
"""

import asyncio
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import orjson
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from query_api import answers, related_plan
from query_api.parameters import given_parameters, validated
from query_api.planner import Plan
from query_api.problems import Code, QueryError
from query_api.profiles import Related
from query_api.search import Searcher
from query_api.search_api import MEDIA_TYPE, UNCACHED

ENTITY: Final = "sound"
MOST: Final = 25  # hits
_LONGEST_ID: Final = 18  # digits; all ids of so many fit 64 bits


class RelatedParameters(BaseModel):
    """The query parameters of `GET /v1/sounds/{id}/related`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    limit: Annotated[int, Field(ge=1, le=MOST, description="Most hits in the answer.")] = 10


class RelatedSounds:
    """Answers what is related to a sound."""

    def __init__(self, searcher: Searcher, *, deadline: float) -> None:
        self._searcher = searcher
        self._deadline = deadline

    async def show(self, request: Request) -> Response:
        """`GET /v1/sounds/{id}/related`."""
        given = given_parameters(request.scope["query_string"], RelatedParameters)
        limit = validated(RelatedParameters, given).limit
        answer = await self.of(request.path_params["id"], limit=limit)
        return Response(orjson.dumps(answer), headers=UNCACHED, media_type=MEDIA_TYPE)

    async def of(self, sound_id: str, *, limit: int) -> dict[str, Any]:
        """At most `limit` sounds, the best first, of the shape of `answers.RelatedAnswer`.

        Raises `QueryError` where nobody can find the sound itself, when sounds are not indexed, or
        when time ran out; the engine client's errors pass through.
        """
        profiles = await self._searcher.profiles()
        related = profiles[ENTITY].related if ENTITY in profiles else None
        if related is None or not _is_id(sound_id):
            raise _unknown()
        (source, took), neighbours = await asyncio.gather(
            self._source(sound_id, related), self._neighbours(sound_id, related)
        )
        clauses = related_plan.clauses_of(source, neighbours, related)
        if not clauses:
            return {"took_ms": took, "hits": []}

        def plan(index: str) -> Plan:
            return related_plan.plan_related(
                *(index, sound_id, clauses, profiles[ENTITY]),
                limit=limit,
                deadline=self._deadline,
            )

        response = await self._ask(ENTITY, plan)
        hits = related_plan.thinned(response["hits"].get("hits", ()), related, limit)
        return {
            "took_ms": took + response["took"],
            "hits": [answers.hit_answer(hit, profiles) for hit in hits],
        }

    async def _source(self, sound_id: str, related: Related) -> tuple[Mapping[str, Any], int]:
        """What the sound says of itself, and milliseconds."""
        found = await self._ask(
            ENTITY,
            lambda index: related_plan.plan_source(
                index, sound_id, related, deadline=self._deadline
            ),
        )
        hits = found["hits"].get("hits", ())
        if not hits:
            raise _unknown()
        return hits[0]["_source"], found["took"]

    async def _neighbours(self, sound_id: str, related: Related) -> Mapping[str, int]:
        """How many sets hold both, by id; nothing while sets have no index."""
        try:
            response = await self._ask(
                related.together.entity,
                lambda index: related_plan.plan_neighbours(
                    index, sound_id, related, deadline=self._deadline
                ),
            )
        except QueryError as error:
            if error.code is not Code.NOT_INDEXED:
                raise
            return {}
        return related_plan.neighbours_of(response, sound_id)

    async def _ask(self, entity: str, plan: Callable[[str], Plan]) -> Mapping[str, Any]:
        response, _ = await self._searcher.ask((entity,), lambda on: plan(on.indices[entity]))
        return response


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _LONGEST_ID


def _unknown() -> QueryError:
    return QueryError(Code.NOT_FOUND, "There is no such sound. It may have been hidden or deleted.")
