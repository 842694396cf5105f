"""The worker: keeps every generation equal to the database, for as long as it runs.

A lost connection to any service is waited for and taken up again. SIGTERM drains: no more
deliveries are taken, those at hand are finished and acknowledged.
"""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from aio_pika.abc import AbstractConnection

from core.broker import (
    BATCH_QUEUE,
    DEAD_QUEUE,
    INTERACTIVE_QUEUE,
    URGENT_EXCHANGE,
    URGENT_QUEUE,
    declare_topology,
    is_lost,
    open_broker,
    watch,
)
from core.definitions import Definition
from core.errors import DiscoError, ServiceUnavailableError
from core.events import Action
from core.settings import Settings
from core.telemetry import logger
from indexer.cascade import RefreshPublisher
from indexer.fanout import Fanout, UrgentFanout
from indexer.lane import Lane, LaneSettings, Written
from indexer.metrics import CONSUMING, LAG_SECONDS, QUEUE_DEPTH, RETRIES
from indexer.range_lane import RangeLane
from indexer.range_messages import RangePublisher
from indexer.refresher import Refresher
from indexer.services import Services, open_services
from indexer.sweep import Sweep

_FIRST_BACKOFF = 0.2
_LONGEST_BACKOFF = 5.0
_DEPTH_INTERVAL = 2.0
_BATCH_PREFETCH = 400
_URGENT_PREFETCH = 1_000
_URGENT_LINGER = 0.01
_BACKLOG = 1_000  # live changes at hand above which background work gives way
_BUSY = 200  # changes at hand above which the sweep waits

log = logger("worker")


async def run(
    settings: Settings, definitions: Mapping[str, Definition], stop: asyncio.Event
) -> None:
    """Work until `stop` is set; raises `ServiceUnavailableError` if a service is away at first."""
    async with open_services(settings, definitions) as services:
        with _explained():
            await Worker(services).run(stop)
    log.info("worker_stopped")


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """What we can explain ends a command with its own words and exit code."""
    try:
        yield
    except ExceptionGroup as group:
        if (explained := _first(group, DiscoError)) is None:
            raise
        raise explained from group


class Worker:
    """Consumes all queues in sessions with the broker, and sweeps when it has time."""

    def __init__(self, services: Services, *, background_only: bool = False) -> None:
        """With `background_only` it leaves live changes to others."""
        self._services = services
        self._background_only = background_only
        self._lanes: list[Lane] = []
        self._sweep = Sweep(services, is_busy=self._is_busy)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; finish what is at hand, but not beyond the drain deadline."""
        async with asyncio.TaskGroup() as tasks:
            sweeping = tasks.create_task(self._sweep.run(stop))
            consuming = tasks.create_task(self._keep_consuming(stop))
            await asyncio.wait(
                {consuming, tasks.create_task(stop.wait())}, return_when=asyncio.FIRST_COMPLETED
            )
            stop.set()  # also when consuming failed: nothing else would end the others
            sweeping.cancel()
            _, late = await asyncio.wait(
                {consuming}, timeout=self._services.settings.drain_deadline
            )
            if late:
                log.warning("drain_incomplete", pending=self._pending())
                consuming.cancel()

    async def run_background(self, stop: asyncio.Event) -> None:
        """Do the work of the batch queue alone until `stop` is set."""
        with _explained():
            await self._keep_consuming(stop)

    def _pending(self) -> int:
        return sum(lane.pending for lane in self._lanes)

    def _has_backlog(self) -> bool:
        return not self._background_only and self._lanes[1].pending > _BACKLOG

    def _is_busy(self) -> bool:
        return self._pending() > _BUSY

    async def _keep_consuming(self, stop: asyncio.Event) -> None:
        """Run session after session; the first must succeed, later ones are waited for."""
        backoff, connected = _FIRST_BACKOFF, False
        while not stop.is_set():
            try:
                async with _session(self._services.settings) as connections:
                    backoff, connected = _FIRST_BACKOFF, True
                    await self._consume(connections, stop)
            except* Exception as ended:
                lost, defect = ended.split(_is_lost)
                if lost is None or defect is not None:
                    raise
                if not connected:
                    raise lost.exceptions[0] from None
                CONSUMING.set(0)
                RETRIES.labels("RabbitMQ").inc()
                log.warning("broker_lost", error=repr(lost.exceptions[0]), retry_in=backoff)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    async def _consume(self, connections: list[AbstractConnection], stop: asyncio.Event) -> None:
        """Consume all queues until `stop` is set, or until a connection is lost."""
        services = self._services
        channel = await connections[-1].channel()
        publisher = RefreshPublisher(channel)
        fanout = Fanout(services, publisher)
        # What shows something that must vanish vanishes from it as urgently.
        hiding = Fanout(
            services, publisher, dependents=RefreshPublisher(channel, exchange=URGENT_EXCHANGE)
        )
        overtaking, live, background = _lane_settings(services.settings)
        refresher = Refresher(
            services.generations,
            pause=services.settings.refresh_pause,
            is_busy=self._has_backlog,
            observe=LAG_SECONDS.labels(INTERACTIVE_QUEUE).observe,
        )
        urgent = Lane(overtaking, UrgentFanout(hiding), written=refresher.note)
        interactive = Lane(live, UrgentFanout(fanout), written=refresher.note)
        batch = Lane(
            background,
            fanout,
            ranges=RangeLane(services, RangePublisher(channel), gives_way=self._has_backlog),
            gives_way=self._has_backlog,
            written=_observer(_seconds(services.settings.refresh_interval)),
        )
        self._lanes = [batch] if self._background_only else [urgent, interactive, batch]
        log.info("worker_ready", entities=sorted(services.definitions))
        async with asyncio.TaskGroup() as tasks:
            watchers = [tasks.create_task(watch(connection)) for connection in connections]
            watchers.append(tasks.create_task(_measure_depth(connections[0])))
            watchers.append(tasks.create_task(refresher.run()))
            CONSUMING.set(1)
            await asyncio.gather(
                *(
                    lane.run(connection, stop)
                    for lane, connection in zip(
                        self._lanes, connections[-len(self._lanes) :], strict=True
                    )
                )
            )
            for watcher in watchers:
                watcher.cancel()


def _is_lost(error: Exception) -> bool:
    """Whether another session may do what this one could not."""
    return isinstance(error, ServiceUnavailableError) or is_lost(error)


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[list[AbstractConnection]]:
    """A connection a lane: frames of one queue never wait behind those of the other."""
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(open_broker(settings, name=f"disco indexer {lane}"))
            for lane in ("urgent", "interactive", "batch")
        ]
        await declare_topology(await connections[0].channel(), settings)
        yield connections


async def _measure_depth(connection: AbstractConnection) -> None:
    channel = await connection.channel()
    while True:
        for name in (URGENT_QUEUE, INTERACTIVE_QUEUE, BATCH_QUEUE, DEAD_QUEUE):
            queue = await channel.declare_queue(name, passive=True)
            QUEUE_DEPTH.labels(name).set(queue.declaration_result.message_count or 0)
        await asyncio.sleep(_DEPTH_INTERVAL)


def _first(group: ExceptionGroup, kind: type[DiscoError]) -> DiscoError | None:
    """The first exception of that kind in a group, however deep."""
    found: Exception | None = group.subgroup(kind)
    while isinstance(found, ExceptionGroup):
        found = found.exceptions[0]
    return found if isinstance(found, kind) else None


def _lane_settings(settings: Settings) -> tuple[LaneSettings, LaneSettings, LaneSettings]:
    """Of the urgent, the interactive and the batch queue."""
    return (
        LaneSettings(
            queue=URGENT_QUEUE,
            size=settings.batch_batch,
            linger=_URGENT_LINGER,
            prefetch=_URGENT_PREFETCH,
            size_limit=settings.event_size_limit,
            copied=f"{Action.DESTROY}.",
        ),
        LaneSettings(
            queue=INTERACTIVE_QUEUE,
            size=settings.interactive_batch,
            linger=settings.interactive_linger,
            prefetch=settings.prefetch,
            size_limit=settings.event_size_limit,
        ),
        LaneSettings(
            queue=BATCH_QUEUE,
            size=settings.batch_batch,
            linger=settings.batch_linger,
            # Messages, and a refresh may be of hundreds of entities.
            prefetch=_BATCH_PREFETCH,
            size_limit=settings.event_size_limit,
            drains=False,
        ),
    )


def _observer(delay: float) -> Written:
    """Notes lags of documents that are searchable `delay` seconds after their writing."""
    lag = LAG_SECONDS.labels(BATCH_QUEUE)

    def observe(ages: Mapping[str, Sequence[float]]) -> None:
        for age in itertools.chain.from_iterable(ages.values()):
            lag.observe(age + delay)

    return observe


def _seconds(interval: str) -> float:
    """Seconds of an engine interval such as `200ms`, `1s` or `1m`; 0 if it is off."""
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        number = interval.removesuffix(unit)
        if number != interval and number.isdigit():
            return int(number) * factor
    return 0.0
