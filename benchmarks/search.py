"""Search: what the query API costs, beside the same bodies sent straight to the engine.

The API and the engine get the same searches from the same client, in turn: one after the other for
the latency that the API adds, and as many as they can answer for the throughput. The engine is
asked with the very bodies that the planner makes, and as much of its answer is returned.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import aiohttp
import orjson
import psutil
import uvloop

from benchmarks.environment import Environment, Say, corpus, environment
from benchmarks.percentiles import percentiles
from benchmarks.report import Bar, Report, medians
from benchmarks.search_log import Parameters, search_log
from core import definitions
from indexer import operations as indexer
from query_api import engine_search, parameters, planner, profiles
from query_api.profiles import Profiles
from stack import programs

AT_ONCE: Final = 8  # searches, where the throughput is measured
SEED: Final = 7
_NAMES: Final = 2_000  # titles that the searches are drawn from
_WARM_UP: Final = 2_000  # searches of each side, before anything counts
_P50_MS: Final = 2.0
_P99_MS: Final = 5.0
_THROUGHPUT: Final = 0.8
_GROWTH: Final = 0.05  # of the API's memory while it serves; more is no noise

Ask = Callable[[int], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is measured."""

    size: str  # of the catalogue
    queries: int  # one after the other, in each run
    seconds: float  # of each side's throughput, in each run
    soak: float  # seconds of serving over which the memory is watched
    runs: int


@dataclass(kw_only=True)
class Run:
    """One run of the benchmark."""

    api: list[float] = field(default_factory=list)  # seconds of each search
    engine: list[float] = field(default_factory=list)
    throughput: dict[str, float] = field(default_factory=dict)  # searches a second, by side


class Sides:
    """Both ways of the same searches."""

    def __init__(
        self,
        session: aiohttp.ClientSession,
        api: str,
        engine: str,
        searches: Sequence[Parameters],
        bodies: Sequence[tuple[str, bytes]],
    ) -> None:
        """`bodies` has for each search the indices that it is sent to, and its body."""
        self._session = session
        self._api = [f"{api}/v1/search?{urlencode(one)}" for one in searches]
        self._engine = [
            (f"{engine}/{indices}/_search?{engine_search.PARAMETERS}", body)
            for indices, body in bodies
        ]

    async def api(self, number: int) -> None:
        """A search by the API."""
        async with self._session.get(self._api[number % len(self._api)]) as response:
            await self._whole(response)

    async def engine(self, number: int) -> None:
        """The same search by the engine."""
        address, body = self._engine[number % len(self._engine)]
        headers = {"Content-Type": "application/json"}
        async with self._session.post(address, data=body, headers=headers) as response:
            await self._whole(response)

    async def _whole(self, response: aiohttp.ClientResponse) -> None:
        body = await response.read()
        if response.status != 200:
            raise AssertionError(f"{response.url} answered {response.status}: {body[:300]!r}")


def measure(plan: Plan, *, stack: str, say: Say) -> Report:
    """Run the benchmark; figures are medians over the runs."""
    with environment(stack_name=stack, size=plan.size, say=say) as made:
        runs, growth = uvloop.run(_measure(made, plan))
        return _report(made, plan, runs, growth)


async def _measure(made: Environment, plan: Plan) -> tuple[list[Run], float]:
    """The runs, and by which share the API's memory grew."""
    read = profiles.read(definitions.load(made.settings.definitions_path))
    indices = await _indices(made)
    # Uncompressed, for the engine's answers are, too; and connections for all that are at once.
    connector = aiohttp.TCPConnector(limit=AT_ONCE)
    headers = {"Accept-Encoding": "identity"}
    with programs.query_api(made.settings, made.logs) as api:
        async with aiohttp.ClientSession(connector=connector, headers=headers) as session:
            names = await _names(session, api.url)
            # One body goes to the engine; a search that is widened takes several.
            searches = [
                {**one, "relax": "false"} for one in search_log(names, plan.queries, seed=SEED)
            ]
            bodies = [_body(one, read, indices, made.settings.search_deadline) for one in searches]
            sides = Sides(session, api.url, made.settings.engine_url, searches, bodies)
            made.say("warming up")
            for number in range(_WARM_UP):
                await sides.api(number)
                await sides.engine(number)
            runs = []
            for number in range(1, plan.runs + 1):
                run = await _run(sides, plan)
                shown = {name: round(value, 3) for name, value in figures(run).items()}
                made.say(f"run {number} of {plan.runs}: {shown}")
                runs.append(run)
            growth = await _growth(sides, plan.soak, psutil.Process(api.process.pid))
    return runs, growth


async def _run(sides: Sides, plan: Plan) -> Run:
    run = Run()
    for number in range(plan.queries):
        # Whoever comes second finds the engine's caches warm: they take turns.
        if number % 2:
            run.api.append(await _timed(sides.api, number))
            run.engine.append(await _timed(sides.engine, number))
        else:
            run.engine.append(await _timed(sides.engine, number))
            run.api.append(await _timed(sides.api, number))
    for name, ask in (("engine", sides.engine), ("api", sides.api)):
        run.throughput[name] = await _throughput(ask, plan.seconds)
    return run


async def _timed(ask: Ask, number: int) -> float:
    began = time.perf_counter()
    await ask(number)
    return time.perf_counter() - began


async def _throughput(ask: Ask, seconds: float) -> float:
    """Searches a second, with `AT_ONCE` of them under way."""
    done = 0
    began = time.perf_counter()

    async def work(number: int) -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await ask(number)
            number += AT_ONCE
            done += 1

    async with asyncio.TaskGroup() as workers:
        for number in range(AT_ONCE):
            workers.create_task(work(number))
    return done / (time.perf_counter() - began)


async def _growth(sides: Sides, seconds: float, process: psutil.Process) -> float:
    """By which share the memory grew from the first third of a time to its end."""
    await _throughput(sides.api, seconds / 3)
    before = process.memory_info().rss
    await _throughput(sides.api, seconds * 2 / 3)
    return float(process.memory_info().rss / before - 1)


async def _indices(made: Environment) -> Mapping[str, str]:
    """The live index of each type."""
    async with indexer.open_indexer(made.settings) as services:
        known = await services.generations.list()
    return {one.name.entity: one.index for one in known if one.is_live}


async def _names(session: aiohttp.ClientSession, api: str) -> list[tuple[str, str]]:
    """Titles and artists of sounds, in the order of their titles."""
    found: list[tuple[str, str]] = []
    asked = {"type": "sound", "sort": "title", "limit": "100"}
    while len(found) < _NAMES:
        async with session.get(f"{api}/v1/search", params=asked) as response:
            response.raise_for_status()
            answer: Mapping[str, Any] = orjson.loads(await response.read())
        found += [(hit["title"], hit["subtitle"] or hit["title"]) for hit in answer["hits"]]
        if answer["next"] is None:
            break
        asked["cursor"] = answer["next"]
    return found


def _body(
    search: Parameters, known: Profiles, indices: Mapping[str, str], deadline: float
) -> tuple[str, bytes]:
    request = parameters.search_request(
        {name: value for name, value in search.items() if value}, known
    )
    plan = planner.plan(request, known, indices=indices, deadline=deadline)
    return ",".join(plan.indices), orjson.dumps(plan.body)


def figures(run: Run) -> dict[str, float]:
    """Milliseconds and searches a second of a run."""
    found = {}
    for side, seconds in (("api", run.api), ("engine", run.engine)):
        for name, value in percentiles(seconds, f"{side}_").items():
            found[f"{name}_ms"] = value * 1000
        found[f"{side}_per_second"] = run.throughput[side]
    for share in ("p50", "p99"):
        found[f"added_{share}_ms"] = found[f"api_{share}_ms"] - found[f"engine_{share}_ms"]
    found["throughput_of_engine"] = found["api_per_second"] / found["engine_per_second"]
    return found


def _report(made: Environment, plan: Plan, runs: Sequence[Run], growth: float) -> Report:
    each = [figures(run) for run in runs]
    found = medians(each) | {"memory_growth": round(growth, 4)}
    return Report(
        bench="search",
        corpus=corpus(plan.size, made.settings)
        | {"queries": plan.queries, "at_once": AT_ONCE, "soak_seconds": plan.soak},
        figures=found,
        bars={
            "added_p50_ms": Bar(value=found["added_p50_ms"], bar=_P50_MS, at_most=True),
            "added_p99_ms": Bar(value=found["added_p99_ms"], bar=_P99_MS, at_most=True),
            "throughput_of_engine": Bar(
                value=found["throughput_of_engine"], bar=_THROUGHPUT, at_most=False
            ),
            "memory_growth": Bar(value=growth, bar=_GROWTH, at_most=True),
        },
        details={"runs": each},
    )
