"""The lane of ranges: takes ranges of builds from the batch queue, and does them one by one.

Two are under way at a time, so that the engine has work while one is read or noted. A range that is
done is noted in the journal; what the build needs next is handed out in the same write, and its
messages published before the finished range's is acknowledged.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Sequence

from core.errors import DiscoError
from core.telemetry import logger
from indexer.build_journal import Entry
from indexer.build_steps import perform
from indexer.builds import Build, Phase, Range, Tally
from indexer.bulk_loader import Loader
from indexer.bulk_pace import Pace
from indexer.deliveries import Delivery
from indexer.errors import TemporarilyUnavailableError, UnfinishedError
from indexer.metrics import RANGES, RETRIES
from indexer.range_messages import Assignment, RangePublisher
from indexer.services import Services
from indexer.stalls import Stalls
from indexer.windows import next_window

RANGE_ROWS = 10_000
_SLOTS = 2
_FIRST_BACKOFF = 0.2
_LONGEST_BACKOFF = 10.0
# Seconds after which the message of a range that cannot be done is exchanged for a new one. The
# broker closes the channel of whoever keeps one for half an hour (its `consumer_timeout`).
_LONGEST_HELD = 1_200.0

Finish = Callable[[Delivery], Awaitable[None]]

log = logger("range_lane")


class RangeLane:
    """Does ranges, whichever build they are of."""

    def __init__(
        self,
        services: Services,
        publisher: RangePublisher,
        *,
        gives_way: Callable[[], bool] = lambda: False,
    ) -> None:
        """`gives_way` tells whether more urgent work waits: then ranges are done slowly."""
        self._services = services
        self._publisher = publisher
        self._loader = Loader(services.engine, Pace(), gives_way=gives_way)
        self._waiting: asyncio.Queue[tuple[Delivery, Assignment] | None] = asyncio.Queue()
        self._active = 0
        self._stalls = Stalls()
        self._hopeless: dict[str, str] = {}  # generations given up, and why

    @property
    def pending(self) -> int:
        """Ranges that it holds."""
        return self._active + self._waiting.qsize()

    def receive(self, delivery: Delivery) -> None:
        """Take a delivery; raises `MalformedRangeError`."""
        self._waiting.put_nowait((delivery, Assignment.decode(delivery.routing_key, delivery.body)))

    async def run(self, finish: Finish, stop: asyncio.Event) -> None:
        """Do ranges until `stop` is set, then finish those under way; the others are left."""
        async with asyncio.TaskGroup() as slots:
            for _ in range(_SLOTS):
                slots.create_task(self._serve(finish, stop))
            await stop.wait()
            for _ in range(_SLOTS):
                self._waiting.put_nowait(None)

    async def _serve(self, finish: Finish, stop: asyncio.Event) -> None:
        while (taken := await self._waiting.get()) is not None and not stop.is_set():
            delivery, assignment = taken
            self._active += 1
            try:
                if await self._attend(delivery, assignment, stop):
                    await finish(delivery)
            finally:
                self._active -= 1

    async def _attend(
        self, delivery: Delivery, assignment: Assignment, stop: asyncio.Event
    ) -> bool:
        """Do a range until it is done, or is nobody's business any more; false: not before stop."""
        backoff, is_repeated = _FIRST_BACKOFF, delivery.redelivered
        give_back = time.monotonic() + _LONGEST_HELD
        while not stop.is_set():
            try:
                await self._attempt(assignment, is_repeated=is_repeated)
            except UnfinishedError:
                give_back = 0.0  # as good as done here; who has it next asks how it is
            except TemporarilyUnavailableError as error:
                log.warning("range_postponed", reason=str(error), retry_in=backoff)
                RETRIES.labels(error.service).inc()
                await self._give_up_if_hopeless(assignment, str(error))
            else:
                return True
            if time.monotonic() > give_back and await self._published_again(assignment):
                return True
            # What was noted before a service went away may have been noted all the same.
            is_repeated = True
            await _pause(stop, backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)
        return False

    async def _published_again(self, assignment: Assignment) -> bool:
        """Whether there is a new message of a range, so that the one at hand is not needed."""
        with contextlib.suppress(TemporarilyUnavailableError):
            entry = await self._services.journal.read(assignment.entity)
            ids = _held(entry, assignment)
            if entry is not None and ids is not None:
                await self._publisher.publish(entry.build, [ids])
                return True
        return False

    async def _give_up_if_hopeless(self, assignment: Assignment, reason: str) -> None:
        """Give a build up that has come no further, by anybody's work, for too long.

        Its index goes first: that makes room, where there was none to note anything in.
        """
        patience = self._services.settings.build_patience
        # What cannot be done now is done after the next attempt.
        with contextlib.suppress(TemporarilyUnavailableError):
            entry = await self._services.journal.read(assignment.entity)
            if entry is None or _held(entry, assignment) is None:
                return
            if self._stalls.seconds(entry.build, time.monotonic()) < patience:
                return
            await self._services.fence.wait()  # without the database nothing could be noted
            said = reason.rstrip("; ")
            why = f"it came no further for {patience:.0f} s: {said}; mend that, then build again"
            self._hopeless[assignment.step.generation] = why
            await self._services.generations.remove(assignment.step.generation)
            await self._give_up(assignment, why)

    async def _attempt(self, assignment: Assignment, *, is_repeated: bool) -> None:
        entry = await self._services.journal.read(assignment.entity)
        ids = _held(entry, assignment)
        if entry is None or ids is None:
            if entry is not None and is_repeated:
                await self._publish_successors(entry.build, assignment)
            return
        if entry.build.is_paused:
            return  # it stays open, and is published again when the build is resumed
        try:
            tally = await perform(self._services, entry.build, ids, self._loader)
            await self._conclude(assignment, ids, tally)
        except (TemporarilyUnavailableError, UnfinishedError):
            raise
        except DiscoError as error:
            why = self._hopeless.get(assignment.step.generation, str(error))
            await self._give_up(assignment, why)
        except Exception as error:
            log.exception("range_failed", entity=assignment.entity, start=assignment.start)
            await self._give_up(assignment, f"{type(error).__name__}: {error}")
        else:
            RANGES.labels(assignment.entity, assignment.step.phase).inc()

    async def _conclude(self, assignment: Assignment, ids: Range, tally: Tally) -> None:
        """Note a finished range, and hand out what comes after it."""
        breadth = await self._publisher.breadth()
        entry = await self._services.journal.read(assignment.entity)
        while entry is not None and _held(entry, assignment) is not None:
            now, _ = await self._services.fence.wait()
            finished = entry.build.finish(ids, tally, now)
            begun = () if finished.step == entry.build.step else finished.open
            build, handed = await hand_out(
                self._services, finished, breadth=breadth, after=ids.start
            )
            if await self._services.journal.put(build, entry):
                await self._publisher.publish(build, [*begun, *handed])
                _tell(entry.build, build)
                if build.phase is Phase.FAILED:
                    await self._services.generations.remove(build.index)
                return
            entry = await self._services.journal.read(assignment.entity)

    async def _publish_successors(self, build: Build, assignment: Assignment) -> None:
        """Publish again what a range handed out before somebody died; twice does no harm."""
        if build.index != assignment.step.generation:
            return
        if build.phase is Phase.FAILED:
            await self._services.generations.remove(build.index)
        successors = [one for one in build.open if one.after == assignment.start]
        if successors and not build.is_paused:
            await self._publisher.publish(build, successors)

    async def _give_up(self, assignment: Assignment, reason: str) -> None:
        """Note that a build has failed, and delete its generation; what is live stays live."""
        while (entry := await self._services.journal.read(assignment.entity)) is not None:
            if entry.build.index != assignment.step.generation or not entry.build.is_under_way:
                return
            now, _ = await self._services.fence.wait()
            build = entry.build.fail(reason, now)
            if await self._services.journal.put(build, entry):
                log.error("build_failed", entity=build.entity, index=build.index, reason=reason)
                await self._services.generations.remove(build.index)
                return


async def hand_out(
    services: Services, build: Build, *, breadth: int, after: int
) -> tuple[Build, Sequence[Range]]:
    """Hand out ranges until `breadth` are open; the build then, and the ranges."""
    handed: list[Range] = []
    if not build.wants(breadth):
        return build, handed
    recipe = (await services.generations.named(build.index)).recipe
    _, pool = await services.fence.wait()
    while build.wants(breadth):
        window, rows = await next_window(pool, recipe, rows=RANGE_ROWS, start=build.position)
        handed.append(Range(window.start, window.end, rows, after))
        build = build.hand_out(handed[-1])
    return build, handed


def _held(entry: Entry | None, assignment: Assignment) -> Range | None:
    """The range of an assignment, if it is open still."""
    if entry is None or entry.build.step != assignment.step:
        return None
    return entry.build.holds(assignment.start)


def _tell(before: Build, build: Build) -> None:
    if build.phase is Phase.FAILED:
        log.error("build_failed", entity=build.entity, index=build.index, reason=build.failure)
    elif build.step != before.step:
        log.info("build_phase", entity=build.entity, index=build.index, phase=build.phase)


async def _pause(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
