"""Reindexing: builds are begun, followed, paused, taken up again and cancelled.

The work itself is done by whoever consumes the batch queue.
"""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import replace

from elasticsearch import BadRequestError

from indexer.build_journal import Entry
from indexer.builds import NOBODY, Build, Phase
from indexer.copying import copy
from indexer.errors import IndexerError, ScanRejectedError
from indexer.generation import Generation
from indexer.range_lane import hand_out
from indexer.range_messages import RangePublisher, open_publisher
from indexer.routes import LEASE_SECONDS
from indexer.services import Services
from indexer.windows import count_rows

_DEAD_PREPARATION = 60.0  # seconds after which an unfinished preparation is nobody's any more


class BuildUnderWayError(IndexerError):
    """An index of that entity type is being built. Follow it, or cancel it first."""

    exit_code = 1


class NoBuildError(IndexerError):
    """No index of that entity type is being built. `disco index reindex ENTITY` begins one."""

    exit_code = 1


async def start(services: Services, entity: str, *, original: Generation | None = None) -> Build:
    """Begin a build, by a scan or with the documents of an original; workers do the rest.

    Raises `BuildUnderWayError`, and `ScanRejectedError` when the engine refuses the index.
    """
    await services.journal.open()
    async with open_publisher(services.settings) as publisher:
        claimed = await _claim(services, entity)
        try:
            return await _begin(services, publisher, claimed, original)
        except BaseException as error:
            # Best effort: what is left behind is nobody's after a minute.
            with contextlib.suppress(Exception):
                await _abandon(services, claimed.build, f"it could not begin: {error!r}")
            raise


async def _begin(
    services: Services, publisher: RangePublisher, claimed: Entry, original: Generation | None
) -> Build:
    """Make the generation of a claimed build, and hand out its first ranges."""
    definition = services.definitions[claimed.build.entity]
    try:
        if original is None:
            generation = await services.generations.create(definition, for_bulk=True)
        else:
            generation = await copy(services, original, definition)
    except BadRequestError as error:
        raise ScanRejectedError(
            f"the engine refuses an index of {definition.entity}: {str(error)[:1000]}; "
            f"mend the definition (`disco index check {definition.entity}`)"
        ) from error
    made = replace(
        claimed.build, index=generation.index, copied_from=original.index if original else ""
    )
    entry = await _put(services, made, claimed)
    # From now on every worker writes to the generation; the scan reads what was before.
    await asyncio.sleep(LEASE_SECONDS)
    now, pool = await services.fence.wait()
    begun = made.enter(Phase.COMPACTING if original else Phase.SCANNING, now)
    begun = replace(begun, expected=await count_rows(pool, definition))
    breadth = await publisher.breadth()
    build, _ = await hand_out(services, begun, breadth=breadth, after=NOBODY)
    await _put(services, build, entry)
    await publisher.publish(build, build.open)
    return build


async def _abandon(services: Services, claimed: Build, reason: str) -> None:
    """Note that a build failed before anything was done for it, and leave no index behind."""
    entry = await services.journal.read(claimed.entity)
    if entry is None or entry.build.since[Phase.PREPARING] != claimed.since[Phase.PREPARING]:
        return
    now, _ = await services.fence.wait()
    await services.journal.put(entry.build.fail(reason, now), entry)
    if entry.build.index:
        await services.generations.remove(entry.build.index)


async def resume(services: Services, entity: str) -> Build:
    """Go on with a build that was paused, or whose messages were lost; raises `NoBuildError`.

    Every open range is published again. One that somebody has still is done twice at most.
    """
    await _update(services, entity, lambda build, now: _prepared(build).resume(now))
    async with open_publisher(services.settings) as publisher:
        breadth = await publisher.breadth()
        while True:
            entry = await _under_way(services, entity)
            build, _ = await hand_out(services, entry.build, breadth=breadth, after=NOBODY)
            if build == entry.build or await services.journal.put(build, entry):
                await publisher.publish(build, build.open)
                return build


async def pause(services: Services, entity: str) -> Build:
    """Let workers finish the ranges that they are at, and take no more; raises `NoBuildError`."""
    return await _update(services, entity, lambda build, _: _prepared(build).pause())


async def cancel(services: Services, entity: str) -> Build:
    """Give a build up, and delete its index; raises `NoBuildError`."""
    build = await _update(services, entity, lambda build, now: build.enter(Phase.CANCELLED, now))
    if build.index:
        await services.generations.remove(build.index)
    return build


async def under_way(services: Services, entity: str) -> Build:
    """The build of an entity type that can be paused or given up; raises `NoBuildError`."""
    return (await _under_way(services, entity)).build


async def refuse_second(services: Services, entity: str) -> None:
    """Raise `BuildUnderWayError` where a build could not be begun now."""
    await _former(services, entity)


async def _former(services: Services, entity: str) -> tuple[Entry | None, int]:
    """The record of the last build, which has ended, and the moment; as `refuse_second`."""
    now, _ = await services.fence.wait()
    before = await services.journal.read(entity)
    if before is not None and await _is_alive(services, before.build, now):
        raise _under_way_error(before.build)
    return before, now


async def _claim(services: Services, entity: str) -> Entry:
    """The record of a new build, in place of one that has ended."""
    before, now = await _former(services, entity)
    if before is not None and before.build.phase is Phase.PREPARING and before.build.index:
        await services.generations.remove(before.build.index)
    build = Build(entity=entity, since={Phase.PREPARING: now})
    entry = await services.journal.put(build, before)
    if entry is None:
        raise _under_way_error(build)
    return entry


async def _is_alive(services: Services, build: Build, now: int) -> bool:
    """Whether a build is under way, and can come to an end."""
    if build.phase is Phase.PREPARING:
        return now - build.since[Phase.PREPARING] < _DEAD_PREPARATION * 1e6
    if not build.is_under_way:
        return False
    return any(one.index == build.index for one in await services.generations.list())


def _under_way_error(build: Build) -> BuildUnderWayError:
    return BuildUnderWayError(
        f"an index of {build.entity} is being built already ({build.index or 'just begun'}, "
        f"{'paused' if build.is_paused else build.phase}); follow it with `disco index reindex "
        f"{build.entity} --resume`, or give it up with `--cancel`"
    )


async def _put(services: Services, build: Build, before: Entry) -> Entry:
    entry = await services.journal.put(build, before)
    if entry is None:
        raise NoBuildError(f"the build of {build.index} was cancelled as it began")
    return entry


async def _under_way(services: Services, entity: str) -> Entry:
    entry = await services.journal.read(entity)
    if entry is None or not entry.build.is_under_way:
        raise NoBuildError(
            f"no index of {entity} is being built; begin with `disco index reindex {entity}`"
        )
    return entry


def _prepared(build: Build) -> Build:
    """A build that has begun; raises `NoBuildError`."""
    if build.phase is Phase.PREPARING:
        raise NoBuildError(
            f"the build of {build.entity} is being prepared; try again in a moment, "
            f"or give it up: `disco index reindex {build.entity} --cancel`"
        )
    return build


async def _update(services: Services, entity: str, change: Callable[[Build, int], Build]) -> Build:
    """Change the record of a build that is under way."""
    while True:
        entry = await _under_way(services, entity)
        now, _ = await services.fence.wait()
        build = change(entry.build, now)
        if await services.journal.put(build, entry):
            return build
