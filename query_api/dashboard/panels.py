"""Panels: a sample as it is shown, in words and lines. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from markupsafe import Markup

from query_api.dashboard import quantities, sparkline
from query_api.dashboard.figures import by_variant
from query_api.dashboard.history import History
from query_api.dashboard.judged import JudgedPanel, judged_panel
from query_api.dashboard.outcomes import Clicks
from query_api.dashboard.processes import Process, metric_of
from query_api.dashboard.readings import Reading
from query_api.dashboard.sampler import Sample
from query_api.dashboard.services import Index, Ranks
from query_api.dashboard.tiles import Tile, tiles_of
from query_api.variants import LIVE, Trials

if TYPE_CHECKING:
    from evaluation.experiment_operations import Comparison
    from evaluation.online_operations import OnlineFigures


@dataclass(frozen=True, kw_only=True)
class VariantRow:
    """What one variant of search did."""

    name: str
    part: str  # in what is tried: "30 % of users" …
    searches: str  # a second
    nothing: str  # share of searches without a hit
    line: Markup


@dataclass(frozen=True, kw_only=True)
class ClickRow:
    """What people did with the hits of one variant."""

    variant: str
    searches: str  # with a text
    clicked: str  # share of searches
    abandoned: str  # share of those that found something
    reciprocal_rank: str
    time_to_click: str  # median
    corrected: str  # clicks a shown hit, without the bias of its position
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
    trial: Sequence[str]  # what is tried at present, and how it stands
    clicks: Reading[Sequence[ClickRow]]
    judged: Reading[JudgedPanel]
    indices: Reading[Sequence[IndexRow]]
    ranks: Reading[RankPanel]
    processes: Sequence[ProcessRow]


def board(sample: Sample, history: History, trials: Trials) -> Board:
    """The dashboard of a sample."""
    taken_at = datetime.fromtimestamp(sample.clock, tz=UTC)
    return Board(
        taken_at=f"{taken_at:%Y-%m-%d %H:%M:%S} UTC",
        tiles=tiles_of(sample, history),
        variants=_variants(sample, history, trials),
        trial=_trial(sample, trials),
        clicks=_clicks(sample),
        judged=_judged(sample),
        indices=_indices(sample),
        ranks=_ranks(sample),
        processes=[_process(one, sample.clock) for one in sample.processes],
    )


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
    if experiment is not None and name in (experiment.interleave or ()):
        parts.append(f"interleaved for {quantities.share(experiment.share)} of {experiment.unit}s")
    if shadow is not None and name == shadow.variant:
        parts.append(f"shadow of {quantities.share(shadow.share)}")
    if name == LIVE:
        parts.append("the rest" if experiment is not None else "all searches")
    return ", ".join(parts) or "on request"


def _trial(sample: Sample, trials: Trials) -> list[str]:
    running = trials.experiment
    if running is None:
        return []
    clicks = sample.clicks.value
    standing = clicks.standing if clicks else None
    if standing is None or standing.design.name != running.name:
        return [f"Experiment {running.name} is running."]
    told = [f"Experiment {running.name} is running, by {standing.measure.replace('_', ' ')}."]
    if not standing.trusted:
        told.append(f"Its {running.unit}s are not shared out as they should be: do not trust it.")
    return told + [_compared(one, running.unit) for one in standing.comparisons]


def _compared(one: "Comparison", unit: str) -> str:
    begun = f"{one.second} beside {one.first}: {one.units:,} {unit}s"
    if one.test is None:
        return f"{begun}, too few yet."
    values = f"{quantities.number(one.first_value)} became {quantities.number(one.second_value)}"
    return f"{begun}, {values}: {f'{one.better} is better' if one.better else 'not decided yet'}."


def _clicks(sample: Sample) -> Reading[Sequence[ClickRow]]:
    clicks = sample.clicks.value
    if clicks is None:
        return Reading(missing=sample.clicks.missing)
    return Reading(value=[_click_row(one, clicks, sample.clock) for one in clicks.variants])


def _click_row(figures: "OnlineFigures", clicks: Clicks, clock: float) -> ClickRow:
    variant = figures.variant or ""
    hourly = [
        (one.hour.timestamp(), one.click_through)
        for one in clicks.hours
        if one.variant == variant and one.hour is not None
    ]
    return ClickRow(
        variant=variant,
        searches=f"{figures.searches:,}",
        clicked=quantities.share(figures.click_through),
        abandoned=quantities.share(figures.abandonment),
        reciprocal_rank=quantities.number(figures.mean_reciprocal_clicked_rank),
        time_to_click=quantities.duration(figures.seconds_to_first_click),
        corrected=quantities.share(figures.corrected_click_through),
        line=sparkline.draw(
            [hourly],
            now=clock,
            about=f"Searches with a click by {variant}",
            words=quantities.share,
            span=sparkline.LAST_DAY,
        ),
    )


def _judged(sample: Sample) -> Reading[JudgedPanel]:
    values = sample.judged.value
    if values is None:
        return Reading(missing=sample.judged.missing)
    return Reading(value=judged_panel(values, sample.clock))


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
