"""The search page: `GET /`. Complete without JavaScript; the script only makes it quicker.

A page forgives what the API refuses: parameters it does not know (mail and social networks append
them) are ignored, and a stale link to a later page shows the first one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from query_api import facts, filters, narrowing, parameters, problems
from query_api.access import request_id_of
from query_api.headers import audience_of
from query_api.narrowing import address
from query_api.page_templates import PageTemplates, plural
from query_api.parameters import SearchRequest
from query_api.problems import Code, QueryError
from query_api.profiles import Profiles
from query_api.search import Searched, Searcher
from query_api.variants import Audience

_KNOWN: Final = frozenset({"q", "type", "sort", "cursor"})
_STALE_LINK: Final = "That link to a later page is no longer valid. These are the first results."


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A link that narrows the search to one type."""

    label: str  # e.g. "Sounds"
    address: str
    current: bool  # whether it is the one that is shown


class SearchPage:
    """Shows the search box and what was found."""

    def __init__(self, searcher: Searcher, templates: PageTemplates) -> None:
        self._searcher = searcher
        self._templates = templates

    async def show(self, request: Request) -> Response:
        """`GET /`."""
        given = _given(request.scope["query_string"])
        profiles = await self._searcher.profiles()
        try:
            asked = parameters.search_request(given, profiles)
            asked = replace(asked, facets=_facets(asked, profiles))
            searched, notice = await self._search(asked, audience_of(request.scope))
        except QueryError as error:
            return self.error(request, error)
        return self._page(given, asked, searched, notice, profiles)

    def error(self, request: Request, error: QueryError) -> Response:
        """The page that says what went wrong, with the search box to try again."""
        status = problems.status_of(error)
        given = _given(request.scope["query_string"]) if request.url.path == "/" else {}
        page = self._templates.render(
            "problem.html",
            status=status,
            title=problems.KINDS[error.code].title,
            detail=_for_people(error),
            status_code=status,
            retry=address(given) if status >= 500 else None,
            request_id=request_id_of(request.scope),
            q=given.get("q", "")[: parameters.LONGEST_QUERY],
        )
        page.headers.update(problems.headers_of(error))
        return page

    async def _search(self, asked: SearchRequest, audience: Audience) -> tuple[Searched, str]:
        try:
            return await self._searcher.search(asked, audience), ""
        except QueryError as error:
            if error.code not in problems.CURSOR_CODES:
                raise
            return await self._searcher.search(replace(asked, cursor=None), audience), _STALE_LINK

    def _page(
        self,
        given: Mapping[str, str],
        asked: SearchRequest,
        searched: Searched,
        notice: str,
        profiles: Profiles,
    ) -> Response:
        answer, q, chosen = searched.answer, given.get("q", ""), given.get("type", "")
        here = {name: value for name, value in given.items() if name != "cursor"}
        return self._templates.render(
            "search.html",
            q=q,
            query_id=answer["query_id"],
            kept={name: value for name, value in here.items() if name != "q"},
            tabs=_tabs(q, chosen, tuple(profiles)),
            narrowing=narrowing.narrowing(
                here, _of(asked, profiles), asked.conditions, answer["facets"]
            ),
            hits=[(hit, facts.summary(hit["fields"], hit["subtitle"])) for hit in answer["hits"]],
            first=searched.position + 1,
            last=searched.position + len(answer["hits"]),
            total=answer["total"],
            took_ms=answer["took_ms"],
            notice=notice,
            relaxed=answer["relaxed"],
            suggestion=answer["suggestion"],
            suggested=address(here, q=answer["suggestion"]),
            not_indexed=[plural(entity) for entity in searched.not_indexed],
            next=address(here, cursor=answer["next"]) if answer["next"] else None,
            start=address(here) if searched.position else None,
        )


def _facets(asked: SearchRequest, profiles: Profiles) -> tuple[str, ...]:
    """What is counted beside: what the type that is shown, if it is one, can be narrowed by."""
    return narrowing.counted(_of(asked, profiles)) if len(asked.entities) == 1 else ()


def _of(asked: SearchRequest, profiles: Profiles) -> Profiles:
    return {entity: profiles[entity] for entity in asked.entities}


def _given(query_string: bytes) -> dict[str, str]:
    """The parameters that the page knows, the last of each, blank ones left out."""
    try:
        found = parameters.pairs(query_string)
    except QueryError:
        return {}
    return {name: value for name, value in found if value and _is_known(name)}


def _is_known(name: str) -> bool:
    return name in _KNOWN or name.startswith(filters.PREFIX)


def _tabs(q: str, chosen: str, entities: Sequence[str]) -> list[Tab]:
    everything = Tab(label="All", address=address({"q": q}), current=not chosen)
    return [
        everything,
        *(
            Tab(
                label=plural(entity),
                address=address({"q": q, "type": entity}),
                current=entity == chosen,
            )
            for entity in entities
        ),
    ]


def _for_people(error: QueryError) -> str:
    if error.code is Code.NOT_FOUND:
        return "There is nothing at this address. It may have been renamed, hidden or deleted."
    if error.parameter == "q":
        return f"Please search for fewer words: {parameters.LONGEST_QUERY} characters at most."
    return error.detail
