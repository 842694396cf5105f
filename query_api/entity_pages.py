"""Entity pages: what stands at a permalink, so that no hit leads nowhere."""

import re
from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from query_api import facts, related
from query_api.page_templates import PageTemplates
from query_api.problems import Code, QueryError
from query_api.related import RelatedSounds
from query_api.search import Searcher

# Up to four parts of characters that a permalink may have; everything else is no permalink, and
# the engine is not asked about it.
_PERMALINK: Final = re.compile(r"(/[\w-][\w.~-]{0,200}){1,4}")
_RELATED: Final = 6  # sounds that are shown
_OWNER: Final = "user_handle"  # the field that holds the handle of an entity's owner


class EntityPages:
    """`GET` of a permalink."""

    def __init__(
        self, searcher: Searcher, related: RelatedSounds, templates: PageTemplates
    ) -> None:
        self._searcher = searcher
        self._related = related
        self._templates = templates

    async def show(self, request: Request) -> Response:
        """The page of the entity at the request's path; 404 when there is none."""
        path = request.url.path
        hit = await self._searcher.find(path) if _PERMALINK.fullmatch(path) else None
        if hit is None:
            raise HTTPException(404)
        return self._templates.render(
            "entity.html",
            hit=hit,
            facts=facts.all_facts(_untold(hit["fields"])),
            owner=_owner(hit),
            related=await self._related_to(hit),
            q="",
        )

    async def _related_to(self, hit: Mapping[str, Any]) -> list[tuple[Any, list[facts.Fact]]]:
        """Related hits with their facts; none of what has none, or was hidden this moment."""
        if hit["type"] != related.ENTITY:
            return []
        try:
            answer = await self._related.of(hit["id"], limit=_RELATED)
        except QueryError as error:
            if error.code is not Code.NOT_FOUND:
                raise
            return []
        return [(one, facts.summary(one["fields"], one["subtitle"])) for one in answer["hits"]]


def _untold(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields without the owner's handle, which the subtitle links to."""
    return {name: value for name, value in fields.items() if name != _OWNER}


def _owner(hit: Mapping[str, Any]) -> str | None:
    """The permalink of the person whose entity it is."""
    handle = hit["fields"].get(_OWNER)
    return f"/{handle}" if handle else None
