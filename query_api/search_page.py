"""The search page: `GET /`. Complete without JavaScript; the script only makes it quicker.

A page forgives what the API refuses: parameters it does not know (mail and social networks append
them) are ignored, and a stale link to a later page shows the first one.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from query_api import facts, parameters, problems
from query_api.access import request_id_of
from query_api.headers import audience_of
from query_api.page_templates import PageTemplates, plural
from query_api.parameters import SearchRequest
from query_api.problems import Code, QueryError
from query_api.search import Searched, Searcher
from query_api.variants import Audience

_KNOWN: Final = frozenset({"q", "type", "cursor"})
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
        try:
            asked = parameters.search_request(given, self._searcher.profiles)
            searched, notice = await self._search(asked, audience_of(request.scope))
        except QueryError as error:
            return self.error(request, error)
        return self._page(given, searched, notice)

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
            retry=_address(given.get("q", ""), given.get("type", "")) if status >= 500 else None,
            request_id=request_id_of(request.scope),
            q=given.get("q", "")[: parameters.LONGEST_QUERY],
            chosen="",
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

    def _page(self, given: Mapping[str, str], searched: Searched, notice: str) -> Response:
        answer, q, chosen = searched.answer, given.get("q", ""), given.get("type", "")
        return self._templates.render(
            "search.html",
            q=q,
            chosen=chosen,
            query_id=answer["query_id"],
            tabs=_tabs(q, chosen, tuple(self._searcher.profiles)),
            hits=[(hit, facts.summary(hit["fields"], hit["subtitle"])) for hit in answer["hits"]],
            first=searched.position + 1,
            last=searched.position + len(answer["hits"]),
            total=answer["total"],
            took_ms=answer["took_ms"],
            notice=notice,
            not_indexed=[plural(entity) for entity in searched.not_indexed],
            next=_address(q, chosen, answer["next"]) if answer["next"] else None,
            start=_address(q, chosen) if searched.position else None,
        )


def _given(query_string: bytes) -> dict[str, str]:
    """The parameters that the page knows, the last of each, blank ones left out."""
    try:
        found = parameters.pairs(query_string)
    except QueryError:
        return {}
    return {name: value for name, value in found if name in _KNOWN and value}


def _tabs(q: str, chosen: str, entities: Sequence[str]) -> list[Tab]:
    everything = Tab(label="All", address=_address(q, ""), current=not chosen)
    return [
        everything,
        *(
            Tab(label=plural(entity), address=_address(q, entity), current=entity == chosen)
            for entity in entities
        ),
    ]


def _address(q: str, chosen: str, cursor: str | None = None) -> str:
    values: dict[str, Any] = {"q": q, "type": chosen, "cursor": cursor}
    given = {name: value for name, value in values.items() if value}
    return f"/?{urlencode(given)}" if given else "/"


def _for_people(error: QueryError) -> str:
    if error.code is Code.NOT_FOUND:
        return "There is nothing at this address. It may have been renamed, hidden or deleted."
    if error.parameter == "q":
        return f"Please search for fewer words: {parameters.LONGEST_QUERY} characters at most."
    return error.detail
