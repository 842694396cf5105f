"""The search itself: plan, ask the engine, answer. The JSON API and the web page both come here."""

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from elasticsearch import AsyncElasticsearch, NotFoundError

from query_api import aliases, answers, planner
from query_api.cursors import Cursor, CursorSigner
from query_api.metrics import ENGINE_SECONDS, SEARCHES
from query_api.parameters import SearchRequest
from query_api.planner import Plan
from query_api.problems import DEADLINE_DETAIL, Code, QueryError
from query_api.profiles import Profiles

# All that an answer is made of; the rest of a response only costs time on both sides.
_FILTER_PATH: Final = (
    "took,timed_out,hits.total,hits.hits._id,hits.hits._score,hits.hits._source,"
    "hits.hits.highlight,hits.hits.sort"
)
# A page that silently lacks some shards' hits would be taken for the whole truth.
_PARAMETERS: Final = f"allow_partial_search_results=false&filter_path={_FILTER_PATH}"
_HEADERS: Final = {"Accept": "application/json", "Content-Type": "application/json"}


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What a search found."""

    answer: dict[str, Any]  # of the shape of `answers.SearchAnswer`
    position: int  # hits on the pages before this one
    not_indexed: tuple[str, ...] = ()  # asked for, but without an index yet: not searched


class Searcher:
    """Answers searches on one engine. Holds no state between searches, so nothing is ever stale."""

    def __init__(
        self,
        engine: AsyncElasticsearch,
        profiles: Profiles,
        *,
        index_prefix: str,
        deadline: float,
        signer: CursorSigner,
    ) -> None:
        self._engine = engine
        self._profiles = profiles
        self._index_prefix = index_prefix
        self._deadline = deadline
        self._signer = signer

    @property
    def profiles(self) -> Profiles:
        """The entity types that can be searched, the weightiest first."""
        return self._profiles

    async def search(self, request: SearchRequest) -> Searched:
        """One page of a search.

        Types that have no index yet are left out, unless there are no others. Raises `QueryError`
        for a bad cursor, when none of the types is indexed, or when time ran out; the engine
        client's errors pass through.
        """
        fingerprint = planner.fingerprint(request, self._profiles)
        cursor = self._cursor(request, fingerprint)
        plan = planner.plan(
            request,
            self._profiles,
            index_prefix=self._index_prefix,
            deadline=self._deadline,
            after=cursor.after if cursor else None,
        )
        response, not_indexed = await self._run(plan)
        start = cursor or Cursor(
            fingerprint=fingerprint, query_id=_new_query_id(), position=0, after=()
        )
        answer = answers.search_answer(
            response,
            self._profiles,
            query_id=start.query_id,
            next_cursor=self._next(start, response, request.limit),
        )
        SEARCHES.labels("found" if answer["hits"] else "nothing").inc()
        return Searched(answer=answer, position=start.position, not_indexed=not_indexed)

    async def find(self, permalink: str) -> dict[str, Any] | None:
        """The hit whose page stands at that path, of the shape of `answers.Hit`; None: no such."""
        plan = planner.plan_permalink(permalink, self._profiles, deadline=self._deadline)
        response, _ = await self._run(plan)
        hits = response["hits"].get("hits", ())
        return answers.hit_answer(hits[0], self._profiles) if hits else None

    def _cursor(self, request: SearchRequest, fingerprint: str) -> Cursor | None:
        if request.cursor is None:
            return None
        return self._signer.parse(request.cursor, fingerprint=fingerprint, now=time.time())

    def _next(self, start: Cursor, response: Mapping[str, Any], limit: int) -> str | None:
        """The cursor of the next page; None when this is the last, or the deepest there is."""
        hits, total = response["hits"].get("hits", ()), response["hits"]["total"]
        position = start.position + len(hits)
        is_last = len(hits) < limit or (total["relation"] == "eq" and position >= total["value"])
        if is_last or position >= planner.DEEPEST:
            return None
        following = replace(start, position=position, after=tuple(hits[-1]["sort"]))
        return self._signer.build(following, now=time.time())

    async def _run(self, plan: Plan) -> tuple[Mapping[str, Any], tuple[str, ...]]:
        """The engine's response, and the types that it could not search for lack of an index."""
        try:
            return await self._ask(plan.entities, plan.body), ()
        except NotFoundError:
            lacking = await aliases.missing(self._engine, self._index_prefix, plan.entities)
            present = tuple(entity for entity in plan.entities if entity not in lacking)
            if not present:
                raise _not_indexed(lacking) from None
            return await self._ask(present, plan.body), lacking

    async def _ask(self, entities: Sequence[str], body: Mapping[str, Any]) -> Mapping[str, Any]:
        names = ",".join(aliases.alias_of(self._index_prefix, entity) for entity in entities)
        with ENGINE_SECONDS.time():
            response = await self._engine.perform_request(
                "POST",
                f"/{names}/_search?{_PARAMETERS}",
                headers=_HEADERS,
                body=body,
            )
        found: Mapping[str, Any] = response.body
        if found["timed_out"]:
            raise QueryError(Code.DEADLINE_EXCEEDED, DEADLINE_DETAIL)
        return found


def _new_query_id() -> str:
    """A new id: 48 bits of milliseconds, so that ids sort by time, then 64 random bits, in hex."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(8)}"


def _not_indexed(entities: Sequence[str]) -> QueryError:
    names = ", ".join(entities)
    return QueryError(
        Code.NOT_INDEXED,
        f"There is no index of {names} yet. Indexing may be under way; an operator starts it with "
        f"`disco index reindex {entities[0]}`.",
        parameter="type",
    )
