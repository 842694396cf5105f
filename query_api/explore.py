"""Explore: what the community is about just now. The JSON API and the web page both come here."""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from core.settings import SettingsError
from query_api import answers, explore_plan
from query_api.cursors import Cursor, CursorSigner
from query_api.explore_parameters import ExploreRequest
from query_api.planner import Plan
from query_api.profiles import Profiles
from query_api.query_ids import QueryIds
from query_api.search import Indices, Searcher
from query_api.variant_indices import Placed


@dataclass(frozen=True, kw_only=True)
class Explored:
    """A page of Explore."""

    answer: dict[str, Any]  # of the shape of `answers.ExploreAnswer`
    position: int  # hits on the pages before this one


@dataclass(frozen=True, kw_only=True)
class _Candidate:
    key: tuple[str, str]  # type and id
    score: float  # logarithm to the base of 2


class Explorer:
    """Lists what is busy."""

    def __init__(
        self,
        searcher: Searcher,
        signer: CursorSigner,
        query_ids: QueryIds,
        *,
        deadline: float,
        at: str = "",
    ) -> None:
        """`at` is the moment to look back from, RFC 3339; empty: now.

        Raises `SettingsError` for what is no moment.
        """
        self._searcher = searcher
        self._signer = signer
        self._query_ids = query_ids
        self._deadline = deadline
        self._at = _moment(at) if at else None

    async def entities(self) -> tuple[str, ...]:
        """The types that Explore knows."""
        return tuple(explore_plan.explored(await self._searcher.profiles()))

    async def explore(self, request: ExploreRequest) -> Explored:
        """One page. Later pages look back from the same moment as the first.

        Raises `QueryError` for a bad cursor, when none of the types is indexed, or when time ran
        out; the engine client's errors pass through.
        """
        response, placed, start = await self._begun(request)
        candidates = _thinned(response["hits"].get("hits", ()), placed.profiles)
        page = candidates[start.position : start.position + request.limit]
        content, took = await self._content(page, placed)
        following, indices = start.position + len(page), placed.indices
        answer = {
            "query_id": start.query_id,
            "total": {
                "value": len(candidates),
                "relation": "gte" if _is_cut(response) else "eq",
            },
            "took_ms": response["took"] + took,
            "hits": _hits(page, content, candidates),
            "genres": explore_plan.genres_of(response),
            "window": request.window,
            "next": self._next(start, indices, following) if following < len(candidates) else None,
            "generations": dict(indices),
        }
        return Explored(answer=answer, position=start.position)

    async def _begun(self, request: ExploreRequest) -> tuple[Mapping[str, Any], Placed, Cursor]:
        """The candidates, what they are from, and where the page begins."""
        cursor: Cursor | None = None
        placed: Placed | None = None
        if request.cursor is not None:
            cursor = self._signer.parse(request.cursor, now=time.time())
            placed = await self._searcher.on(cursor.indices)
            cursor.check(explore_plan.fingerprint(request, placed.profiles))
        as_of = cursor.after[0] if cursor else self._at or int(time.time() * 1000)
        response, found = await self._candidates(request, placed, as_of)
        start = cursor or Cursor(
            fingerprint=explore_plan.fingerprint(request, found.profiles),
            query_id=self._query_ids.new(time.time()),
            position=0,
            variant="live",
            experiment=None,
            indices={},
            after=(as_of,),
        )
        return response, found, start

    async def _candidates(
        self, request: ExploreRequest, placed: Placed | None, as_of: int
    ) -> tuple[Mapping[str, Any], Placed]:
        def plan(on: Placed) -> Plan:
            return explore_plan.plan_candidates(
                request, on.profiles, indices=on.indices, as_of=as_of, deadline=self._deadline
            )

        return await self._searcher.ask(request.entities, plan, placed=placed)

    async def _content(
        self, page: Sequence[_Candidate], placed: Placed
    ) -> tuple[dict[tuple[str, str], dict[str, Any]], int]:
        """The hits of a page by type and id, as far as they are there still, and milliseconds."""
        if not page:
            return {}, 0

        def plan(on: Placed) -> Plan:
            keys = [one.key for one in page]
            return explore_plan.plan_page(
                keys, on.profiles, indices=on.indices, deadline=self._deadline
            )

        response, _ = await self._searcher.ask(tuple(placed.indices), plan, placed=placed)
        profiles = placed.profiles
        found = (answers.hit_answer(hit, profiles) for hit in response["hits"].get("hits", ()))
        return {(hit["type"], hit["id"]): hit for hit in found}, response["took"]

    def _next(self, start: Cursor, indices: Indices, position: int) -> str:
        following = Cursor(
            fingerprint=start.fingerprint,
            query_id=start.query_id,
            position=position,
            variant=start.variant,
            experiment=None,
            indices=indices,
            after=start.after,
        )
        return self._signer.build(following, now=time.time())


def _thinned(hits: Sequence[Mapping[str, Any]], profiles: Profiles) -> list[_Candidate]:
    """The candidates in their order, without what one owner has beyond his share."""
    shares: Counter[tuple[str, int]] = Counter()
    known = explore_plan.explored(profiles)
    kept = []
    for hit in hits:
        values = hit["sort"]
        owner = explore_plan.owner_of(values, profiles)
        if owner is not None:
            shares[owner] += 1
            if shares[owner] > known[values[1]].most:
                continue
        kept.append(_Candidate(key=(values[1], hit["_id"]), score=values[0]))
    return kept


def _hits(
    page: Sequence[_Candidate],
    content: Mapping[tuple[str, str], dict[str, Any]],
    candidates: Sequence[_Candidate],
) -> list[dict[str, Any]]:
    """The hits of a page; a score is the share of what happens to the first of all."""
    return [
        content[one.key] | {"score": 2.0 ** (one.score - candidates[0].score)}
        for one in page
        if one.key in content
    ]


def _is_cut(response: Mapping[str, Any]) -> bool:
    return len(response["hits"].get("hits", ())) == explore_plan.DEEPEST


def _moment(at: str) -> int:
    """Milliseconds since 1970 of an RFC 3339 time."""
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SettingsError(
            f"setting explore_at is {at!r}; it must be an RFC 3339 time with its offset, such as "
            "2021-03-01T00:00:00Z"
        )
    return int(moment.timestamp() * 1000)
