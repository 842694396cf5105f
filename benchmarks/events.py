"""Events: how fast one worker drains a backlog through the whole live path.

A backlog of changes waits in the queue, two of each entity; a worker is started and the time taken
until every event has its outcome. Warm-up first: a cold engine runs at half its speed.
"""

import asyncio
import re
import time
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass

import uvloop

from benchmarks import processor_time
from benchmarks.environment import Environment, Say, corpus, environment
from benchmarks.report import Bar, Report, medians
from core.broker import INTERACTIVE_QUEUE
from core.database import open_pool
from core.errors import UsageError
from core.events import Action, Event, to_microseconds
from demo.application import open_application
from indexer import operations as indexer
from stack import programs

_BAR = 8_000  # events a second
_DEADLINE = 300.0
_OUTCOMES = re.compile(
    rf'^disco_indexer_events_total{{outcome="\w+",queue="{re.escape(INTERACTIVE_QUEUE)}"}} (\S+)$',
    re.MULTILINE,
)


@dataclass(frozen=True, kw_only=True)
class Drain:
    """How one backlog was drained."""

    events: int
    seconds: float
    processor: dict[str, float]  # seconds by part

    def figures(self) -> dict[str, float]:
        """Events a second, and microseconds of processor an event by part."""
        per_event = {
            f"{part}_us_per_event": seconds / self.events * 1e6
            for part, seconds in self.processor.items()
        }
        return {"events_per_second": self.events / self.seconds, **per_event}


def measure(*, stack: str, size: str, events: int, runs: int, say: Say) -> Report:
    """Drain `runs` backlogs of `events` events each, after one that is not counted."""
    with environment(stack_name=stack, size=size, say=say) as made:
        drains = uvloop.run(_measure(made, events, runs))
        figures = medians([drain.figures() for drain in drains])
        rate = figures["events_per_second"]
        return Report(
            bench="events",
            corpus=corpus(size, made.settings) | {"events": events, "entities": events // 2},
            figures=figures,
            bars={"events_per_second": Bar(value=rate, bar=_BAR, at_most=False)},
            details={"runs": [drain.figures() for drain in drains]},
        )


async def _measure(made: Environment, events: int, runs: int) -> list[Drain]:
    drains = []
    for number in range(runs + 1):
        made.say(f"preparing a backlog of {events:,} events")
        await _prepare(made, events, number)
        drain = await _drain(made, events)
        await _check(made)
        rate = drain.events / drain.seconds
        made.say(f"{'warm-up' if number == 0 else f'run {number} of {runs}'}: {rate:,.0f} events/s")
        drains.append(drain)
    return drains[1:]


async def _prepare(made: Environment, events: int, number: int) -> None:
    """Change each of `events // 2` sounds twice, and publish all events in order of the changes."""
    async with open_application(made.settings) as application:
        for turn in ("first", "second"):
            title = f"backlog {number} {turn}"
            await application.publish_events(await _rename(made, events // 2, title))


async def _rename(made: Environment, count: int, title: str) -> Sequence[Event]:
    async with open_pool(made.settings.database_url, application="disco bench") as pool:
        rows = await pool.fetch(
            "UPDATE sounds SET title = $2 || ' ' || id WHERE id IN "
            "(SELECT id FROM sounds WHERE visibility = 'public' AND deleted_at IS NULL "
            "ORDER BY md5(id::text) LIMIT $1) RETURNING id, updated_at",
            count,
            title,
            timeout=300,
        )
    if len(rows) < count:
        raise UsageError(
            f"the catalogue has only {len(rows):,} public sounds, and {2 * count:,} events need "
            f"{count:,}; pass --events {2 * len(rows)} or a larger --size"
        )
    events = [
        Event("sound", row["id"], Action.SAVE, to_microseconds(row["updated_at"])) for row in rows
    ]
    return sorted(events, key=lambda event: event.occurred_at)


async def _drain(made: Environment, events: int) -> Drain:
    """Start a worker; the time from the first event's outcome to the last's."""
    with programs.worker(made.settings, made.logs) as worker:
        own = {"worker": worker.process.pid}
        before, began = processor_time.seconds_by_part(own), time.monotonic()
        # It has begun already: what it did before the clock started does not count.
        early = await asyncio.to_thread(_finished, worker.url)
        while (done := await asyncio.to_thread(_finished, worker.url)) < events:
            if time.monotonic() > began + _DEADLINE:
                raise TimeoutError(f"{done} of {events} events after {_DEADLINE} s")
            await asyncio.sleep(0.1)
        seconds = time.monotonic() - began
        after = processor_time.seconds_by_part(own)
    return Drain(
        events=events - early, seconds=seconds, processor=processor_time.difference(before, after)
    )


def _finished(url: str) -> int:
    """How many events have their outcome, as the worker's metrics say."""
    with urllib.request.urlopen(f"{url}/metrics", timeout=10) as answer:
        return int(sum(float(count) for count in _OUTCOMES.findall(answer.read().decode())))


async def _check(made: Environment) -> None:
    """Raises if anything was lost."""
    async with indexer.open_indexer(made.settings) as services:
        async for verdict in indexer.verify(services, "sound"):
            if verdict.kinds:
                raise AssertionError(f"sounds differ after the backlog: {dict(verdict.kinds)}")
