"""Forgiveness: what is done when nothing has what was typed, one step after the other.

A search that finds something costs nothing more, but for one that finds hardly anything whose name
says what was typed: then it is looked whether another spelling does better.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from elastic_transport import TransportError
from elasticsearch import ApiError, AsyncElasticsearch

from core import telemetry
from query_api import engine_search, grammar, planner, respelling, spelling
from query_api.grammar import Typed
from query_api.parameters import SearchRequest
from query_api.planner import Plan
from query_api.profiles import Profiles
from query_api.respelling import Probe, Respelled
from query_api.spelling import Word
from query_api.variant_indices import Placed
from query_api.widening import Step, Widening
from query_api.wording import plain

FEW: Final = 2  # hits that may be the wrong ones
_MOST_FUZZY: Final = 8  # words of a text that is looked for fuzzily; each becomes many
_LEAST: Final = 0.01  # seconds

Found = TypeVar("Found")

_log = telemetry.logger("query_api")


@dataclass(frozen=True, kw_only=True)
class Forgiven:
    """What a search came to."""

    response: Mapping[str, Any]  # the engine's
    widening: Widening | None = None  # how it was widened; None: it was not
    suggestion: str | None = None  # what to search for instead; None: there is nothing better


@dataclass(frozen=True, kw_only=True)
class Unanswered:
    """A search, as it was made."""

    request: SearchRequest
    placed: Placed  # what it was made in
    began: float  # when, by the monotonic clock
    deadline: float  # seconds that it may take

    @property
    def typed(self) -> Typed:
        """What it asks for."""
        return grammar.typed(self.request.text)

    @property
    def chosen(self) -> Profiles:
        """The profiles of the types that are looked for."""
        there = self.placed.indices
        return {one: self.placed.profiles[one] for one in self.request.entities if one in there}

    def left(self) -> float:
        """Seconds until its time is over; never none, for the engine takes that for no end."""
        return max(self.began + self.deadline - time.monotonic(), _LEAST)


class Forgiveness:
    """Widens searches on one engine."""

    def __init__(self, engine: AsyncElasticsearch) -> None:
        self._engine = engine

    async def forgiven(self, search: Unanswered, response: Mapping[str, Any]) -> Forgiven:
        """What comes of a search whose response was this one; the same if it found enough."""
        request, hits = search.request, response["hits"].get("hits", ())
        if not request.relax or not request.text or _is_enough(response):
            return Forgiven(response=response)
        if not hits:
            return await _in_time(search, self._widened(search)) or Forgiven(response=response)
        if _is_named(search.typed.text, hits, search.placed.profiles):
            return Forgiven(response=response)
        better = await _in_time(search, self._suggestion(search))
        return Forgiven(response=response, suggestion=better)

    async def _widened(self, search: Unanswered) -> Forgiven | None:
        """What the first step that finds something finds."""
        async for widening in self._steps(search):
            found = await self._ask(search, widening)
            if found is not None:
                took = int(1000 * (time.monotonic() - search.began))
                return Forgiven(
                    response={**found, "took": took},  # milliseconds of all steps together
                    widening=widening,
                    suggestion=widening.suggestion(search.typed),
                )
        return None

    async def _suggestion(self, search: Unanswered) -> str | None:
        """A text that a name has, unlike those of the hits."""
        probe = await self._probe(search)
        if probe is None:
            return None
        (found,) = await self._run(search, probe, [probe.better_names()])
        if found is None or not found.is_changed:
            return None
        return _respelled(found).suggestion(search.typed)

    async def _steps(self, search: Unanswered) -> AsyncIterator[Widening]:
        typed = search.typed
        if typed.phrases:
            yield Widening(step=Step.UNQUOTED)
        probe = await self._probe(search)
        if probe is not None:
            bodies = [probe.every_word()]
            if len(probe.words) > 1:
                bodies.append(probe.most_words())
            every, *most = await self._run(search, probe, bodies)
            if every is not None and every.is_changed:
                yield _respelled(every)
            for found in most:
                if found is not None and found.lacking:
                    yield Widening(
                        step=Step.FEWER_WORDS,
                        text=found.text,
                        phrases=found.phrases,
                        lacking=found.lacking,
                    )
        count = len(typed.text.split())
        if probe is None and count > 1:
            yield Widening(step=Step.FEWER_WORDS, lacking=count // 2)
        if count <= _MOST_FUZZY:
            yield Widening(step=Step.FUZZY)
        yield Widening(step=Step.POPULAR, text="")

    async def _probe(self, search: Unanswered) -> Probe | None:
        """What is asked about the words; None: there are too many of them."""
        text = search.typed.text
        if not spelling.can_be_looked_up(text):
            return None
        words: list[Word] = spelling.words(text, await self._candidates(search, text))
        if not words:
            return None
        return Probe(
            words=words,
            typed=search.typed,
            chosen=search.chosen,
            indices=search.placed.indices,
            narrowed=planner.conditions(
                search.request, search.placed.profiles, indices=search.placed.indices
            ),
        )

    async def _candidates(
        self, search: Unanswered, text: str
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        fields = {name for one in search.chosen.values() for name in respelling.name_fields(one)}
        plan = Plan(
            indices=tuple(search.placed.indices[one] for one in search.chosen),
            body=spelling.question(text, sorted(fields)),
        )
        response = await engine_search.run_suggester(self._engine, plan)
        found: Mapping[str, Sequence[Mapping[str, Any]]] = response.get("suggest", {})
        return found

    async def _run(
        self, search: Unanswered, probe: Probe, bodies: Sequence[Mapping[str, Any]]
    ) -> Sequence[Respelled | None]:
        indices = tuple(search.placed.indices[one] for one in search.chosen)
        deadline = planner.milliseconds(search.left())
        plans = [Plan(indices=indices, body={**one, "timeout": deadline}) for one in bodies]
        return [probe.read(one) for one in await engine_search.run_all(self._engine, plans)]

    async def _ask(self, search: Unanswered, widening: Widening) -> Mapping[str, Any] | None:
        """The engine's response to the widened search; None: it found nothing in time."""
        plan = planner.plan(
            search.request,
            search.placed.profiles,
            indices=search.placed.indices,
            deadline=search.left(),
            widening=widening,
        )
        response = await engine_search.run_partly(self._engine, plan)
        if engine_search.is_partial(response) or not response["hits"].get("hits"):
            return None
        return response


async def _in_time(search: Unanswered, work: Coroutine[Any, Any, Found]) -> Found | None:
    """What the work comes to; None: it failed, or took too long.

    To find nothing is an answer: it costs nobody theirs that there is no better one.
    """
    try:
        async with asyncio.timeout(search.left()):
            return await work
    except (ApiError, TransportError, TimeoutError) as error:
        _log.warning("widening_failed", error=type(error).__name__)
        return None


def _is_enough(response: Mapping[str, Any]) -> bool:
    """Whether a search is left as it is: it found more than a few, or ran out of time."""
    return response["hits"]["total"]["value"] > FEW or engine_search.is_partial(response)


def _respelled(found: Respelled) -> Widening:
    return Widening(step=Step.RESPELLED, text=found.text, phrases=found.phrases)


def _is_named(text: str, hits: Sequence[Mapping[str, Any]], profiles: Profiles) -> bool:
    """Whether the name of one of the hits has all the words of a text, or begins with them."""
    wanted = plain(text).split()
    for hit in hits:
        source = hit["_source"]
        fields = respelling.name_fields(profiles[source["type"]])
        name = plain(" ".join(source.get(one) or "" for one in fields))
        if all(word in name for word in wanted):
            return True
    return False
