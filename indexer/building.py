"""Building: builds are planned, begun, followed, paused, resumed and cancelled, and recorded."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from indexer import reindexing
from indexer.build_progress import Progress, builds, progress_of
from indexer.builds import Build
from indexer.errors import NoGenerationError
from indexer.following import follow
from indexer.gatekeeping import examine
from indexer.promoting import promote
from indexer.promotion import plan_promotion
from indexer.recording import document_of, log_of
from indexer.services import Services
from indexer.windows import count_rows


class BuildAction(StrEnum):
    """What can be done about the build of an entity type."""

    BUILD = "build"  # begin one
    PAUSE = "pause"  # have workers finish the ranges that they are at, and take no more
    RESUME = "resume"  # go on with one
    CANCEL = "cancel"  # give it up, and delete its index


@dataclass(frozen=True, kw_only=True)
class BuildPlan:
    """What an action would do."""

    entity: str
    action: BuildAction
    index: str | None  # of the build that is under way; None: one is to be begun
    phase: str | None  # that it is in
    definition: str  # hash of the definition as the files have it now
    source_table: str
    expected: int  # rows of the table, as the planner estimates; 0: it does not know


async def plan_build(
    services: Services, entity: str, action: BuildAction = BuildAction.BUILD
) -> BuildPlan:
    """What an action would do, and nothing done; raises what refuses the action."""
    definition = services.definitions[entity]
    found = None
    if action is BuildAction.BUILD:
        await reindexing.refuse_second(services, entity)
    else:
        found = await reindexing.under_way(services, entity)
    _, pool = await services.fence.wait()
    return BuildPlan(
        entity=entity,
        action=action,
        index=found.index if found else None,
        phase=str(found.phase) if found else None,
        definition=definition.hash,
        source_table=definition.source_table,
        expected=await count_rows(pool, definition),
    )


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
    services: Services, entity: str, index: str, *, promoting: bool, assisting: bool = True
) -> AsyncIterator[Progress]:
    """Follow a build to its end as `build` does, whoever began it.

    Unless `assisting`, its work is left to workers, even if there are none.
    """
    async for progress in follow(services, entity, index, assisting=assisting):
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
        live = None
        with suppress(NoGenerationError):
            live = document_of(await services.generations.live(entity))
        begun = progress_of(await reindexing.start(services, entity))
        await entry.plan(before=live, after={"index": begun.index})
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
        before = await reindexing.under_way(services, entity)
        found = await act(services, entity)
        await entry.plan(before=_told(before), after=_told(found))
    return progress_of(found)


def _told(build: Build) -> dict[str, Any]:
    """A build as the operation log has it."""
    return {
        "index": build.index,
        "phase": build.phase,
        "paused": build.is_paused,
        "rows": build.rows,
    }


async def list_builds(services: Services, entities: Sequence[str] = ()) -> list[Progress]:
    """The last build of each of the entity types (default: of all) that had one."""
    return await builds(services, entities or list(services.definitions))
