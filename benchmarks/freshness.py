"""Freshness: from a commit to the change being found by `GET /v1/search`.

Changes are written at a steady rate. A few of them, drawn evenly, have a word in their title that
no other has: each of those is looked for until it is found, and commit and hit are read off one
clock. So few, because a search takes the engine longer than a change: to look for all of them all
the time would measure the looking. All changes must be found at the end: twenty share a word.
"""

import asyncio
import random
import string
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import orjson
import uvloop

from benchmarks.environment import Environment, Say, corpus, environment
from benchmarks.percentiles import draw, histogram, percentiles
from benchmarks.report import Bar, Report, medians
from core.database import open_pool
from demo import writes
from demo.application import Application, open_application
from demo.writes import Write
from indexer import operations as indexer
from stack import programs

_CHANGED = ("sound", "set", "user")
_FOUND = "visibility = 'public' AND deleted_at IS NULL"
_BUCKET = 20  # changes that share a word; no more than a page of hits
_PROBES = 4.0  # changes a second that are looked for at once
# Seconds between two looks for one change: a first part, and a share of how long it was looked for.
_LOOK_PAUSE, _LOOK_SHARE = 0.05, 0.15
_LOOKERS = 4  # searches at once at most, or there would be more the later the answers are
# The engine still compiles itself meanwhile: a quarter of its processor time after a minute.
_WARM_UP = 180.0
_PATIENCE = 10.0  # seconds after the last change until what is not found counts as lost
_GIVEN_UP = 60.0  # seconds until a change is no longer looked for: it took at least so long


@dataclass(kw_only=True)
class Bucket:
    """Changes of one entity type that one query finds."""

    entity: str
    word: str
    joined: int = 0  # changes so far
    waiting: set[str] = field(default_factory=set)  # ids that no answer had


@dataclass(kw_only=True)
class Run:
    """One run of the benchmark."""

    latencies: list[float] = field(default_factory=list)  # seconds, by change looked for
    lost: int = 0  # of all changes
    changes: int = 0
    seconds: float = 0.0  # that changes were begun in
    looks: int = 0
    refused: int = 0  # looks that the API could not answer in time
    behind: float = 0.0  # seconds that the load generator was behind its schedule at most


class Freshness:
    """Writes changes and looks for them."""

    def __init__(self, application: Application, api: str, ids: dict[str, list[int]]) -> None:
        self._application = application
        self._api = api
        self._ids = {entity: deque(some) for entity, some in ids.items()}
        self._buckets: dict[str, list[Bucket]] = {}  # by kind of change, oldest first
        self._random = random.Random(7)
        self._run = Run()
        self._lookers = asyncio.Semaphore(_LOOKERS)

    async def run(self, *, rate: float, seconds: float) -> Run:
        """`rate` changes a second for `seconds`."""
        return await self.run_until(asyncio.Event(), rate=rate, seconds=seconds)

    async def run_until(self, stop: asyncio.Event, *, rate: float, seconds: float = 3600) -> Run:
        """`rate` changes a second until `stop` is set, or for `seconds`."""
        self._run, self._buckets = Run(), {}
        async with aiohttp.ClientSession() as session:
            await self._write(session, stop, rate, seconds)
            deadline = time.monotonic() + _PATIENCE
            for bucket in (one for some in self._buckets.values() for one in some):
                await self._find_all(session, bucket, deadline)
        return self._run

    async def _write(
        self, session: aiohttp.ClientSession, stop: asyncio.Event, rate: float, seconds: float
    ) -> None:
        """Open loop: a change starts when it is due, whether earlier ones have ended or not.

        Returns when all are published, and those looked for are found or given up.
        """
        began, every = time.monotonic(), max(1, round(rate / _PROBES))
        async with asyncio.TaskGroup() as tasks:
            for number in range(int(rate * seconds)):
                if stop.is_set():
                    break
                due = began + number / rate
                if (pause := due - time.monotonic()) > 0:
                    await asyncio.sleep(pause)
                self._run.behind = max(self._run.behind, time.monotonic() - due)
                change = self._change() if number % every else self._probe(session)
                tasks.create_task(change)
            self._run.seconds = time.monotonic() - began

    async def _change(self, own_word: str = "") -> tuple[str, str, float]:
        """Entity type, id and time of the commit (monotonic seconds) of one change."""
        kind = self._random.choices(("sound", "set", "user", "new sound"), (70, 10, 10, 10))[0]
        bucket = self._bucket(kind)
        title = f"{own_word} {bucket.word}".strip()
        [change] = await self._application.commit(self._write_of(kind, title))
        bucket.waiting.add(str(change.id))
        self._run.changes += 1
        await self._application.publish(change)
        return bucket.entity, str(change.id), change.committed_at / 1e9

    async def _probe(self, session: aiohttp.ClientSession) -> None:
        """One change that is looked for until it is found, or until the patience is at an end."""
        word = _word(time.time_ns() // 1000)
        entity, found_id, committed = await self._change(word)
        found: set[str] = set()
        while found_id not in found and (age := time.monotonic() - committed) < _GIVEN_UP:
            await asyncio.sleep(_LOOK_PAUSE + _LOOK_SHARE * age)
            async with self._lookers:
                found = await self._look(session, entity, word)
        self._run.latencies.append(time.monotonic() - committed)

    async def _find_all(
        self, session: aiohttp.ClientSession, bucket: Bucket, deadline: float
    ) -> None:
        """Count what of a bucket is not found by then as lost."""
        while bucket.waiting:
            bucket.waiting -= await self._look(session, bucket.entity, bucket.word)
            if bucket.waiting:
                if time.monotonic() >= deadline:
                    break
                await asyncio.sleep(_LOOK_PAUSE)
        self._run.lost += len(bucket.waiting)

    def _bucket(self, kind: str) -> Bucket:
        """The kind's newest bucket, or a new one when that is full."""
        buckets = self._buckets.setdefault(kind, [])
        if not buckets or buckets[-1].joined == _BUCKET:
            word = _word(time.time_ns() // 1000)
            buckets.append(Bucket(entity=kind.removeprefix("new "), word=word))
        buckets[-1].joined += 1
        return buckets[-1]

    def _write_of(self, kind: str, words: str) -> Write:
        """A new title or name with the words in it; or a new sound."""
        if kind == "new sound":
            return writes.create_sound(self._pick("user"), f"{words} demo")
        return writes.rename(kind, self._pick(kind), f"{words} in dub")

    def _pick(self, entity: str) -> int:
        """An id that was not picked for long: a second change would hide the first one's word."""
        self._ids[entity].rotate()
        return self._ids[entity][0]

    async def _look(self, session: aiohttp.ClientSession, entity: str, word: str) -> set[str]:
        """Ids of the hits of a word; none if the API could not answer in time."""
        parameters = {
            "q": word,
            "type": entity,
            "limit": str(_BUCKET),
            "relax": "false",  # what is not there yet is not worth a further search
        }
        self._run.looks += 1
        async with session.get(f"{self._api}/v1/search", params=parameters) as response:
            if response.status >= 500:
                self._run.refused += 1  # seen by the look after this one, and so counted as late
                return set()
            response.raise_for_status()
            answer = orjson.loads(await response.read())
        return {hit["id"] for hit in answer["hits"]}


class LiveChanges:
    """Changes at a steady rate beside something else that is measured."""

    def __init__(self, bench: Freshness, rate: float) -> None:
        self._bench = bench
        self._rate = rate
        self._stop = asyncio.Event()
        self._running: asyncio.Task[Run] | None = None

    def begin(self) -> None:
        """Change things, and look for the changes."""
        self._stop = asyncio.Event()
        self._running = asyncio.create_task(self._bench.run_until(self._stop, rate=self._rate))

    async def end(self) -> dict[str, float]:
        """Stop, and wait for what is on its way; the figures."""
        assert self._running is not None
        self._stop.set()
        return _figures(await self._running)


@asynccontextmanager
async def live_changes(made: Environment, rate: float) -> AsyncIterator[LiveChanges]:
    """Live changes in a place whose indices are built, and which has a worker."""
    with programs.query_api(made.settings, made.logs) as api:
        async with open_application(made.settings, connections=16) as application:
            yield LiveChanges(Freshness(application, api.url, await _pick_ids(made)), rate)


def measure(*, stack: str, size: str, rate: float, seconds: float, runs: int, say: Say) -> Report:
    """Run the benchmark `runs` times; the report has the medians."""
    with environment(stack_name=stack, size=size, say=say) as made:
        found = uvloop.run(_measure(made, rate, seconds, runs))
        latencies = [latency for run in found for latency in run.latencies]
        for line in draw(histogram(latencies)):
            say(line)
        return _report(made, size, rate, seconds, found)


async def _measure(made: Environment, rate: float, seconds: float, runs: int) -> list[Run]:
    found = []
    with (
        programs.worker(made.settings, made.logs),
        programs.query_api(made.settings, made.logs) as api,
    ):
        async with open_application(made.settings, connections=16) as application:
            ids = await _pick_ids(made)
            bench = Freshness(application, api.url, ids)
            made.say("warming up")
            await bench.run(rate=rate, seconds=max(_WARM_UP, seconds))
            for number in range(1, runs + 1):
                run = await bench.run(rate=rate, seconds=seconds)
                shown = {name: round(value, 3) for name, value in _figures(run).items()}
                made.say(f"run {number} of {runs}: {shown}")
                found.append(run)
        await _await_quiet(made)
    return found


def _word(number: int) -> str:
    """A word that stands for a number, of letters alone: digits would make several words of it."""
    letters = ""
    while number:
        number, digit = divmod(number, 26)
        letters += string.ascii_lowercase[digit]
    return f"zq{letters}"


async def _await_quiet(made: Environment) -> None:
    """Raises if the index differs from the database once all has been said and done."""
    async with indexer.open_indexer(made.settings) as services:
        for entity in services.definitions:
            async for verdict in indexer.verify(services, entity, patience=30):
                if verdict.kinds:
                    raise AssertionError(f"{entity}: {dict(verdict.kinds)} after the benchmark")


async def _pick_ids(made: Environment, *, count: int = 200_000) -> dict[str, list[int]]:
    """Ids of public, living entities to change, each type at random."""
    async with open_pool(made.settings.database_url, application="disco bench") as pool:
        return {entity: await _ids(pool, f"{entity}s", count) for entity in _CHANGED}


async def _ids(pool: Any, table: str, count: int) -> list[int]:
    owned = "" if table == "users" else f"AND user_id IN (SELECT id FROM users WHERE {_FOUND})"
    rows = await pool.fetch(
        f"SELECT id FROM {table} WHERE {_FOUND} {owned} ORDER BY md5(id::text) LIMIT $1", count
    )
    return [row["id"] for row in rows]


def _figures(run: Run) -> dict[str, float]:
    return percentiles(run.latencies) | {
        "lost": run.lost,
        "changes": run.changes,
        "changes_per_second": run.changes / run.seconds,
        "looked_for": len(run.latencies),
        "looks": run.looks,
        "refused": run.refused,
        "behind_max": run.behind,
    }


def _report(made: Environment, size: str, rate: float, seconds: float, found: list[Run]) -> Report:
    figures = medians([_figures(run) for run in found])
    lost = sum(run.lost for run in found)
    return Report(
        bench="freshness",
        corpus=corpus(size, made.settings) | {"changes_per_second": rate, "seconds": seconds},
        figures=figures,
        bars={
            "p50": Bar(value=figures["p50"], bar=0.3, at_most=True),
            "p99": Bar(value=figures["p99"], bar=0.6, at_most=True),
            "lost": Bar(value=lost, bar=0, at_most=True),
        },
        details={
            "runs": [_figures(run) for run in found],
            "histogram": histogram([latency for run in found for latency in run.latencies]),
        },
    )
