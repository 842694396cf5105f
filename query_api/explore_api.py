"""Explore in JSON: `GET /v1/explore`."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from query_api.explore import Explorer
from query_api.explore_parameters import read_explore
from query_api.search_api import MEDIA_TYPE, UNCACHED


class ExploreApi:
    """Answers what is busy, in JSON."""

    def __init__(self, explorer: Explorer) -> None:
        self._explorer = explorer

    async def explore(self, request: Request) -> Response:
        """`GET /v1/explore`."""
        entities = await self._explorer.entities()
        asked = read_explore(request.scope["query_string"], entities)
        explored = await self._explorer.explore(asked)
        return Response(orjson.dumps(explored.answer), headers=UNCACHED, media_type=MEDIA_TYPE)
