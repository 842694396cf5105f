"""Panels: a sample as it is shown, in words and lines. Pure."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup

from core.broker import BATCH_QUEUE, DEAD_QUEUE, INTERACTIVE_QUEUE
from query_api.dashboard import quantities, sparkline
from query_api.dashboard.figures import SUGGEST_TELLS, WORKER_TELLS, by_variant
from query_api.dashboard.history import History
from query_api.dashboard.processes import Process, metric_of
from query_api.dashboard.readings import Reading
from query_api.dashboard.sampler import Sample
from query_api.dashboard.services import Index, Queue, Ranks
from query_api.variants import LIVE, Trials

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


@dataclass(frozen=True, kw_only=True)
class VariantRow:
    """What one variant of search did."""

    name: str
    part: str  # in what is tried: "30 % of users" …
    searches: str  # a second
    nothing: str  # share of searches without a hit
    line: Markup


@dataclass(frozen=True, kw_only=True)
class ProcessRow:
    """One process."""

    address: str
    memory: str
    up: str  # for how long
    missing: str


@dataclass(frozen=True, kw_only=True)
class IndexRow:
    """One index."""

    entity: str
    name: str
    state: str
    documents: str
    size: str
    age: str


@dataclass(frozen=True, kw_only=True)
class RankPanel:
    """The rank edition, and how its calculation converged."""

    live: str
    newer: str  # an edition that is newer than the live one
    age: str
    iterations: int
    error: str
    line: Markup


@dataclass(frozen=True, kw_only=True)
class Board:
    """All of the dashboard."""

    taken_at: str  # UTC
    tiles: Sequence[Tile]
    variants: Sequence[VariantRow]
    trial: str  # what is tried at present
    indices: Reading[Sequence[IndexRow]]
    ranks: Reading[RankPanel]
    processes: Sequence[ProcessRow]


def board(sample: Sample, history: History, trials: Trials) -> Board:
    """The dashboard of a sample."""
    taken_at = datetime.fromtimestamp(sample.clock, tz=UTC)
    return Board(
        taken_at=f"{taken_at:%Y-%m-%d %H:%M:%S} UTC",
        tiles=_Tiles(sample, history).all(),
        variants=_variants(sample, history, trials),
        trial=_trial(trials),
        indices=_indices(sample),
        ranks=_ranks(sample),
        processes=[_process(one, sample.clock) for one in sample.processes],
    )


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
        names = {INTERACTIVE_QUEUE: "Changes that wait", BATCH_QUEUE: "Background work"}
        names |= {DEAD_QUEUE: "Dead letters"}
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


def _variants(sample: Sample, history: History, trials: Trials) -> list[VariantRow]:
    prefix = by_variant("searches", "")
    names = {LIVE, *trials.variants, *(name.removeprefix(prefix) for name in history.names(prefix))}
    return [
        VariantRow(
            name=name,
            part=_part(name, trials),
            searches=quantities.number(sample.figures.get(by_variant("searches", name))),
            nothing=quantities.share(sample.figures.get(by_variant("nothing", name))),
            line=sparkline.draw(
                [history.series(by_variant("searches", name))],
                now=sample.at,
                about=f"Searches a second by {name}",
                words=quantities.number,
            ),
        )
        for name in sorted(names, key=lambda name: (name != LIVE, name))
    ]


def _part(name: str, trials: Trials) -> str:
    experiment, shadow = trials.experiment, trials.shadow
    parts = []
    if experiment is not None and name in experiment.shares:
        parts.append(f"{quantities.share(experiment.shares[name])} of {experiment.unit}s")
    if shadow is not None and name == shadow.variant:
        parts.append(f"shadow of {quantities.share(shadow.share)}")
    if name == LIVE:
        parts.append("the rest" if experiment is not None else "all searches")
    return ", ".join(parts) or "on request"


def _trial(trials: Trials) -> str:
    return f"Experiment {trials.experiment.name} is running." if trials.experiment else ""


def _indices(sample: Sample) -> Reading[Sequence[IndexRow]]:
    reading = sample.found.indices
    if reading.value is None:
        return Reading(missing=reading.missing)
    return Reading(value=[_index(one, sample.clock) for one in reading.value])


def _index(one: Index, clock: float) -> IndexRow:
    return IndexRow(
        entity=one.entity,
        name=one.name,
        state=one.state.replace("_", " "),
        documents=f"{one.documents:,}",
        size=quantities.size(one.bytes),
        age=quantities.age(clock - one.created_at.timestamp()),
    )


def _ranks(sample: Sample) -> Reading[RankPanel]:
    ranks = sample.found.ranks.value
    if ranks is None:
        return Reading(missing=sample.found.ranks.missing or "no edition; disco rank run makes one")
    return Reading(value=_rank_panel(ranks, sample.clock))


def _rank_panel(ranks: Ranks, clock: float) -> RankPanel:
    return RankPanel(
        live=ranks.live or "none: searches use no ranks",
        newer=ranks.newest if ranks.newest and ranks.newest != ranks.live else "",
        age=quantities.age(clock - ranks.moment.timestamp()),
        iterations=ranks.iterations,
        error="unknown" if ranks.error_bound is None else f"{ranks.error_bound:.1e}",
        line=sparkline.draw_decay(
            ranks.residuals, about="L1 change of the scores in each iteration"
        ),
    )


def _process(one: Process, clock: float) -> ProcessRow:
    started = metric_of(one, "process_start_time_seconds")
    return ProcessRow(
        address=one.address,
        memory=quantities.size(metric_of(one, "process_resident_memory_bytes")),
        up=quantities.age(None if started is None else clock - started),
        missing=one.missing,
    )
