"""Reindexing: builds are begun, followed, paused, taken up again and cancelled.

The work itself is done by whoever consumes the batch queue. Who follows a build does it himself as
long as nobody else does.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

from elasticsearch import BadRequestError

from core.broker import declare_topology, open_broker
from core.errors import ServiceUnavailableError
from indexer.build_journal import Entry
from indexer.builds import NOBODY, Build, Phase
from indexer.copying import copy
from indexer.errors import IndexerError, ScanRejectedError, TemporarilyUnavailableError
from indexer.generation import Generation
from indexer.range_lane import hand_out
from indexer.range_messages import RangePublisher
from indexer.routes import LEASE_SECONDS
from indexer.services import Services
from indexer.windows import count_rows
from indexer.worker import Worker

_LOOK = 0.1  # seconds between two looks at a build
_CONSUMERS_LOOK = 2.0  # seconds between two looks at who does the work
_DEAD_PREPARATION = 60.0  # seconds after which an unfinished preparation is nobody's any more
_RATE_WINDOW = 15.0  # seconds that a rate is the mean of


class BuildUnderWayError(IndexerError):
    """An index of that entity type is being built. Follow it, or cancel it first."""

    exit_code = 1


class NoBuildError(IndexerError):
    """No index of that entity type is being built. `disco index reindex ENTITY` begins one."""

    exit_code = 1


class BuildEndedError(IndexerError):
    """A build was cancelled, or its index deleted, while it was followed."""

    exit_code = 1


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far a build is."""

    entity: str
    index: str
    copied_from: str  # the index whose documents it began with; empty: it is filled by a scan
    phase: Phase
    is_paused: bool
    turn: int  # which comparison, from 1; 0 in other phases
    rows: int  # rows of the table gone over in this phase
    expected: int  # rows of the table, as the planner estimates; 0: it does not know
    read: int  # documents that the scan has read
    outcomes: Mapping[str, int]  # of the scan's writes
    mended: int  # differences from the database that were mended
    since: Mapping[str, int]  # when each phase began, microseconds by the primary's clock
    rate: float = 0.0  # rows a second, lately; 0: not known yet
    eta: float | None = None  # seconds that this phase will take at this rate
    failure: str = ""  # why the build failed

    @property
    def seconds(self) -> float:
        """From the beginning of the build to the beginning of the phase that it is in."""
        return (max(self.since.values()) - min(self.since.values())) / 1e6


async def start(services: Services, entity: str, *, original: Generation | None = None) -> Build:
    """Begin a build, by a scan or with the documents of an original; workers do the rest.

    Raises `BuildUnderWayError`, and `ScanRejectedError` when the engine refuses the index.
    """
    await services.journal.open()
    async with _publishing(services) as publisher:
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
    await _update(services, entity, lambda build, _: _paused(build, is_paused=False))
    async with _publishing(services) as publisher:
        breadth = await publisher.breadth()
        while True:
            entry = await _under_way(services, entity)
            build, _ = await hand_out(services, entry.build, breadth=breadth, after=NOBODY)
            if build == entry.build or await services.journal.put(build, entry):
                await publisher.publish(build, build.open)
                return build


async def pause(services: Services, entity: str) -> Build:
    """Let workers finish the ranges that they are at, and take no more; raises `NoBuildError`."""
    return await _update(services, entity, lambda build, _: _paused(build, is_paused=True))


async def cancel(services: Services, entity: str) -> Build:
    """Give a build up, and delete its index; raises `NoBuildError`."""
    build = await _update(services, entity, lambda build, now: build.enter(Phase.CANCELLED, now))
    if build.index:
        await services.generations.remove(build.index)
    return build


async def builds(services: Services, entities: Sequence[str]) -> list[Progress]:
    """The last build of each of the entity types that has one, under way or ended."""
    return [progress_of(build) for build in await services.journal.builds(entities)]


async def follow(services: Services, entity: str, index: str) -> AsyncIterator[Progress]:
    """Yield the progress of a build until its generation is ready; do its work if nobody else does.

    Raises `ScanRejectedError` when it has failed, `BuildEndedError` when it was cancelled.
    A lost service is waited for.
    """
    gauge = _Gauge()
    async with AsyncExitStack() as stack:
        assistance = _Assistance(services, stack)
        while True:
            await assistance.offer()
            build = await _look(services, entity, index)
            if build is not None:
                yield gauge.measure(build)
                if build.phase is Phase.COMPLETE:
                    return
                if build.phase is Phase.FAILED:
                    raise ScanRejectedError(f"{index}: {build.failure}")
            await asyncio.sleep(_LOOK)


def progress_of(build: Build) -> Progress:
    """The progress that a record tells of."""
    return Progress(
        entity=build.entity,
        index=build.index,
        copied_from=build.copied_from,
        phase=build.phase,
        is_paused=build.is_paused,
        turn=build.turn,
        rows=build.rows,
        expected=build.expected,
        read=build.documents,
        outcomes=build.outcomes,
        mended=build.mended,
        since=build.since,
        failure=build.failure,
    )


@dataclass
class _Gauge:
    """Measures the rate of a phase from looks at it."""

    _phase: tuple[Phase, int] | None = None
    _looks: list[tuple[float, int]] = field(default_factory=list)  # monotonic seconds, rows

    def measure(self, build: Build) -> Progress:
        """The progress, with rate and time to come as far as they are known."""
        now = time.monotonic()
        if (build.phase, build.turn) != self._phase:
            self._phase, self._looks = (build.phase, build.turn), []
        self._looks.append((now, build.rows))
        while self._looks[0][0] < now - _RATE_WINDOW and len(self._looks) > 2:
            self._looks.pop(0)
        seconds = now - self._looks[0][0]
        rate = (build.rows - self._looks[0][1]) / seconds if seconds > 1 else 0.0
        left = max(0, build.expected - build.rows)
        eta = left / rate if rate > 0 and build.expected and not build.is_paused else None
        return replace(progress_of(build), rate=rate, eta=eta)


class _Assistance:
    """The work of a build, done by who follows it while there is no worker."""

    def __init__(self, services: Services, stack: AsyncExitStack) -> None:
        self._services = services
        self._stack = stack
        self._task: asyncio.Task[None] | None = None
        self._next_look = 0.0

    async def offer(self) -> None:
        """Look whether there are workers, from time to time; if there are none, become one."""
        if self._task is not None:
            if self._task.done():
                self._task.result()  # raises what it ended with
            return
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _CONSUMERS_LOOK
        if await _consumers(self._services) == 0:
            worker = Worker(self._services, background_only=True)
            self._task = await self._stack.enter_async_context(
                self._services.assistant.running(worker.run_background)
            )


async def _consumers(services: Services) -> int | None:
    """How many consume the batch queue; None when the broker does not say."""
    try:
        async with _publishing(services) as publisher:
            return await publisher.consumers()
    except (TemporarilyUnavailableError, ServiceUnavailableError):
        return None


async def _look(services: Services, entity: str, index: str) -> Build | None:
    """The record of a build as it is now; None while the engine is away."""
    try:
        entry = await services.journal.read(entity)
    except TemporarilyUnavailableError:
        return None
    if entry is None or entry.build.index != index or entry.build.phase is Phase.CANCELLED:
        raise BuildEndedError(f"the build of {index} was cancelled; what is live stays live")
    return entry.build


async def _claim(services: Services, entity: str) -> Entry:
    """The record of a new build, in place of one that has ended."""
    now, _ = await services.fence.wait()
    before = await services.journal.read(entity)
    if before is not None and await _is_alive(services, before.build, now):
        raise _under_way_error(before.build)
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
        raise BuildEndedError(f"the build of {build.index} was cancelled as it began")
    return entry


async def _under_way(services: Services, entity: str) -> Entry:
    entry = await services.journal.read(entity)
    if entry is None or not entry.build.is_under_way:
        raise NoBuildError(
            f"no index of {entity} is being built; begin with `disco index reindex {entity}`"
        )
    return entry


def _paused(build: Build, *, is_paused: bool) -> Build:
    if build.phase is Phase.PREPARING:
        raise NoBuildError(
            f"the build of {build.entity} is being prepared; try again in a moment, "
            f"or give it up: `disco index reindex {build.entity} --cancel`"
        )
    return replace(build, is_paused=is_paused)


async def _update(services: Services, entity: str, change: Callable[[Build, int], Build]) -> Build:
    """Change the record of a build that is under way."""
    while True:
        entry = await _under_way(services, entity)
        now, _ = await services.fence.wait()
        build = change(entry.build, now)
        if await services.journal.put(build, entry):
            return build


@asynccontextmanager
async def _publishing(services: Services) -> AsyncIterator[RangePublisher]:
    async with open_broker(services.settings, name="disco reindex") as connection:
        channel = await connection.channel()
        # Events that come before the first worker does must have a queue to wait in.
        await declare_topology(channel, services.settings)
        yield RangePublisher(channel)
