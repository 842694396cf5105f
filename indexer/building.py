"""Building: builds are begun, followed, paused, taken up again and cancelled, and recorded."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from indexer import reindexing
from indexer.build_progress import Progress, builds, progress_of
from indexer.builds import Build
from indexer.following import follow
from indexer.gatekeeping import examine
from indexer.promoting import promote
from indexer.promotion import plan_promotion
from indexer.recording import log_of
from indexer.services import Services


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
    async for progress in follow(services, entity, index):
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
        begun = progress_of(await reindexing.start(services, entity))
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
        found = progress_of(await act(services, entity))
        await entry.plan(before={"index": found.index}, after={"index": found.index})
    return found


async def list_builds(services: Services, entities: Sequence[str] = ()) -> list[Progress]:
    """The last build of each of the entity types (default: of all) that had one."""
    return await builds(services, entities or list(services.definitions))
