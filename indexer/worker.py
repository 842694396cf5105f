"""The worker: keeps every generation equal to the database, for as long as it runs.

A lost connection to any service is waited for and taken up again. SIGTERM drains: no more
deliveries are taken, those at hand are finished and acknowledged.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from aio_pika.abc import AbstractConnection
from aiormq.exceptions import AMQPError

from core.broker import BATCH_QUEUE, DEAD_QUEUE, INTERACTIVE_QUEUE, declare_topology, open_broker
from core.definitions import Definition
from core.errors import ServiceUnavailableError
from core.settings import Settings
from core.telemetry import logger
from indexer.cascade import RefreshPublisher
from indexer.lane import Lane, LaneSettings
from indexer.metrics import CONSUMING, QUEUE_DEPTH
from indexer.services import Services, open_services
from indexer.sweep import Sweep

_FIRST_BACKOFF = 0.2
_LONGEST_BACKOFF = 5.0
_DEPTH_INTERVAL = 2.0

log = logger("worker")


async def run(
    settings: Settings, definitions: Mapping[str, Definition], stop: asyncio.Event
) -> None:
    """Work until `stop` is set; raises `ServiceUnavailableError` if a service is away at first."""
    async with open_services(settings, definitions) as services:
        sweep = Sweep(services)
        async with asyncio.TaskGroup() as tasks:
            sweeping = tasks.create_task(sweep.run(stop))
            await _keep_consuming(services, stop)
            sweeping.cancel()
    log.info("worker_stopped")


async def _keep_consuming(services: Services, stop: asyncio.Event) -> None:
    """Run session after session; the first must succeed, later ones are waited for."""
    backoff, connected = _FIRST_BACKOFF, False
    while not stop.is_set():
        try:
            async with _session(services.settings) as connections:
                backoff, connected = _FIRST_BACKOFF, True
                await _consume(services, connections, stop)
        except* (AMQPError, OSError, ServiceUnavailableError) as lost:
            if not connected:
                raise
            CONSUMING.set(0)
            log.warning("broker_lost", error=repr(lost.exceptions[0]), retry_in=backoff)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), backoff)
        backoff = min(backoff * 2, _LONGEST_BACKOFF)


@asynccontextmanager
async def _session(settings: Settings) -> AsyncIterator[list[AbstractConnection]]:
    """A connection a lane: frames of one queue never wait behind those of the other."""
    async with AsyncExitStack() as stack:
        connections = [
            await stack.enter_async_context(open_broker(settings, name=f"disco indexer {lane}"))
            for lane in ("interactive", "batch")
        ]
        await declare_topology(await connections[0].channel(), settings)
        yield connections


async def _consume(
    services: Services, connections: list[AbstractConnection], stop: asyncio.Event
) -> None:
    """Consume both queues until `stop` is set, or until a connection is lost."""
    interactive, batch = connections
    pipeline = services.pipeline(RefreshPublisher(await batch.channel()))
    lanes = [
        (Lane(settings, pipeline, services.definitions), connection)
        for settings, connection in zip(
            _lane_settings(services.settings), (interactive, batch), strict=True
        )
    ]
    CONSUMING.set(1)
    log.info("worker_ready", entities=sorted(services.definitions))
    async with asyncio.TaskGroup() as tasks:
        watchers = [tasks.create_task(_watch(connection)) for connection in connections]
        watchers.append(tasks.create_task(_measure_depth(interactive)))
        await asyncio.gather(*(lane.run(connection, stop) for lane, connection in lanes))
        for watcher in watchers:
            watcher.cancel()


async def _watch(connection: AbstractConnection) -> None:
    """Raises once the connection is closed, so that nothing waits for it for ever."""
    await connection.closed()
    raise ConnectionResetError("the broker closed the connection")


async def _measure_depth(connection: AbstractConnection) -> None:
    channel = await connection.channel()
    while True:
        for name in (INTERACTIVE_QUEUE, BATCH_QUEUE, DEAD_QUEUE):
            queue = await channel.declare_queue(name, passive=True)
            QUEUE_DEPTH.labels(name).set(queue.declaration_result.message_count or 0)
        await asyncio.sleep(_DEPTH_INTERVAL)


def _lane_settings(settings: Settings) -> tuple[LaneSettings, LaneSettings]:
    refresh = _seconds(settings.refresh_interval)
    return (
        LaneSettings(
            queue=INTERACTIVE_QUEUE,
            size=settings.interactive_batch,
            linger=settings.interactive_linger,
            prefetch=settings.prefetch,
            size_limit=settings.event_size_limit,
            refresh_seconds=refresh,
        ),
        LaneSettings(
            queue=BATCH_QUEUE,
            size=settings.batch_batch,
            linger=settings.batch_linger,
            prefetch=2 * settings.batch_batch,
            size_limit=settings.event_size_limit,
            refresh_seconds=refresh,
        ),
    )


def _seconds(interval: str) -> float:
    """Seconds of an engine interval such as `200ms`, `1s` or `1m`; 0 if it is off."""
    for unit, factor in (("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3600.0)):
        number = interval.removesuffix(unit)
        if number != interval and number.isdigit():
            return int(number) * factor
    return 0.0
