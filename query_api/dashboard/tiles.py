"""Tiles: one number each, with what goes with it and its last hour. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from core.broker import (
    BATCH_QUEUE,
    DEAD_QUEUE,
    INTERACTIONS_QUEUE,
    INTERACTIVE_QUEUE,
    URGENT_QUEUE,
)
from query_api.dashboard import quantities, sparkline
from query_api.dashboard.figures import SUGGEST_TELLS, WORKER_TELLS
from query_api.dashboard.history import History
from query_api.dashboard.readings import Reading
from query_api.dashboard.sampler import Sample
from query_api.dashboard.services import Queue

#: Above these a tile says so; docs/metrics.md, “Alerts”, has the same numbers.
MOST_FAILED: Final = 0.01  # share of searches
MOST_LAG: Final = 1.0  # seconds, 99th percentile
_UNTOLD: Final = "no process in DISCO_DASHBOARD_METRICS tells of it"
_TOLD_ONCE: Final = "known after the next look, in some seconds"

Words = Callable[[float | None], str]


@dataclass(frozen=True, kw_only=True)
class Tile:
    """One number, what goes with it, and its last hour."""

    name: str
    value: str
    note: str = ""
    line: str = ""  # SVG
    missing: str = ""  # why there is no value
    alarm: str = ""  # what is wrong with the value, if something is


def tiles_of(sample: Sample, history: History) -> list[Tile]:
    """The tiles of a sample, in the order that they stand in."""
    return _Tiles(sample, history).all()


class _Tiles:
    """Makes the tiles of one sample."""

    def __init__(self, sample: Sample, history: History) -> None:
        self._sample = sample
        self._history = history
        self._known = sample.figures

    def all(self) -> list[Tile]:
        """The tiles in the order that they stand in."""
        return [
            self._searches(),
            self._latency("Search latency", "search"),
            self._failed(),
            self._nothing(),
            self._latency("Engine latency", "engine"),
            self._freshness(),
            *self._queues(),
            self._suggestions(),
        ]

    def _searches(self) -> Tile:
        running = quantities.number(self._known.get("in_progress"))
        return Tile(
            name="Searches a second",
            value=quantities.number(self._known.get("searches")),
            note=f"{running} in progress",
            line=self._line("Searches a second", quantities.number, "searches"),
        )

    def _latency(self, name: str, figure: str) -> Tile:
        p50, p95 = (self._known.get(f"{figure}_p{percent}") for percent in (50, 95))
        return Tile(
            name=name,
            value=quantities.duration(self._known.get(f"{figure}_p99")),
            note=f"99th percentile; 50th {quantities.duration(p50)}, "
            f"95th {quantities.duration(p95)}",
            line=self._line(name, quantities.duration, f"{figure}_p99", f"{figure}_p50"),
        )

    def _failed(self) -> Tile:
        failed = self._known.get("failed")
        high = failed is not None and failed > MOST_FAILED
        return Tile(
            name="Failed searches",
            value=quantities.share(failed),
            note="answered with 500 and above",
            line=self._line("Failed searches", quantities.share, "failed"),
            alarm=f"above {quantities.share(MOST_FAILED)}" if high else "",
        )

    def _nothing(self) -> Tile:
        return Tile(
            name="Searches without a hit",
            value=quantities.share(self._known.get("nothing")),
            note="of those that were answered",
            line=self._line("Searches without a hit", quantities.share, "nothing"),
        )

    def _freshness(self) -> Tile:
        name, lag = "Freshness", self._known.get("lag_p99")
        if "workers" not in self._known:
            return self._untold(name, WORKER_TELLS)
        median = quantities.duration(self._known.get("lag_p50"))
        events = quantities.number(self._known.get("events"))
        return Tile(
            name=name,
            value=quantities.duration(lag),
            note=f"99th percentile; 50th {median}; {events} events a second",
            line=self._line(name, quantities.duration, "lag_p99", "lag_p50"),
            alarm=f"above {quantities.duration(MOST_LAG)}" if lag and lag > MOST_LAG else "",
        )

    def _queues(self) -> list[Tile]:
        reading = self._sample.found.queues
        names = {
            URGENT_QUEUE: "Urgent changes",
            INTERACTIVE_QUEUE: "Changes that wait",
            BATCH_QUEUE: "Background work",
            DEAD_QUEUE: "Dead letters",
            INTERACTIONS_QUEUE: "Interactions",
        }
        return [self._queue(reading, queue, name) for queue, name in names.items()]

    def _queue(self, reading: Reading[Mapping[str, Queue]], queue: str, name: str) -> Tile:
        if reading.value is None or queue not in reading.value:
            reason = reading.missing or f"there is no queue {queue}: start a worker"
            return Tile(name=name, value="", missing=reason)
        told, is_dead = reading.value[queue], queue == DEAD_QUEUE
        alarm = "nobody consumes" if not is_dead and not told.consumers else ""
        if is_dead and told.waiting:
            alarm = "see disco dead-letters list"
        return Tile(
            name=name,
            value=quantities.number(told.waiting),
            note="could not be processed" if is_dead else _consumers(told.consumers),
            line=self._line(name, quantities.number, f"waiting {queue}"),
            alarm=alarm,
        )

    def _suggestions(self) -> Tile:
        name = "Suggest latency"
        if "suggestions" not in self._known:
            return self._untold(name, SUGGEST_TELLS)
        rate, median = self._known["suggestions"], self._known.get("suggest_p50")
        return Tile(
            name=name,
            value=quantities.duration(self._known.get("suggest_p99")),
            note=f"99th percentile; 50th {quantities.duration(median)}; "
            f"{quantities.number(rate)} requests a second",
            line=self._line(name, quantities.duration, "suggest_p99", "suggest_p50"),
        )

    def _untold(self, name: str, sample: str) -> Tile:
        """A tile of what another process tells: why it is empty."""
        told = any(one.latest and one.latest.samples.get(sample) for one in self._sample.processes)
        return Tile(name=name, value="", missing=_TOLD_ONCE if told else _UNTOLD)

    def _line(self, about: str, words: Words, *figures: str) -> Markup:
        lines = [self._history.series(figure) for figure in figures]
        return sparkline.draw(lines, now=self._sample.at, about=about, words=words)


def _consumers(count: int) -> str:
    return "1 consumer" if count == 1 else f"{count} consumers"
