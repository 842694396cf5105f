"""The page of Explore: `GET /explore`. All of it are links, so it needs no JavaScript.

As the search page, it forgives what the API refuses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from query_api import facts, parameters
from query_api.explore import Explored, Explorer
from query_api.explore_parameters import ExploreRequest, explore_request
from query_api.page_templates import PageTemplates
from query_api.problems import CURSOR_CODES, QueryError
from query_api.profiles import WINDOWS, Window

ADDRESS: Final = "/explore"
_KNOWN: Final = frozenset({"window", "genre", "type", "cursor"})
_STALE_LINK: Final = "That link to a later page is no longer valid. This is the top of the list."
_SPANS: Final[Mapping[Window, str]] = {
    "24h": "in the last 24 hours",
    "7d": "in the last 7 days",
    "30d": "in the last 30 days",
}
_LABELS: Final[Mapping[Window, str]] = {"24h": "24 hours", "7d": "7 days", "30d": "30 days"}
_MOST_GENRES: Final = 12  # that are offered


@dataclass(frozen=True, kw_only=True)
class Tab:
    """A link to another part of what is busy."""

    label: str
    address: str
    current: bool  # whether it is the one that is shown
    count: int | None = None  # entities that it has


class ExplorePage:
    """Shows what is busy."""

    def __init__(self, explorer: Explorer, templates: PageTemplates) -> None:
        self._explorer = explorer
        self._templates = templates

    async def show(self, request: Request) -> Response:
        """`GET /explore`."""
        given = _given(request.scope["query_string"])
        entities = await self._explorer.entities()
        try:
            asked = explore_request(given, entities)
        except QueryError:  # of a link that somebody wrote by hand
            given = {}
            asked = explore_request(given, entities)
        explored, notice = await self._explore(asked)
        return self._page(given, asked, explored, notice)

    async def _explore(self, asked: ExploreRequest) -> tuple[Explored, str]:
        try:
            return await self._explorer.explore(asked), ""
        except QueryError as error:
            if error.code not in CURSOR_CODES:
                raise
            return await self._explorer.explore(replace(asked, cursor=None)), _STALE_LINK

    def _page(
        self, given: Mapping[str, str], asked: ExploreRequest, explored: Explored, notice: str
    ) -> Response:
        answer = explored.answer
        here = {name: value for name, value in given.items() if name != "cursor"}
        return self._templates.render(
            "explore.html",
            q="",
            windows=_windows(here, asked.window),
            genres=_genres(here, asked.genre, answer["genres"]),
            genre=asked.genre,
            span=_SPANS[asked.window],
            hits=[(hit, facts.summary(hit["fields"], hit["subtitle"])) for hit in answer["hits"]],
            first=explored.position + 1,
            notice=notice,
            wider=_wider(here, asked.window),
            next=_address(here, cursor=answer["next"]) if answer["next"] else None,
            start=_address(here) if explored.position else None,
        )


def _given(query_string: bytes) -> dict[str, str]:
    """The parameters that the page knows, the last of each, blank ones left out."""
    try:
        found = parameters.pairs(query_string)
    except QueryError:
        return {}
    return {name: value for name, value in found if name in _KNOWN and value}


def _windows(here: Mapping[str, str], current: Window) -> list[Tab]:
    return [
        Tab(label=label, address=_address(here, window=window), current=window == current)
        for window, label in _LABELS.items()
    ]


def _genres(here: Mapping[str, str], current: str | None, found: list[dict[str, Any]]) -> list[Tab]:
    """All genres, the commonest, and the one that is shown if it is none of these."""
    chosen = (current or "").casefold()
    shown = [one for one in found[:_MOST_GENRES] if one["value"].casefold() != chosen]
    if current:
        own = next((one for one in found if one["value"].casefold() == chosen), None)
        shown.insert(0, own or {"value": current, "count": None})
    if not shown:
        return []
    return [
        Tab(label="All genres", address=_address(here, genre=None), current=current is None),
        *(
            Tab(
                label=one["value"],
                address=_address(here, genre=one["value"]),
                current=one["value"].casefold() == chosen,
                count=one["count"],
            )
            for one in shown
        ),
    ]


def _wider(here: Mapping[str, str], current: Window) -> str | None:
    """The same over the next longer window; None: there is none."""
    order = list(WINDOWS)
    longer = order[order.index(current) + 1 :]
    return _address(here, window=longer[0]) if longer else None


def _address(here: Mapping[str, str], **changes: str | None) -> str:
    given = {name: value for name, value in {**here, **changes}.items() if value}
    return f"{ADDRESS}?{urlencode(given)}" if given else ADDRESS
