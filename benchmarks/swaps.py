"""Swaps: promote and roll back, over and over, while people search.

Two generations of sounds that tell themselves apart: from one of them a word was taken. Each answer
says which generation made it, and has to find what that one finds, no more and no less; the second
page of a search has to come from the generation of the first.
"""

import asyncio
import contextlib
import random
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp
import orjson
import uvloop

from benchmarks.environment import Environment, Say, corpus, environment
from benchmarks.percentiles import percentiles
from benchmarks.report import Bar, Report, medians
from core.operation_log import Outcome
from indexer import operations as indexer
from stack import programs

_ENTITY: Final = "sound"
_MOST_AT_ONCE: Final = 200  # connections; beyond that the service is not answering any more
_PAGE: Final = 2
_TITLES: Final = 400  # newest sounds whose titles are looked through for words
_WORD: Final = re.compile(r"[a-z]{5,}")
_MOST_HITS: Final = 60  # of a word: what people look for is mostly rare


@dataclass(kw_only=True)
class Run:
    """One run of the benchmark."""

    queries: list[float] = field(default_factory=list)  # seconds, of those that were answered
    actions: list[float] = field(default_factory=list)  # seconds
    in_time: int = 0  # queries that were answered before the last action was over
    failed: int = 0  # queries without an answer
    mixed: int = 0  # answers that are not of the one generation that they name
    behind: float = 0.0  # seconds that the load generator was behind its schedule at most
    seconds: float = 0.0
    generations: set[str] = field(default_factory=set)  # that answered


class Swaps:
    """Searches at a steady rate while generations change places."""

    def __init__(self, api: str, totals: Mapping[str, Mapping[str, int]]) -> None:
        self._api = api
        self._totals = totals  # by generation, then by word
        self._words = sorted({word for found in totals.values() for word in found})
        self._random = random.Random(7)
        self._run = Run()

    async def run(self, services: indexer.Services, *, rate: float, actions: int) -> Run:
        """So many rollbacks and promotions in turn, each of which exchanges the two.

        There are `rate` queries a second meanwhile.
        """
        self._run = Run()
        stop = asyncio.Event()
        connector = aiohttp.TCPConnector(limit=_MOST_AT_ONCE)
        timeout = aiohttp.ClientTimeout(total=10)
        async with (
            aiohttp.ClientSession(connector=connector, timeout=timeout) as session,
            asyncio.TaskGroup() as tasks,
        ):
            tasks.create_task(self._load(session, rate, stop))
            began = time.monotonic()
            standby = ""
            for _ in range(actions):
                started = time.perf_counter()
                exchange = await self._exchange(services, standby)
                self._run.actions.append(time.perf_counter() - started)
                assert exchange.before is not None
                standby = "" if standby else exchange.before.index
            self._run.seconds = time.monotonic() - began
            self._run.in_time = len(self._run.queries)
            stop.set()
        return self._run

    async def _exchange(self, services: indexer.Services, standby: str) -> indexer.Exchange:
        if standby:
            return await indexer.promote(services, standby)
        return await indexer.rollback(services, _ENTITY)

    async def _load(self, session: aiohttp.ClientSession, rate: float, stop: asyncio.Event) -> None:
        """Open loop: a query starts when it is due, whether earlier ones have ended or not."""
        began, number = time.monotonic(), 0
        async with asyncio.TaskGroup() as queries:
            while not stop.is_set():
                due = began + number / rate
                if (pause := due - time.monotonic()) > 0:
                    await asyncio.sleep(pause)
                self._run.behind = max(self._run.behind, time.monotonic() - due)
                # One in ten turns the page, which is a query, too.
                turns = number % 10 == 0
                queries.create_task(self._query(session, turns=turns))
                number += 2 if turns else 1

    async def _query(self, session: aiohttp.ClientSession, *, turns: bool) -> None:
        word = self._random.choice(self._words)
        parameters = {"q": word, "type": _ENTITY, "limit": str(_PAGE)}
        first = await self._ask(session, parameters)
        if first is None:
            return
        self._check(first, word, None)
        if turns and first["next"]:
            second = await self._ask(session, parameters | {"cursor": first["next"]})
            if second is not None:
                self._check(second, word, first["generations"][_ENTITY])

    async def _ask(
        self, session: aiohttp.ClientSession, parameters: Mapping[str, str]
    ) -> Mapping[str, Any] | None:
        began = time.perf_counter()
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            async with session.get(f"{self._api}/v1/search", params=parameters) as response:
                body = await response.read()
                if response.status == 200:
                    self._run.queries.append(time.perf_counter() - began)
                    answer: Mapping[str, Any] = orjson.loads(body)
                    return answer
        self._run.failed += 1
        return None

    def _check(self, answer: Mapping[str, Any], word: str, before: str | None) -> None:
        index = answer["generations"][_ENTITY]
        self._run.generations.add(index)
        is_whole = answer["total"]["value"] == self._totals[index][word]
        if not is_whole or (before is not None and index != before):
            self._run.mixed += 1


def measure(*, stack: str, size: str, rate: float, actions: int, runs: int, say: Say) -> Report:
    """Run the benchmark `runs` times; the report has the medians, its bars hold for all runs."""
    with environment(stack_name=stack, size=size, say=say) as made:
        found = uvloop.run(_measure(made, rate, actions, runs))
        return _report(made, size, rate, actions, found)


async def _measure(made: Environment, rate: float, actions: int, runs: int) -> list[Run]:
    async with indexer.open_indexer(made.settings) as services:
        with programs.query_api(made.settings, made.logs) as api:
            totals = await _two_generations(made, services, api.url)
            bench = Swaps(api.url, totals)
            made.say("warming up")
            await bench.run(services, rate=rate / 2, actions=10)
            found = []
            for number in range(1, runs + 1):
                run = await bench.run(services, rate=rate, actions=actions)
                shown = {name: round(value, 4) for name, value in _figures(run).items()}
                made.say(f"run {number} of {runs}: {shown}")
                found.append(run)
        await _check_log(made, actions * runs)
    return found


async def _two_generations(
    made: Environment, services: indexer.Services, api: str
) -> dict[str, dict[str, int]]:
    """A second generation, which lacks every other sound; what each word finds, by generation."""
    made.say("building the second generation")
    async for _ in indexer.build(services, _ENTITY, promoting=False):
        pass
    [first, second] = await indexer.generations_of(services, _ENTITY, live_only=False)
    await services.engine.options(request_timeout=300).delete_by_query(
        index=second.index,
        query={"script": {"script": "doc['id'].value % 2 == 0"}},
        refresh=True,
    )
    return await _totals(services, api, [first.index, second.index])


async def _totals(
    services: indexer.Services, api: str, indices: Sequence[str]
) -> dict[str, dict[str, int]]:
    """How many sounds each word finds, by index; of the words that tell them apart."""
    found: dict[str, dict[str, int]] = {index: {} for index in indices}
    async with aiohttp.ClientSession() as session:
        words = await _words(session, api)
        for index in indices:
            await indexer.promote(services, index)
            for word in words:
                found[index][word] = await _total(session, api, word, index)
    telling = [word for word in words if _tells_apart([found[index][word] for index in indices])]
    if not telling:
        raise AssertionError("no word tells the generations apart; take a larger catalogue")
    return {index: {word: totals[word] for word in telling} for index, totals in found.items()}


def _tells_apart(totals: Sequence[int]) -> bool:
    return len(set(totals)) > 1 and min(totals) > 0 and max(totals) <= _MOST_HITS


async def _words(session: aiohttp.ClientSession, api: str) -> list[str]:
    """Words of the titles of the newest sounds."""
    found: dict[str, None] = {}
    parameters = {"type": _ENTITY, "limit": "100"}
    for _ in range(_TITLES // 100):
        async with session.get(f"{api}/v1/search", params=parameters) as response:
            response.raise_for_status()
            answer = orjson.loads(await response.read())
        for hit in answer["hits"]:
            found |= dict.fromkeys(_WORD.findall(hit["title"].lower()))
        parameters["cursor"] = answer["next"]
    return list(found)


async def _total(session: aiohttp.ClientSession, api: str, word: str, index: str) -> int:
    """How many sounds a word finds once that index answers."""
    parameters = {"q": word, "type": _ENTITY, "limit": "1"}
    while True:
        async with session.get(f"{api}/v1/search", params=parameters) as response:
            response.raise_for_status()
            answer = orjson.loads(await response.read())
        if answer["generations"][_ENTITY] == index:
            total: int = answer["total"]["value"]
            return total


async def _check_log(made: Environment, actions: int) -> None:
    """Raises unless the operation log has every action, and each as done."""
    history = await indexer.history(made.settings, subject=_ENTITY, limit=actions)
    done = [one for one in history if one.action in ("index.rollback", "index.promote")]
    if len(done) < actions or {one.outcome for one in done} != {Outcome.DONE}:
        raise AssertionError(f"the operation log has {len(done)} of {actions} actions as done")


def _figures(run: Run) -> dict[str, float]:
    return {
        **percentiles(run.actions, "action_"),
        **percentiles(run.queries, "query_"),
        "queries_per_second": run.in_time / run.seconds,
        "queries": len(run.queries),
        "failed": run.failed,
        "mixed": run.mixed,
        "behind_max": run.behind,
    }


def _report(made: Environment, size: str, rate: float, actions: int, found: list[Run]) -> Report:
    figures = medians([_figures(run) for run in found])
    swapped = min(len(run.generations) for run in found)
    return Report(
        bench="swaps",
        corpus=corpus(size, made.settings) | {"queries_per_second": rate, "actions": actions},
        figures=figures,
        bars={
            "action_max": Bar(value=max(max(run.actions) for run in found), bar=1.0, at_most=True),
            "failed": Bar(value=sum(run.failed for run in found), bar=0, at_most=True),
            "mixed": Bar(value=sum(run.mixed for run in found), bar=0, at_most=True),
            "queries_per_second": Bar(
                value=figures["queries_per_second"], bar=0.98 * rate, at_most=False
            ),
            # Both have answered, or nothing was shown.
            "generations": Bar(value=swapped, bar=2, at_most=False),
        },
        details={"runs": [_figures(run) for run in found]},
    )
