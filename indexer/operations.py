"""The indexer's door: what the command line and the HTTP API may ask of it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from elasticsearch import AsyncElasticsearch

from core.broker import declare_topology, open_broker
from core.database import open_pool
from core.definitions import Definition, load
from core.engine import engine_client
from core.operation_log import Actor, Operation, OperationInProgressError, OperationLog
from core.settings import Settings
from indexer import examination, parity, reindexing, worker
from indexer.builds import Build
from indexer.cascade import RefreshPublisher
from indexer.checking import check
from indexer.errors import IndexerError, engine_within_reach
from indexer.gates import Examination, GateFailedError, Ruling, decode
from indexer.gates import encode as examination_document
from indexer.generation_diff import QueryDiff, compare
from indexer.generations import Generation, Generations, State
from indexer.probing import WORD, Hit, KnownItem, Prober, Rankings
from indexer.promotion import (
    Exchange,
    LiveGenerationError,
    UnknownGenerationError,
    named,
    plan_promotion,
    plan_retirement,
    plan_rollback,
)
from indexer.recording import document_of, log_of, subject_of
from indexer.reindexing import Progress
from indexer.retention import outdated_by, superseded
from indexer.services import Services, open_services
from indexer.verification import Difference

__all__ = [
    "Examination",
    "Exchange",
    "GateFailedError",
    "Generation",
    "Hit",
    "KnownItem",
    "Operation",
    "OperationInProgressError",
    "Prober",
    "Progress",
    "QueryDiff",
    "Rankings",
    "Ruling",
    "Services",
    "UnknownEntityError",
    "UnknownGenerationError",
    "UnlikeGenerationsError",
    "Verdict",
    "build",
    "cancel_build",
    "check",
    "definitions_of",
    "diff",
    "document_of",
    "examination_document",
    "examine",
    "follow_build",
    "generations_of",
    "history",
    "known_generations",
    "list_builds",
    "list_generations",
    "open_indexer",
    "pause_build",
    "promote",
    "resume_build",
    "retire",
    "rollback",
    "start_build",
    "verify",
    "work",
]


class UnlikeGenerationsError(IndexerError):
    """Two indices cannot be compared; the message says why."""

    exit_code = 2


class UnknownEntityError(IndexerError):
    """No definition has that name. The message lists those there are."""

    exit_code = 2


@dataclass(kw_only=True)
class Verdict:
    """What a verification of one entity type found so far."""

    entity: str
    index: str  # generation that was compared
    compared: int = 0  # entities on either side
    differences: list[Difference] = field(default_factory=list)  # new ones since the last window
    kinds: Counter[str] = field(default_factory=Counter)  # all differences so far
    repaired: int = 0  # refresh events sent


def definitions_of(settings: Settings, entities: Sequence[str] = ()) -> dict[str, Definition]:
    """The definitions of the named entity types, or all; raises `UnknownEntityError`."""
    definitions = load(settings.definitions_path)
    if unknown := set(entities) - definitions.keys():
        raise UnknownEntityError(
            f"no entity type {', '.join(sorted(unknown))}; there are: {', '.join(definitions)}"
        )
    return {name: definitions[name] for name in entities or definitions}


@asynccontextmanager
async def open_indexer(
    settings: Settings, *, prober: Callable[[Services], Prober] | None = None
) -> AsyncIterator[Services]:
    """All services, for several operations in a row; raises `ServiceUnavailableError`.

    With a `prober`, no generation becomes ready or live before its gates were asked.
    """
    async with open_services(settings, load(settings.definitions_path)) as services:
        yield replace(services, prober=prober(services)) if prober else services


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Run a worker until `stop` is set."""
    await worker.run(settings, load(settings.definitions_path), stop)


async def list_generations(settings: Settings) -> list[Generation]:
    """All generations, by entity type, then oldest first."""
    async with engine_client(settings) as engine:
        return await known_generations(engine, settings)


async def known_generations(engine: AsyncElasticsearch, settings: Settings) -> list[Generation]:
    """The same, asked by a client that is open already."""
    return await Generations(engine, settings).list()


async def build(
    services: Services, entity: str, *, promoting: bool = True
) -> AsyncIterator[Progress]:
    """Build a new generation from the definition, and make it the live one; yields progress.

    Without `promoting` it ends as ready, for `promote`, and nothing is retired. Workers do the
    work, or this process where there is none. Live events reach the generation while it is built.
    Before it is ready, it is compared with the database, and mended. If the build fails, its
    generation is deleted, and the old one stays live. Who stops following does not stop the build:
    `pause_build` and `cancel_build` do. Raises `GateFailedError` when it did not pass its gates.
    """
    begun = await start_build(services, entity)
    async for progress in follow_build(services, entity, begun.index, promoting=promoting):
        yield progress


async def follow_build(
    services: Services, entity: str, index: str, *, promoting: bool
) -> AsyncIterator[Progress]:
    """Follow a build to its end as `build` does, whoever began it."""
    async for progress in reindexing.follow(services, entity, index):
        yield progress
    if services.prober is not None:
        await examine(services, index)
    if promoting:
        await promote(services, index)
    else:
        plan_promotion(await services.generations.list(), index)


async def start_build(services: Services, entity: str) -> Progress:
    """Begin a build and leave it to workers; it ends as ready. Raises `BuildUnderWayError`."""
    async with log_of(services).record("index.reindex", entity) as entry:
        begun = reindexing.progress_of(await reindexing.start(services, entity))
        await entry.plan(before=None, after={"index": begun.index})
    return begun


async def pause_build(services: Services, entity: str) -> Progress:
    """Have workers finish the ranges that they are at, and take no more; or `NoBuildError`."""
    return await _acted(services, "index.pause", entity, reindexing.pause)


async def resume_build(services: Services, entity: str) -> Progress:
    """Go on with a build that was paused, or that nobody goes on with; or `NoBuildError`."""
    return await _acted(services, "index.resume", entity, reindexing.resume)


async def cancel_build(services: Services, entity: str) -> Progress:
    """Give a build up, and delete its generation; raises `NoBuildError`."""
    return await _acted(services, "index.cancel", entity, reindexing.cancel)


async def _acted(
    services: Services,
    action: str,
    entity: str,
    act: Callable[[Services, str], Awaitable[Build]],
) -> Progress:
    async with log_of(services).record(action, entity) as entry:
        found = reindexing.progress_of(await act(services, entity))
        await entry.plan(before={"index": found.index}, after={"index": found.index})
    return found


async def list_builds(services: Services, entities: Sequence[str] = ()) -> list[Progress]:
    """The last build of each of the entity types (default: of all) that had one."""
    return await reindexing.builds(services, entities or list(services.definitions))


async def promote(
    services: Services, index: str, *, dry_run: bool = False, override: str | None = None
) -> Exchange:
    """Make queries reach this index in place of the live one of its type; what was done.

    Gates that were not asked yet are asked first, where there is a prober. When it goes live for
    the first time, what is outdated by that is deleted (`indexer.retention`). Raises
    `GateFailedError` if one has failed, unless `override` says why it shall go live all the same;
    `UnknownGenerationError`, `NotPromotableError`, `ConcurrentPromotionError` or
    `OperationInProgressError`.
    """
    if services.prober is not None and not dry_run:
        await _examine_if_ready(services, index)
    building = [one.index for one in await list_builds(services) if one.is_under_way]

    def plan(generations: Sequence[Generation]) -> Exchange:
        exchange = plan_promotion(generations, index, override=override)
        keep = services.settings.standby_generations
        outdated = outdated_by(exchange, generations, keep=keep, under_way=building)
        return replace(exchange, outdated=outdated)

    exchange = await _exchange(
        services,
        "index.promote",
        subject_of(index),
        plan,
        dry_run=dry_run,
        override=override,
    )
    said = exchange.after.gates
    if override and said and not dry_run:
        overridden = decode(said).overridden(override)
        await services.generations.note_gates(
            replace(exchange.after, state=State.LIVE), examination_document(overridden)
        )
    if not dry_run:
        await _delete_outdated(services, exchange)
    return exchange


async def _delete_outdated(services: Services, exchange: Exchange) -> None:
    for one in exchange.outdated:
        # Whoever is at it now was quicker; what stays is outdated by the next promotion as well.
        with suppress(UnknownGenerationError, LiveGenerationError, OperationInProgressError):
            await retire(services, one.index)


async def examine(services: Services, index: str) -> Examination:
    """Ask all gates about a generation, and note what they say: it is ready then, or has failed.

    Raises `UnknownGenerationError`, and `NotPromotableError` when it is not complete.
    """
    async with log_of(services).record("index.gates", subject_of(index)) as entry:
        generations = await services.generations.list()
        plan = plan_promotion(generations, index, override="to be examined")
        await entry.plan(before=document_of(plan.after), after=None)
        live = plan.before if plan.changes_anything else None
        assert services.prober is not None, "open the indexer with a prober"
        found = await examination.examine(services, plan.after, live, services.prober)
        noted = await services.generations.note_gates(plan.after, examination_document(found))
        await entry.plan(before=document_of(plan.after), after=document_of(noted))
    if found.failed:
        for former in superseded(generations, index):
            await retire(services, former.index)
    return found


async def diff(
    services: Services, before: str, after: str, queries: Sequence[str] = ()
) -> AsyncIterator[QueryDiff]:
    """How the answers of two indices of one entity type differ; yields after each query.

    Each is searched by the profile that it was built with. Without queries, words of titles that
    are in the database are asked for. Raises `UnknownGenerationError` and `UnlikeGenerationsError`.
    """
    assert services.prober is not None, "open the indexer with a prober"
    generations = await services.generations.list()
    first, second = (named(generations, index) for index in (before, after))
    for one in (first, second):
        if problem := await services.prober.problem(one):
            raise UnlikeGenerationsError(f"{one.index} cannot be searched: {problem}")
    if first.name.entity != second.name.entity:
        raise UnlikeGenerationsError(
            f"{before} is an index of {first.name.entity}, {after} one of {second.name.entity}; "
            "name two of the same type (`disco index list`)"
        )
    if not queries:
        items = await examination.known_items(services, services.prober, first)
        queries = [*dict.fromkeys(one.text for one in items if one.kind == WORD)]
    with engine_within_reach():
        answers = [await services.prober.rank(one, queries) for one in (first, second)]
    for query, *hits in zip(queries, *answers, strict=True):
        yield compare(query, *hits)


async def _examine_if_ready(services: Services, index: str) -> None:
    for one in await services.generations.list():
        if one.index == index and one.state is State.READY and one.gates is None:
            await examine(services, index)


async def rollback(services: Services, entity: str, *, dry_run: bool = False) -> Exchange:
    """Make queries reach what was live last; raises as `promote`.

    It is up to date: a standby receives every change.
    """
    return await _exchange(
        services,
        "index.rollback",
        entity,
        lambda generations: plan_rollback(generations, entity),
        dry_run=dry_run,
    )


async def retire(services: Services, index: str, *, dry_run: bool = False) -> Generation:
    """Delete an index that is not live; it, as it was.

    Raises `UnknownGenerationError`, `LiveGenerationError` or `OperationInProgressError`.
    """
    if dry_run:
        return plan_retirement(await services.generations.list(), index)
    # Alone: what is not live now could be promoted before it is gone.
    async with log_of(services).record("index.retire", subject_of(index), alone=True) as entry:
        generation = plan_retirement(await services.generations.list(), index)
        gone = replace(generation, state=State.RETIRED)
        await entry.plan(before=document_of(generation), after=document_of(gone))
        await services.generations.delete(generation)
    return generation


async def history(
    settings: Settings, *, subject: str | None = None, limit: int = 50
) -> list[Operation]:
    """What operators did to indices, newest first; to those of one entity type, or to all.

    The engine is not needed for that. Raises `ServiceUnavailableError`.
    """
    async with open_pool(settings.database_url, application="disco history", size=1) as primary:
        log = OperationLog(primary, Actor.of_this_process())
        return await log.history(subject=subject, area="index", limit=limit)


async def generations_of(
    services: Services, entity: str, *, live_only: bool = True
) -> list[Generation]:
    """The generations of an entity type; raises `NoGenerationError` if none is live."""
    live = await services.generations.live(entity)
    if live_only:
        return [live]
    return [one for one in await services.generations.list() if one.name.entity == entity]


async def verify(
    services: Services,
    entity: str,
    *,
    generation: Generation | None = None,
    repair: bool = False,
    patience: float = 5.0,
) -> AsyncIterator[Verdict]:
    """Compare every row with every document of a generation; yields after each window.

    Without a generation it is the live one. A difference counts when it is still there after
    `patience` seconds. With `repair`, a refresh event is sent for each; a running worker does the
    rest.
    """
    generation = generation or await services.generations.live(entity)
    verdict = Verdict(entity=entity, index=generation.index)
    windows = parity.compare(services, generation, patience=patience)
    async for compared, differences in windows:
        verdict.compared += max(compared.rows, compared.documents)
        verdict.differences = differences
        verdict.kinds.update(difference.kind for difference in differences)
        if repair and differences:
            verdict.repaired += await _repair(services, differences)
        yield verdict


async def _exchange(
    services: Services,
    action: str,
    subject: str,
    plan: Callable[[Sequence[Generation]], Exchange],
    *,
    dry_run: bool,
    override: str | None = None,
) -> Exchange:
    if dry_run:
        return plan(await services.generations.list())
    # Alone: a plan is only good as long as nobody else changes what it was made from.
    record = log_of(services).record(action, subject, alone=True, override=override)
    async with record as entry:
        exchange = plan(await services.generations.list())
        before = document_of(exchange.before) if exchange.before else None
        await entry.plan(before=before, after=document_of(exchange.after))
        if exchange.changes_anything:
            await services.generations.promote(exchange.after, before=exchange.before)
    return exchange


async def _repair(services: Services, differences: Sequence[Difference]) -> int:
    now, _ = await services.fence.wait()
    async with open_broker(services.settings, name="disco verify") as connection:
        channel = await connection.channel()
        await declare_topology(channel, services.settings)
        repairable = [one.key for one in differences if one.is_repairable]
        await RefreshPublisher(channel).publish([(key, now) for key in repairable])
    return len(repairable)
