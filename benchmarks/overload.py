"""Overload: five times as many searches as the query API can answer, and what becomes of them.

First more and more people search, each again as soon as he has his answer: the most answers a
second that any number of them gets is what the process can do. Then five times as many searches
come in, whoever waits.
"""

import asyncio
import contextlib
import random
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import aiohttp
import orjson
import uvloop

from benchmarks.environment import Environment, Say, corpus, environment
from benchmarks.percentiles import percentiles
from benchmarks.report import Bar, Report, medians
from stack import programs

_TIMES: Final = 5  # as much as it can do
_PEOPLE: Final = (1, 2, 4, 8, 16, 32)  # who keep it busy
_REST: Final = 0.2  # seconds that one rests who was sent away
_PROBE_INTERVAL: Final = 0.1  # seconds
_PATIENCE: Final = 10.0  # seconds after which an answer is none
_REFUSED: Final = frozenset({429, 503})


@dataclass(kw_only=True)
class Run:
    """One run."""

    most: float = 0.0  # answers a second that it can give
    answers: list[float] = field(default_factory=list)  # seconds, in overload
    fates: Counter[str] = field(default_factory=Counter)  # answered, refused, broken
    probes: list[float] = field(default_factory=list)  # seconds, of /healthz in overload
    probes_failed: int = 0
    seconds: float = 0.0  # of the overload

    @property
    def goodput(self) -> float:
        """Answers a second in overload."""
        return len(self.answers) / self.seconds

    def figures(self) -> dict[str, float]:
        """What the report has."""
        asked = self.fates.total()
        return {
            "most_per_second": self.most,
            "offered_per_second": asked / self.seconds,
            "goodput_per_second": self.goodput,
            "goodput_share": self.goodput / self.most,
            "refused_share": self.fates["refused"] / asked,
            "broken": float(self.fates["broken"]),
            "probes_failed": float(self.probes_failed),
            **percentiles(self.answers, "answer_"),
            **percentiles(self.probes, "probe_"),
        }


class Crowd:
    """Those who search."""

    def __init__(self, session: aiohttp.ClientSession, api: str, words: Sequence[str]) -> None:
        self._session = session
        self._api = api
        self._words = words
        self._random = random.Random(5)

    async def run(self, seconds: float) -> Run:
        """Saturation, then overload, for so long each."""
        found = Run()
        found.most = await self._saturate(seconds)
        await self._overload(found, seconds)
        return found

    async def _saturate(self, seconds: float) -> float:
        """The most answers a second, of as many people as get the most."""
        return max([await self._rate_of(people, seconds / len(_PEOPLE)) for people in _PEOPLE])

    async def _rate_of(self, people: int, seconds: float) -> float:
        answered, until = 0, time.monotonic() + seconds

        async def person() -> None:
            nonlocal answered
            while time.monotonic() < until:
                if await self._search() == 200:
                    answered += 1
                else:
                    await asyncio.sleep(_REST)

        began = time.monotonic()
        await asyncio.gather(*(person() for _ in range(people)))
        return answered / (time.monotonic() - began)

    async def _overload(self, run: Run, seconds: float) -> None:
        began, number, rate = time.monotonic(), 0, _TIMES * run.most
        probing = asyncio.create_task(self._probe(run))
        async with asyncio.TaskGroup() as searches:
            while (elapsed := time.monotonic() - began) < seconds:
                for _ in range(int(elapsed * rate) - number):
                    searches.create_task(self._one(run))
                    number += 1
                await asyncio.sleep(0.005)
        run.seconds = time.monotonic() - began
        probing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await probing

    async def _one(self, run: Run) -> None:
        began = time.perf_counter()
        status = await self._search()
        if status == 200:
            run.answers.append(time.perf_counter() - began)
        fate = "answered" if status == 200 else "refused" if status in _REFUSED else "broken"
        run.fates[fate] += 1

    async def _search(self) -> int:
        """The status of an answer; 0 if there was none."""
        with contextlib.suppress(aiohttp.ClientError, TimeoutError):
            word = self._random.choice(self._words)
            url = f"{self._api}/v1/search"
            async with self._session.get(url, params={"q": word}) as response:
                await response.read()
                return response.status
        return 0

    async def _probe(self, run: Run) -> None:
        while True:
            began = time.perf_counter()
            try:
                async with self._session.get(f"{self._api}/healthz") as response:
                    run.probes_failed += response.status != 200
                run.probes.append(time.perf_counter() - began)
            except (aiohttp.ClientError, TimeoutError):
                run.probes_failed += 1
            await asyncio.sleep(_PROBE_INTERVAL)


def measure(*, stack: str, size: str, seconds: float, runs: int, say: Say) -> Report:
    """Run the benchmark `runs` times; the report has the medians, its bars hold for all runs."""
    with environment(stack_name=stack, size=size, say=say) as made:
        found = uvloop.run(_measure(made, seconds, runs))
        described = corpus(size, made.settings)
    figures = [run.figures() for run in found]
    return Report(
        bench="overload",
        corpus=described | {"times": _TIMES, "seconds": seconds},
        figures=medians(figures),
        bars={
            "goodput_share": Bar(
                value=min(one["goodput_share"] for one in figures), bar=0.8, at_most=False
            ),
            "broken": Bar(value=max(one["broken"] for one in figures), bar=0, at_most=True),
            "probes_failed": Bar(
                value=max(one["probes_failed"] for one in figures), bar=0, at_most=True
            ),
        },
        details={"runs": figures},
    )


async def _measure(made: Environment, seconds: float, runs: int) -> list[Run]:
    connector = aiohttp.TCPConnector(limit=0)
    timeout = aiohttp.ClientTimeout(total=_PATIENCE)
    with programs.query_api(made.settings, made.logs) as api:
        async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
            async with session.get(f"{api.url}/v1/search", params={"limit": "50"}) as newest:
                hits = orjson.loads(await newest.read())["hits"]
            words = sorted({word for hit in hits for word in hit["title"].split()})
            crowd = Crowd(session, api.url, words)
            made.say("warming up")
            await crowd.run(min(3.0, seconds))
            found = []
            for number in range(1, runs + 1):
                found.append(await crowd.run(seconds))
                made.say(f"run {number}: {found[-1].figures()}")
            return found
