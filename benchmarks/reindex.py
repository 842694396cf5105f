"""Reindex: how fast a worker builds an index, beside the engine's own ceiling on the same bytes.

The ceiling is what the engine takes when nobody makes the documents: bulk bodies that were made
before, of the very lines that the scan sends, two under way at a time. Ceiling and build alternate,
so that what else happens on the machine meets both. A warm-up comes first: a cold engine runs at
half its speed. On request pgsync makes the same documents in its turn.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import psutil
import uvloop

from benchmarks import pgsync, processor_time
from benchmarks.environment import Environment, Say, corpus, environment
from benchmarks.freshness import LiveChanges, live_changes
from benchmarks.pgsync import Pgsync, Synced
from benchmarks.plain_definitions import plain_definitions
from benchmarks.report import Bar, Report, medians
from core.database import open_pool
from indexer import operations as indexer
from indexer.builds import Phase
from indexer.bulk_lines import DELIMITER, QUOTE, Body, Cutter, bulk_lines
from indexer.windows import END_OF_IDS, SMALLEST_ID
from stack import programs

_ENTITY = "sound"
_RATIO = 0.78
_CLIENT_MICROSECONDS = 4.0
_MEMORY_MB = 300.0
_LIVE_P99 = 1.5  # seconds
_LIVE_SHARE = 0.95  # of the changes that were to be written, or the load was another
_TIMES_PGSYNC = 6.0
_CEILING_BYTES = 1_500_000  # of a body: about 2,000 sounds
_CEILING_IN_FLIGHT = 2
_SAMPLES = 500  # documents that are compared with pgsync's
_MEMORY_LOOK = 0.05  # seconds between two looks at a worker's memory


@dataclass(frozen=True, kw_only=True)
class Fill:
    """How an index was filled, by whichever way."""

    documents: int
    seconds: float
    processor: dict[str, float] = field(default_factory=dict)  # seconds by part
    memory_mb: float = 0.0  # largest resident set of the worker
    whole_seconds: float = 0.0  # of a build: until it was ready
    live: dict[str, float] = field(default_factory=dict)  # freshness of live changes meanwhile

    @property
    def rate(self) -> float:
        """Documents a second."""
        return self.documents / self.seconds


@dataclass(frozen=True, kw_only=True)
class Run:
    """What was measured in turn."""

    ceiling: Fill
    build: Fill
    pgsync: Synced | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is to be measured."""

    size: str  # of the catalogue
    runs: int  # after a warm-up
    live: float = 0.0  # changes a second meanwhile
    pgsync: bool = False  # whether its initial sync comes after each build
    plain: bool = False  # whether the engine analyses texts as it does by itself

    @property
    def name(self) -> str:
        """Of the report."""
        parts = ["live" if self.live else self.size.lower()]
        parts += [name for name in ("plain", "pgsync") if getattr(self, name)]
        return "_".join(["reindex", *parts])


def measure(plan: Plan, *, stack: str, say: Say) -> Report:
    """Ceiling and build in turn, so often as the plan says."""
    with environment(stack_name=stack, size=plan.size, say=say, indexed=False) as placed:
        with _defined(placed, plan) as made:
            rival = pgsync.prepare(made) if plan.pgsync else None
            with _prepared(made) as lines:
                found = uvloop.run(_measure(made, plan, lines, rival))
        return _report(placed, plan, found)


@contextmanager
def _defined(made: Environment, plan: Plan) -> Iterator[Environment]:
    """The place with the definitions that the plan wants."""
    if not plan.plain:
        yield made
        return
    with plain_definitions(made.settings.definitions_path) as folder:
        yield replace(made, settings=replace(made.settings, definitions=str(folder)))


@contextmanager
def _prepared(made: Environment) -> Iterator[Path]:
    """A file with all bulk lines of the scan, as the database makes them."""
    with tempfile.NamedTemporaryFile(prefix="disco-bench-", dir=made.logs.parent) as file:
        path = Path(file.name)
        uvloop.run(_write_lines(made, path))
        made.say(f"the scan's lines have {path.stat().st_size / 1e6:,.0f} MB")
        yield path


async def _write_lines(made: Environment, path: Path) -> None:
    definition = indexer.definitions_of(made.settings, [_ENTITY])[_ENTITY]
    async with open_pool(made.settings.database_url, application="disco bench") as pool:
        await pool.execute("VACUUM ANALYZE")
        async with pool.acquire() as connection:
            await connection.copy_from_query(
                bulk_lines(definition),
                SMALLEST_ID,
                END_OF_IDS,
                output=path,
                format="csv",
                delimiter=DELIMITER,
                quote=QUOTE,
                timeout=3600,
            )


async def _measure(made: Environment, plan: Plan, lines: Path, rival: Pgsync | None) -> list[Run]:
    found = []
    async with indexer.open_indexer(made.settings) as services:
        if rival is not None:
            await rival.bootstrap(services)
        with programs.worker(made.settings, made.logs) as worker:
            async with _changes(made, services, plan.live) as changes:
                for number in range(plan.runs + 1):
                    ceiling = await _ceiling(services, lines)
                    build = await _build(services, worker, changes)
                    made.say(
                        f"{'warm-up' if number == 0 else f'run {number} of {plan.runs}'}: "
                        f"ceiling {ceiling.rate:,.0f}/s, build {build.rate:,.0f}/s "
                        f"({build.rate / ceiling.rate:.2f}), ready in {build.whole_seconds:.1f} s"
                    )
                    beside = None
                    if rival is not None and number > 0:
                        beside = await rival.sync(
                            services, expected=build.documents, samples=_samples(lines)
                        )
                        times = build.rate / beside.rate
                        made.say(f"pgsync {beside.rate:,.0f}/s, the build {times:.1f} times that")
                    found.append(Run(ceiling=ceiling, build=build, pgsync=beside))
    return found[1:]


def _samples(lines: Path) -> dict[int, dict[str, Any]]:
    """Some documents by id."""
    body = next(_bodies(lines)).content.splitlines()[1 : 2 * _SAMPLES : 2]
    return {one["id"]: one for one in map(orjson.loads, body)}


@asynccontextmanager
async def _changes(
    made: Environment, services: indexer.Services, rate: float
) -> AsyncIterator[LiveChanges | None]:
    """Live changes that are looked for by searches, if there shall be any."""
    if not rate:
        yield None
        return
    async with asyncio.TaskGroup() as builds:
        for entity in services.definitions:
            builds.create_task(_exhaust(indexer.build(services, entity)))
    async with live_changes(made, rate) as changes:
        yield changes


async def _exhaust(states: AsyncIterator[indexer.Progress]) -> indexer.Progress:
    return [state async for state in states][-1]


async def _ceiling(services: indexer.Services, lines: Path) -> Fill:
    """Fill an index with ready-made bodies, and delete it."""
    generation = await services.generations.create(services.definitions[_ENTITY], for_bulk=True)
    began, documents = time.monotonic(), 0
    sending: set[asyncio.Task[None]] = set()
    try:
        for body in _bodies(lines):
            if len(sending) == _CEILING_IN_FLIGHT:
                done, sending = await asyncio.wait(sending, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    task.result()
            sending.add(asyncio.create_task(_send(services, generation.index, body)))
            documents += body.documents
        await asyncio.gather(*sending)
        return Fill(documents=documents, seconds=time.monotonic() - began)
    finally:
        await services.generations.delete(generation)


def _bodies(lines: Path) -> Iterator[Body]:
    cutter = Cutter()
    with lines.open("rb") as file:
        while data := file.read(_CEILING_BYTES):
            yield from cutter.add(data, _CEILING_BYTES)
    yield from cutter.rest()


async def _send(services: indexer.Services, index: str, body: Body) -> None:
    answer = await services.engine.bulk(
        index=index,
        operations=body.content,  # type: ignore[arg-type]
        filter_path=["errors", "items.*.error"],
    )
    if answer["errors"]:
        raise AssertionError(f"the engine refused lines of the ceiling: {answer}")


async def _build(
    services: indexer.Services, worker: programs.Program, changes: LiveChanges | None
) -> Fill:
    """Have the worker build an index; delete it."""
    own = {"worker": worker.process.pid}
    memory = _Memory(worker.process.pid)
    before, watching = processor_time.seconds_by_part(own), asyncio.create_task(memory.watch())
    if changes is not None:
        changes.begin()
    after = before
    index = ""
    async for state in indexer.build(services, _ENTITY, promoting=False):
        index = state.index
        if state.phase is Phase.SCANNING:
            after = processor_time.seconds_by_part(own)
    watching.cancel()
    live = await changes.end() if changes is not None else {}
    await indexer.retire(services, index)
    return Fill(
        documents=state.read,
        seconds=(state.since[Phase.COMPACTING] - state.since[Phase.SCANNING]) / 1e6,
        processor=processor_time.difference(before, after),
        memory_mb=memory.largest / 1e6,
        whole_seconds=state.seconds,
        live=live,
    )


class _Memory:
    """Watches the resident set of a process."""

    def __init__(self, pid: int) -> None:
        self._process = psutil.Process(pid)
        self.largest = 0

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            self.largest = max(self.largest, self._process.memory_info().rss)
            await asyncio.sleep(_MEMORY_LOOK)


def _figures(run: Run) -> dict[str, float]:
    ceiling, build = run.ceiling, run.build
    per_document = {
        f"{part}_us_per_document": seconds / build.documents * 1e6
        for part, seconds in build.processor.items()
    }
    return {
        "documents_per_second": build.rate,
        "ceiling_per_second": ceiling.rate,
        "ratio": build.rate / ceiling.rate,
        "ready_after_seconds": build.whole_seconds,
        "worker_memory_mb": build.memory_mb,
        **per_document,
        **{f"live_{name}": value for name, value in build.live.items()},
        **_pgsync_figures(run),
    }


def _pgsync_figures(run: Run) -> dict[str, float]:
    if run.pgsync is None:
        return {}
    return {
        "pgsync_per_second": run.pgsync.rate,
        "pgsync_us_per_document": run.pgsync.processor / run.pgsync.documents * 1e6,
        "times_pgsync": run.build.rate / run.pgsync.rate,
    }


def _report(made: Environment, plan: Plan, found: Sequence[Run]) -> Report:
    runs = [_figures(run) for run in found]
    figures = medians(runs)
    return Report(
        bench=plan.name,
        corpus=corpus(plan.size, made.settings)
        | {
            "entity": _ENTITY,
            "documents": found[0].build.documents,
            "live_changes_per_second": plan.live,
            **({"pgsync": pgsync.VERSION} if plan.pgsync else {}),
        },
        figures=figures,
        bars=_bars(plan, figures, runs),
        details={"runs": runs},
    )


def _bars(
    plan: Plan, figures: Mapping[str, float], runs: Sequence[Mapping[str, float]]
) -> dict[str, Bar]:
    bars = {
        "worker_memory_mb": Bar(value=figures["worker_memory_mb"], bar=_MEMORY_MB, at_most=True),
    }
    if plan.live:
        # The ceiling is measured alone, so with live changes beside the build there is no ratio;
        # and the worker's time is also that of the live changes.
        bars["live_p99"] = Bar(value=figures["live_p99"], bar=_LIVE_P99, at_most=True)
        bars["live_lost"] = Bar(value=sum(run["live_lost"] for run in runs), bar=0, at_most=True)
        bars["live_rate"] = Bar(
            value=figures["live_changes_per_second"], bar=_LIVE_SHARE * plan.live, at_most=False
        )
    else:
        bars["ratio"] = Bar(value=figures["ratio"], bar=_RATIO, at_most=False)
        bars["worker_us_per_document"] = Bar(
            value=figures["worker_us_per_document"], bar=_CLIENT_MICROSECONDS, at_most=True
        )
    if plan.pgsync:
        bars["times_pgsync"] = Bar(value=figures["times_pgsync"], bar=_TIMES_PGSYNC, at_most=False)
    return bars
