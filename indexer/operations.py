"""The indexer's door: what the command line and the HTTP API may ask of it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from elasticsearch import AsyncElasticsearch

from core.database import open_pool
from core.definitions import Definition, load
from core.engine import engine_client
from core.operation_log import Actor, Operation, OperationInProgressError, OperationLog
from core.settings import Settings
from indexer import worker
from indexer.applying import (
    Applied,
    ReindexNeededError,
    apply_changes,
    changes_document,
    plan_changes,
    reindex_needed,
)
from indexer.build_progress import Progress
from indexer.building import (
    BuildAction,
    BuildPlan,
    build,
    cancel_build,
    follow_build,
    list_builds,
    pause_build,
    plan_build,
    resume_build,
    start_build,
)
from indexer.checking import check
from indexer.comparing import UnlikeGenerationsError, diff
from indexer.definition_changes import Changes, Remedy
from indexer.errors import IndexerError
from indexer.gatekeeping import examine, last_examination
from indexer.gates import Examination, GateFailedError, Ruling
from indexer.gates import encode as examination_document
from indexer.generation import Generation
from indexer.generation_diff import QueryDiff
from indexer.generations import Generations
from indexer.probing import Hit, KnownItem, Prober, Rankings
from indexer.promoting import promote, rollback
from indexer.promotion import Exchange, UnknownGenerationError
from indexer.rank_publication import RankState, Stage
from indexer.rank_publication import publish as publish_ranks
from indexer.rank_publication import roll_back as roll_back_ranks
from indexer.rank_publication import state as rank_state
from indexer.recording import document_of
from indexer.retiring import retire
from indexer.services import Services, open_services
from indexer.verifying import Verdict, verify

__all__ = [
    "Applied",
    "BuildAction",
    "BuildPlan",
    "Changes",
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
    "RankState",
    "Rankings",
    "ReindexNeededError",
    "Remedy",
    "Ruling",
    "Services",
    "Stage",
    "UnknownEntityError",
    "UnknownGenerationError",
    "UnlikeGenerationsError",
    "Verdict",
    "apply_changes",
    "build",
    "cancel_build",
    "changes_document",
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
    "last_examination",
    "list_builds",
    "list_generations",
    "open_indexer",
    "pause_build",
    "plan_build",
    "plan_changes",
    "promote",
    "publish_ranks",
    "rank_state",
    "reindex_needed",
    "resume_build",
    "retire",
    "roll_back_ranks",
    "rollback",
    "start_build",
    "verify",
    "work",
]


class UnknownEntityError(IndexerError):
    """No definition has that name. The message lists those there are."""

    exit_code = 2


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


async def history(
    settings: Settings, *, subject: str | None = None, limit: int = 50, area: str = "index"
) -> list[Operation]:
    """What operators did, newest first: to indices, of one entity type or of all.

    With the area `rank`: to rank editions, to one or to all.

    The engine is not needed for that. Raises `ServiceUnavailableError`.
    """
    async with open_pool(settings.database_url, application="disco history", size=1) as primary:
        log = OperationLog(primary, Actor.of_this_process())
        return await log.history(subject=subject, area=area, limit=limit)


async def generations_of(
    services: Services, entity: str, *, live_only: bool = True
) -> list[Generation]:
    """The generations of an entity type; raises `NoGenerationError` if none is live."""
    live = await services.generations.live(entity)
    if live_only:
        return [live]
    return [one for one in await services.generations.list() if one.name.entity == entity]
