"""The indexer's door: what the command line and the HTTP API may ask of it."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from core.broker import declare_topology, open_broker
from core.definitions import Definition, load
from core.engine import engine_client
from core.settings import Settings
from indexer import parity, worker
from indexer.cascade import RefreshPublisher
from indexer.errors import IndexerError
from indexer.generations import Generation, Generations, State
from indexer.promotion import (
    Exchange,
    outdated,
    plan_promotion,
    plan_retirement,
    plan_rollback,
)
from indexer.scan import Progress, scan
from indexer.services import Services, open_services
from indexer.verification import Difference

__all__ = [
    "Exchange",
    "Generation",
    "Progress",
    "Services",
    "UnknownEntityError",
    "Verdict",
    "build",
    "definitions_of",
    "generations_of",
    "list_generations",
    "open_indexer",
    "promote",
    "retire",
    "rollback",
    "verify",
    "work",
]


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
async def open_indexer(settings: Settings) -> AsyncIterator[Services]:
    """All services, for several operations in a row; raises `ServiceUnavailableError`."""
    async with open_services(settings, load(settings.definitions_path)) as services:
        yield services


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Run a worker until `stop` is set."""
    await worker.run(settings, load(settings.definitions_path), stop)


async def list_generations(settings: Settings) -> list[Generation]:
    """All generations, by entity type, then oldest first."""
    async with engine_client(settings) as engine:
        return await Generations(engine, settings).list()


async def build(
    services: Services, entity: str, *, promoting: bool = True
) -> AsyncIterator[Progress]:
    """Build a new generation from the definition, and make it the live one; yields progress.

    Without `promoting` it ends as ready, for `promote`, and nothing is retired.
    Live events reach the generation while it is built. Before it becomes live, it is compared with
    the database, and mended. If the build fails, it is deleted, and the old one stays live.
    """
    definition = services.definitions[entity]
    async with open_broker(services.settings, name="disco reindex") as connection:
        # Events that come before the first worker does must have a queue to wait in.
        await declare_topology(await connection.channel(), services.settings)
    generation = await services.generations.create(definition)
    try:
        async for progress in scan(services, generation):
            yield progress
        await services.generations.compact(generation)
        generation = await services.generations.enter(generation, State.CATCHING_UP)
        await parity.establish(services, generation)
        generation = await services.generations.enter(generation, State.READY)
    except BaseException:
        with contextlib.suppress(Exception):
            await services.generations.delete(generation)
        raise
    if promoting:
        await promote(services, generation.index)
        await _retire(services, entity)


async def promote(services: Services, index: str, *, dry_run: bool = False) -> Exchange:
    """Make queries reach this index in place of the live one of its type; what was done.

    Raises `UnknownGenerationError`, `NotPromotableError` or `ConcurrentPromotionError`.
    """
    return await _exchange(
        services, plan_promotion(await services.generations.list(), index), dry_run=dry_run
    )


async def rollback(services: Services, entity: str, *, dry_run: bool = False) -> Exchange:
    """Make queries reach what was live last; raises as `promote`, and `UnknownEntityError`.

    It is up to date: a standby receives every change.
    """
    return await _exchange(
        services, plan_rollback(await services.generations.list(), entity), dry_run=dry_run
    )


async def retire(services: Services, index: str, *, dry_run: bool = False) -> Generation:
    """Delete an index that is not live; raises `UnknownGenerationError`, `LiveGenerationError`."""
    generation = plan_retirement(await services.generations.list(), index)
    if not dry_run:
        await services.generations.delete(generation)
    return generation


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


async def _retire(services: Services, entity: str) -> None:
    """Delete the generations of an entity type that are more than shall be kept."""
    generations = await services.generations.list()
    for generation in outdated(generations, entity, keep=services.settings.standby_generations):
        await services.generations.delete(generation)


async def _exchange(services: Services, exchange: Exchange, *, dry_run: bool) -> Exchange:
    if exchange.changes_anything and not dry_run:
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
