"""Steps: what is done with one range of a build, by the phase that the build is in."""

import asyncio

from elasticsearch import NotFoundError

from indexer.builds import Build, Phase, Range, Tally
from indexer.bulk_loader import Loader
from indexer.errors import NoGenerationError, engine_within_reach
from indexer.generation import Generation, State
from indexer.parity import compare_range
from indexer.scan import scan_range
from indexer.services import Services

_LONGEST_WRITE = 5.0  # seconds from a hydration to the end of its write


async def perform(services: Services, build: Build, ids: Range, loader: Loader) -> Tally:
    """Do what a range asks for.

    Raises `TemporarilyUnavailableError`: do it again, from the start. Other errors of ours mean
    that the build cannot succeed.
    """
    with engine_within_reach():
        try:
            generation = await services.generations.named(build.index)
            return await _perform(services, build, generation, ids, loader)
        except NotFoundError as error:
            raise NoGenerationError(
                f"index {build.index} was deleted while it was built"
            ) from error


async def _perform(
    services: Services, build: Build, generation: Generation, ids: Range, loader: Loader
) -> Tally:
    if build.phase is Phase.SCANNING:
        _, pool = await services.fence.wait()
        return await scan_range(pool, generation, ids, loader, services.ranks)
    if build.phase is Phase.COMPARING:
        return await compare_range(services, generation, ids)
    if build.phase is Phase.COMPACTING:
        await _compact(services, build, generation)
    elif build.phase is Phase.RELEASING:
        await services.generations.enter(generation, State.READY)
    return Tally()


async def _compact(services: Services, build: Build, generation: Generation) -> None:
    """Make of what was written in bulk, or copied, an index as others are, to be compared."""
    generations = services.generations
    await generations.open_up(generation)
    await _outlast_writes(services, build)
    if not build.copied_from:
        await generations.compact(generation)
    await generations.refresh(generation)
    await generations.enter(generation, State.CATCHING_UP)


async def _outlast_writes(services: Services, build: Build) -> None:
    """Wait until what was hydrated before every worker knew the generation has landed (ADR 0001).

    What came after the preparation began when they all did.
    """
    now, _ = await services.fence.wait()
    known = build.since[Phase.COMPACTING if build.copied_from else Phase.SCANNING]
    landed = known + _LONGEST_WRITE * 1e6
    await asyncio.sleep(max(0.0, (landed - now) / 1e6))
