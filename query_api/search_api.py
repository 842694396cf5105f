"""The JSON API's search: `GET /v1/search`."""

from typing import Final

import orjson
from starlette.requests import Request
from starlette.responses import Response

from access.operations import Scope
from query_api import parameters
from query_api.doorkeeper import Doorkeeper
from query_api.headers import NOT_INDEXED_HEADER, audience_of
from query_api.search import Searcher

MEDIA_TYPE: Final = "application/json"
# A search must show what was committed a moment ago, and every answer has a query id of its own.
UNCACHED: Final = {"Cache-Control": "no-store"}


class SearchApi:
    """Answers searches in JSON."""

    def __init__(self, searcher: Searcher, doorkeeper: Doorkeeper) -> None:
        self._searcher = searcher
        self._doorkeeper = doorkeeper

    async def search(self, request: Request) -> Response:
        """`GET /v1/search`."""
        profiles = await self._searcher.profiles()
        asked = parameters.read_search(request.scope["query_string"], profiles)
        if asked.variant is not None or asked.explain:
            await self._doorkeeper.require(request, Scope.SEARCH_READ)
        searched = await self._searcher.search(asked, audience_of(request.scope))
        headers = dict(UNCACHED)
        if searched.not_indexed:
            headers[NOT_INDEXED_HEADER] = ",".join(searched.not_indexed)
        return Response(orjson.dumps(searched.answer), headers=headers, media_type=MEDIA_TYPE)
