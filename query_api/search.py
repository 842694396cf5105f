"""The search itself: plan, ask the engine, answer. The JSON API and the web page both come here."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch, NotFoundError

from query_api import answers, cursors, engine_search, facets, grammar, interleaved, planner
from query_api.cursors import Cursor, CursorSigner
from query_api.forgiveness import Forgiven, Forgiveness, Unanswered
from query_api.interleaved import InterleavedSearch
from query_api.metrics import SEARCHES, VARIANT_FALLBACKS, WIDENED_SEARCHES
from query_api.parameters import SearchRequest
from query_api.planner import Plan
from query_api.problems import Code, QueryError
from query_api.profiles import Profiles
from query_api.query_ids import QueryIds
from query_api.search_log import SearchLog
from query_api.shadow import Shadows
from query_api.trials import FollowedTrials
from query_api.variant_indices import Placed, VariantIndices
from query_api.variants import NOBODY, Audience, Trials, Variant

Indices = Mapping[str, str]  # by entity type
Pair = tuple[Variant, Variant]
# What the engine answers when an index goes away before a search, or in its midst.
_GONE: Final = frozenset({404, 500, 503})
_GLANCE: Final = 0.1  # seconds that a search waits to read what is asked for


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What a search found."""

    answer: dict[str, Any]  # of the shape of `answers.SearchAnswer`
    position: int  # hits on the pages before this one
    not_indexed: tuple[str, ...] = ()  # asked for, but without an index yet: not searched


@dataclass(frozen=True, kw_only=True)
class _Chosen:
    """What answers a request."""

    variant: Variant
    experiment: str | None  # that chose it


class Searcher:
    """Answers searches on one engine, by whichever variant has its turn."""

    def __init__(
        self,
        engine: AsyncElasticsearch,
        trials: FollowedTrials,
        indices: VariantIndices,
        *,
        deadline: float,
        signer: CursorSigner,
        query_ids: QueryIds,
        log: SearchLog | None,
    ) -> None:
        """Searches are noted in `log`; None: nowhere."""
        self._engine = engine
        self._trials = trials
        self._indices = indices
        self._deadline = deadline
        self._signer = signer
        self._query_ids = query_ids
        self._log = log
        self._known: Profiles = {}  # of the live indices, when they were asked last
        self._forgiveness = Forgiveness(engine)
        self._both = InterleavedSearch(engine, indices, deadline=deadline)
        self._shadows = Shadows(engine, indices, deadline=deadline)

    async def profiles(self) -> Profiles:
        """The entity types that can be searched, the weightiest first, as the live indices note it.

        An engine that does not answer is not waited for: what is asked for can be read all the
        same, as it was known last.
        """
        live = self._trials.current().live
        with contextlib.suppress(ApiError, TransportError, TimeoutError):
            async with asyncio.timeout(_GLANCE):
                self._known = (await self._indices.place(live)).profiles
        return self._known or live.profiles

    @property
    def variants(self) -> tuple[str, ...]:
        """Names of what can answer a search; `live` is the first."""
        return tuple(self._trials.current().variants)

    async def search(self, request: SearchRequest, audience: Audience = NOBODY) -> Searched:
        """One page of a search.

        Types that have no index yet are left out, unless there are no others. Raises `QueryError`
        for a bad cursor, an unknown variant, when none of the types is indexed, or when time ran
        out; the engine client's errors pass through.
        """
        trials, cursor = self._trials.current(), self._cursor(request)
        if (pair := _pair(trials, request, audience, cursor)) is not None:
            try:
                both = await self._interleaved(request, pair, trials, audience, cursor)
                if both is not None:
                    return both
            except QueryError as error:
                if error.code is not Code.VARIANT_UNAVAILABLE:
                    raise
                VARIANT_FALLBACKS.labels(interleaved.name_of(_names(pair))).inc()
        chosen = _choose(trials, request, audience, cursor)
        began = time.perf_counter()
        try:
            found, start, placed = await self._begun(request, chosen, cursor)
        except QueryError as error:
            if error.code is not Code.VARIANT_UNAVAILABLE or chosen.experiment is None:
                raise
            # Nobody goes without an answer for an experiment's sake.
            VARIANT_FALLBACKS.labels(chosen.variant.name).inc()
            chosen = _Chosen(variant=trials.live, experiment=None)
            found, start, placed = await self._begun(request, chosen, cursor)
        seconds = time.perf_counter() - began
        answer = answers.search_answer(
            found.response,
            placed.profiles,
            made_by=start,
            suggestion=found.suggestion,
            explain=request.explain,
            next_cursor=self._next(start, found.response, request.limit),
            counted=facets.told(request.facets, placed.profiles, found.response),
        )
        is_found = bool(answer["hits"]) and found.widening is None
        SEARCHES.labels("found" if is_found else "nothing", chosen.variant.name).inc()
        if self._log is not None:
            self._log.note(request, answer, page=start, variant=placed.variant, audience=audience)
        if cursor is None and request.variant is None and found.widening is None:
            self._shadows.follow(trials, request, answer, seconds=seconds)
        lacking = tuple(entity for entity in request.entities if entity not in start.indices)
        return Searched(answer=answer, position=start.position, not_indexed=lacking)

    async def _interleaved(
        self,
        request: SearchRequest,
        pair: Pair,
        trials: Trials,
        audience: Audience,
        cursor: Cursor | None,
    ) -> Searched | None:
        """One page of a search that two variants answer together.

        None: it found nothing, so there is nothing to tell them apart by. It has to be widened.
        """
        if cursor:
            indices: Indices = cursor.indices
        else:
            indices = await self._both.indices(pair, request.searched)
        pair = await self._both.on(pair, indices)
        fingerprint = interleaved.fingerprint(request, pair)
        if cursor:
            cursor.check(fingerprint)
        start = cursor or Cursor(
            fingerprint=fingerprint,
            query_id=self._query_ids.new(time.time()),
            position=0,
            variant=interleaved.name_of(_names(pair)),
            experiment=trials.experiment.name if trials.experiment else None,
            indices=indices,
            after=(),
        )
        page = await self._both.page(request, pair, start)
        if cursor is None and request.relax and not page.teams:
            return None
        following = replace(start, position=start.position + len(page.teams))
        answer = answers.search_answer(
            page.response,
            pair[0].profiles,
            made_by=start,
            next_cursor=self._signer.build(following, now=time.time()) if page.more else None,
            counted=facets.told(request.facets, pair[0].profiles, page.response),
        )
        SEARCHES.labels("found" if answer["hits"] else "nothing", start.variant).inc()
        if self._log is not None:
            self._log.note(
                request, answer, page=start, variant=pair[0], audience=audience, teams=page.teams
            )
        lacking = tuple(entity for entity in request.entities if entity not in start.indices)
        return Searched(answer=answer, position=start.position, not_indexed=lacking)

    async def find(self, permalink: str) -> dict[str, Any] | None:
        """The hit whose page stands at that path, of the shape of `answers.Hit`; None: no such."""
        live = self._trials.current().live

        def plan(placed: Placed) -> Plan:
            return planner.plan_permalink(
                permalink, placed.profiles, indices=placed.indices, deadline=self._deadline
            )

        response, placed = await self._on_current(live, tuple(live.profiles), plan)
        hits = response["hits"].get("hits", ())
        return answers.hit_answer(hits[0], placed.profiles) if hits else None

    async def on(self, indices: Indices) -> Placed:
        """The live variant on these indices."""
        return await self._indices.on(self._trials.current().live, indices)

    async def ask(
        self,
        entities: tuple[str, ...],
        plan: Callable[[Placed], Plan],
        *,
        placed: Placed | None = None,
    ) -> tuple[Mapping[str, Any], Placed]:
        """The response to a plan, and what it is from: `placed`, else the live indices.

        For what is no search by text. Raises `QueryError` when none of the types is indexed, when
        time ran out, or when an index of `placed` is gone.
        """
        if placed is None:
            found, current = await self._on_current(self._trials.current().live, entities, plan)
            return engine_search.complete(found), current
        try:
            return await engine_search.run(self._engine, plan(placed)), placed
        except NotFoundError:
            raise cursors.gone() from None

    async def close(self) -> None:
        """End what goes on in the shadow."""
        await self._shadows.close()

    def _cursor(self, request: SearchRequest) -> Cursor | None:
        if request.cursor is None:
            return None
        return self._signer.parse(request.cursor, now=time.time())

    def _next(self, start: Cursor, response: Mapping[str, Any], limit: int) -> str | None:
        """The cursor of the next page; None when this is the last, or the deepest there is."""
        hits, total = response["hits"].get("hits", ()), response["hits"]["total"]
        position = start.position + len(hits)
        is_last = len(hits) < limit or (total["relation"] == "eq" and position >= total["value"])
        if is_last or position >= planner.DEEPEST:
            return None
        following = replace(start, position=position, after=tuple(hits[-1]["sort"]))
        return self._signer.build(following, now=time.time())

    async def _begun(
        self, request: SearchRequest, chosen: _Chosen, cursor: Cursor | None
    ) -> tuple[Forgiven, Cursor, Placed]:
        """What is found, widened if need be, where its page begins, and what it is from."""
        began = time.monotonic()
        response, placed = await self._answered(request, chosen.variant, cursor)
        if cursor is not None:
            widening, typed = cursor.widening, grammar.typed(request.text)
            suggestion = None if widening is None else widening.suggestion(typed)
            same = Forgiven(response=response, widening=widening, suggestion=suggestion)
            return same, cursor, placed
        start = Cursor(
            fingerprint=planner.fingerprint(request, placed.profiles),
            query_id=self._query_ids.new(time.time()),
            position=0,
            variant=chosen.variant.name,
            experiment=chosen.experiment,
            indices=placed.indices,
            after=(),
        )
        search = Unanswered(request=request, placed=placed, began=began, deadline=self._deadline)
        found = await self._forgiveness.forgiven(search, response)
        if found.widening is not None:
            WIDENED_SEARCHES.labels(found.widening.step, chosen.variant.name).inc()
        return found, replace(start, widening=found.widening), placed

    async def _answered(
        self, request: SearchRequest, variant: Variant, cursor: Cursor | None
    ) -> tuple[Mapping[str, Any], Placed]:
        """The engine's response and what it is from; on later pages, the indices of the first."""

        def plan(placed: Placed) -> Plan:
            return planner.plan(
                request,
                placed.profiles,
                indices=placed.indices,
                deadline=self._deadline,
                after=cursor.after if cursor else None,
                widening=cursor.widening if cursor else None,
            )

        if cursor is None:
            return await self._on_current(variant, request.searched, plan)
        placed = await self._indices.on(variant, cursor.indices)
        cursor.check(planner.fingerprint(request, placed.profiles))
        try:
            response = await engine_search.run_partly(self._engine, plan(placed))
            return engine_search.answerable(response), placed
        except NotFoundError:
            raise cursors.gone() from None

    async def _on_current(
        self, variant: Variant, entities: tuple[str, ...], plan: Callable[[Placed], Plan]
    ) -> tuple[Mapping[str, Any], Placed]:
        """The response of the variant's indices.

        An index may be replaced and deleted just before the search reaches it: then the search
        goes to what took its place.
        """
        placed = _of(entities, await self._indices.place(variant))
        found = await self._attempt(plan(placed))
        if not isinstance(found, ApiError) and not engine_search.is_partial(found):
            return found, placed
        current = _of(entities, await self._indices.place(variant, fresh=True))
        if current.indices != placed.indices:
            found = await engine_search.run_partly(self._engine, plan(current))
        elif isinstance(found, ApiError):
            raise found
        return engine_search.answerable(found), current

    async def _attempt(self, plan: Plan) -> Mapping[str, Any] | ApiError:
        """The response, or the error that comes of an index that goes away."""
        try:
            return await engine_search.run_partly(self._engine, plan)
        except ApiError as error:
            if error.meta.status not in _GONE:
                raise
            return error


def _pair(
    trials: Trials, request: SearchRequest, audience: Audience, cursor: Cursor | None
) -> Pair | None:
    """The variants that answer in one list; None: one of them answers."""
    if cursor is not None:
        return interleaved.pair_of(cursor.variant, trials)
    if request.variant is not None or trials.experiment is None:
        return None
    names = trials.experiment.interleaved_for(audience)
    return interleaved.pair_of(interleaved.name_of(names), trials) if names else None


def _names(pair: Pair) -> tuple[str, str]:
    return pair[0].name, pair[1].name


def _choose(
    trials: Trials, request: SearchRequest, audience: Audience, cursor: Cursor | None
) -> _Chosen:
    """A page's variant is that of the page before; otherwise who asks for one gets it."""
    if cursor is not None:
        name, experiment = cursor.variant, cursor.experiment
        if name not in trials.variants:
            raise cursors.gone()
    elif request.variant is not None:
        name, experiment = request.variant, None
        _check_known(name, trials)
    else:
        drawn = trials.experiment.variant_for(audience) if trials.experiment else None
        name, experiment = drawn or trials.live.name, None
        if drawn and trials.experiment:
            experiment = trials.experiment.name
    return _Chosen(variant=trials.variants[name], experiment=experiment)


def _check_known(name: str, trials: Trials) -> None:
    if name not in trials.variants:
        there = tuple(trials.variants)
        raise QueryError(
            Code.INVALID_VALUE,
            f"There is no variant of that name. Variants are {', '.join(there)}.",
            parameter="variant",
            allowed=there,
        )


def _of(entities: tuple[str, ...], placed: Placed) -> Placed:
    """The indices of these types alone; raises `QueryError` if none has one."""
    found = {entity: placed.indices[entity] for entity in entities if entity in placed.indices}
    if not found:
        raise _not_indexed(entities)
    return replace(placed, indices=found)


def _not_indexed(entities: tuple[str, ...]) -> QueryError:
    names = ", ".join(entities)
    return QueryError(
        Code.NOT_INDEXED,
        f"There is no index of {names} yet. Indexing may be under way; an operator starts it with "
        f"`disco index reindex {entities[0]}`.",
        parameter="type",
    )
