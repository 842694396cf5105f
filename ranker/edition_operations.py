"""The ranker's second door: what the command line may ask of editions.

Apart from `operations.py`, so that ranking a file loads nothing that editions need.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from core import definitions
from core.definitions import Recipe
from core.errors import UsageError
from core.rank_bucket import open_rank_store
from core.rank_editions import Edition, RankStore, RankStoreError
from core.settings import Settings
from ranker import calculation, drift, editions, explanation, picture, signals
from ranker.drift import Drift
from ranker.editions import Calculation, Ranked
from ranker.errors import RankerError
from ranker.explanation import Explanation
from ranker.graph import Floats
from ranker.labels import labels
from ranker.sources import Source

__all__ = [
    "Drift",
    "DriftError",
    "Engine",
    "Explanation",
    "Listed",
    "RunReport",
    "Standing",
    "check_drift",
    "compare",
    "explain",
    "labels_of",
    "list_editions",
    "open_edition",
    "open_store",
    "picture_of",
    "run",
    "top",
]


class Engine(StrEnum):
    """What calculates an edition."""

    LOCAL = "local"  # this machine's memory and cores
    SPARK = "spark"  # a cluster, for graphs that fit no machine


class DriftError(RankerError):
    """An edition differs too much from the live one. Look at it, or override with a reason."""


@dataclass(frozen=True, kw_only=True)
class RunReport:
    """What a run calculated."""

    edition: str | None  # None: nothing was written
    manifest: Mapping[str, Any]
    drift: Drift  # from the edition before
    ranks_changed: Mapping[str, int]  # entities by type whose rank is another than before
    removed: Sequence[str]  # old editions that were removed


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An edition in the store."""

    edition: str
    slot: str | None  # of the documents that it is in
    problem: str | None  # why it cannot be used
    manifest: Mapping[str, Any]  # empty if it cannot be read


@dataclass(frozen=True, kw_only=True)
class Standing:
    """An entity among those of its type."""

    place: int  # from 1
    type: str
    id: int
    score: float  # share of all mass
    rank: int  # as documents have it
    pointed_at_by: int | None  # edges that end at it; None if the edition does not know


def run(
    settings: Settings,
    *,
    folder: Path | str | None = None,
    signal_folder: Path | None = None,
    cold: bool = False,
    deterministic: bool = False,
    dry_run: bool = False,
    engine: Engine = Engine.LOCAL,
    master: str | None = None,
) -> RunReport:
    """Calculate an edition from the database's activity, or from Parquet files, into the store.

    The newest edition is where it starts from, unless `cold`. On Spark, at `master`, only files
    are read: `folder` may be whatever address Spark knows.

    Raises:
        UsageError: Spark is to read the database, or to be deterministic.
        SparkError: Spark is missing, or gave up.
        SignalError: a signal cannot be used, or gives what no edge can be made of.
        EmptyGraphError: there are no entities.
        BusyStoreError: another run is under way.
        RankStoreError: the store cannot be written.
        ServiceUnavailableError: the database does not answer.
    """
    store = open_store(settings)
    policy = signals.load(signal_folder or signals.FOLDER)
    with nullcontext() if dry_run else store.alone():
        former = calculation.newest(store)
        parent = None if cold else former
        if engine is Engine.SPARK:
            done = _calculate_on_spark(
                settings, folder, policy, parent, master=master, deterministic=deterministic
            )
        else:
            with _source(settings, folder, policy) as source:
                done = calculation.calculate(
                    source,
                    policy,
                    parent=parent,
                    before=calculation.parent_of(store, parent),
                    deterministic=deterministic,
                )
        written = None if dry_run else editions.write(store, done)
        removed = [] if dry_run else calculation.prune(store, keep=settings.rank_editions_kept)
    before = None if former is None else editions.ranked_of(former)
    return RunReport(
        edition=written.name if written else None,
        manifest=written.manifest if written else editions.manifest_of(done),
        drift=drift.compare(before, done.ranked, policy.gates),
        ranks_changed=_ranks_changed(former, done),
        removed=removed,
    )


def open_store(settings: Settings) -> RankStore:
    """The store of these settings."""
    return open_rank_store(settings)


def list_editions(settings: Settings) -> list[Listed]:
    """The editions in the store, the newest first."""
    store = open_store(settings)
    slots = store.slots()
    found = []
    for name in store.names():
        manifest: Mapping[str, Any] = {}
        problem = None
        try:
            manifest = store.open(name).manifest
        except RankStoreError as error:
            problem = str(error)
        slot = slots.slot_of(name)
        found.append(
            Listed(edition=name, slot=str(slot) if slot else None, problem=problem,
                   manifest=manifest)
        )  # fmt: skip
    return found


def open_edition(settings: Settings, name: str | None) -> Edition:
    """An edition; the newest that is whole if none is named. Raises `RankStoreError`."""
    store = open_store(settings)
    if name is not None:
        return store.open(name)
    if (edition := calculation.newest(store)) is None:
        raise RankStoreError(f"the store {store.about} has no edition; run `disco rank run`")
    return edition


def top(settings: Settings, name: str | None, kind: str, count: int) -> list[Standing]:
    """The first entities of a type. Raises `RankStoreError`, `UnknownEntityError`."""
    edition = open_edition(settings, name)
    ranked = editions.ranked_of(edition)
    if kind not in ranked.entities.types:
        raise editions.UnknownEntityError(
            f"edition {edition.name} has no type {kind!r}; "
            f"its types: {', '.join(ranked.entities.types)}"
        )
    table, in_edges = edition.table(kind), _in_edges(edition)
    ids = drift.top(ranked, kind, count)
    numbers = ranked.entities.numbers(kind, ids)
    return [
        Standing(
            place=place,
            type=kind,
            id=int(one),
            score=float(ranked.scores[number]),
            rank=int(rank),
            pointed_at_by=None if in_edges is None else int(in_edges[number]),
        )
        for place, (one, number, rank) in enumerate(
            zip(ids, numbers, table.of(ids), strict=True), start=1
        )
    ]


def explain(settings: Settings, name: str | None, kind: str, one: int, *, top: int) -> Explanation:
    """Where an entity's score comes from.

    Raises `RankStoreError`, `UnknownEntityError`, `NoGraphError`.
    """
    return explanation.explain(open_edition(settings, name), kind, one, top=top)


def compare(settings: Settings, former: str, later: str) -> Drift:
    """How two editions differ. Raises `RankStoreError`."""
    store = open_store(settings)
    return drift.compare(_ranked(store, former), _ranked(store, later), signals.load().gates)


def check_drift(settings: Settings, live: str | None, edition: str, *, override: bool) -> Drift:
    """How an edition differs from the live one.

    Raises:
        DriftError: it differs too much, and that is not overridden.
        RankStoreError: the edition is damaged. A live edition that is, is not compared with.
    """
    store = open_store(settings)
    after = _ranked(store, edition)
    before = None
    if live is not None and live != edition:
        try:
            before = _ranked(store, live)
        except RankStoreError:
            if not override:
                raise
    found = drift.compare(before, after, signals.load().gates)
    if found.failed and not override:
        raise DriftError(
            f"edition {edition} differs too much from the live one: "
            + "; ".join(
                f"{gate.name} of {gate.about} is {gate.value:.3g}, the bar is {gate.bar:g}"
                for gate in found.failed
            )
            + ". `disco rank diff` shows more; if it is right, publish with --override REASON"
        )
    return found


def picture_of(settings: Settings, name: str | None) -> str:
    """An SVG of an edition's convergence and distribution. Raises `RankStoreError`."""
    edition = open_edition(settings, name)
    residuals = edition.manifest["solution"]["residuals"]
    return picture.draw(edition.name, residuals, editions.ranked_of(edition))


async def labels_of(
    settings: Settings, keys: Sequence[tuple[str, int]]
) -> dict[tuple[str, int], str]:
    """What entities are called; those that the database does not tell of are missing."""
    return await labels(settings, recipes(settings), keys)


def recipes(settings: Settings) -> Mapping[str, Recipe]:
    """How each type's entities are found."""
    return definitions.load(settings.definitions_path)


@contextmanager
def _source(
    settings: Settings, folder: Path | str | None, policy: signals.Policy
) -> Iterator[Source]:
    known = recipes(settings)
    if folder is not None:
        from ranker.parquet_source import ParquetSource  # noqa: PLC0415 - loads what few need

        yield ParquetSource(Path(folder), sorted(known), policy)
        return
    from ranker.database_source import open_database  # noqa: PLC0415 - loads a driver

    with open_database(settings, known) as source:
        yield source


def _calculate_on_spark(
    settings: Settings,
    folder: Path | str | None,
    policy: signals.Policy,
    parent: Edition | None,
    *,
    master: str | None,
    deterministic: bool,
) -> Calculation:
    if folder is None:
        raise UsageError("Spark reads activity from Parquet files only; name them with --from")
    if deterministic:
        raise UsageError("Spark adds up in any order; --deterministic goes with --engine local")
    from ranker.spark.calculation import calculate  # noqa: PLC0415 - an extra

    return calculate(str(folder), list(recipes(settings)), policy, parent=parent, master=master)


def _in_edges(edition: Edition) -> Floats | None:
    """How many edges end at each node."""
    if not editions.has_graph(edition):
        return None
    graph = editions.graph_of(edition)
    return graph.by_node((graph.starts[1:] - graph.starts[:-1]).astype(float))


def _ranked(store: RankStore, name: str) -> Ranked:
    return editions.ranked_of(store.open(name))


def _ranks_changed(former: Edition | None, done: Calculation) -> dict[str, int]:
    ranks = editions.ranks_by_type(done)
    return {
        name: int((former.table(name).of(ids) != ranks[name]).sum())
        if former
        else int((ranks[name] > 0).sum())
        for name, ids in done.entities.ids.items()
    }
