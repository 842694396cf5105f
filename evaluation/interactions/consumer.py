"""The consumer: takes messages of records from the broker, and stores them before it says so.

A message is acknowledged when its rows are committed. One that comes again changes nothing.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

import asyncpg
from aio_pika.abc import AbstractIncomingMessage, AbstractQueue
from aiormq.abc import AbstractChannel as UnderlayChannel

from core.broker import (
    INTERACTIONS_QUEUE,
    UNAVAILABLE_ERRORS,
    declare_interactions,
    open_broker,
)
from core.database import UNAVAILABLE_ERRORS as DATABASE_ERRORS
from core.database import Pool
from core.errors import ServiceUnavailableError
from core.settings import Settings
from core.telemetry import logger
from evaluation.interactions import store
from evaluation.interactions.metrics import CONSUMING, REFUSED_MESSAGES, STORED
from evaluation.interactions.records import split

_PREFETCH: Final = 64  # messages, each of up to a thousand records
_SESSION_SECONDS: Final = 15.0  # until a session with the broker can be used
_LINGER: Final = 0.1  # seconds that a message waits for company
_FIRST_BACKOFF: Final = 0.2
_LONGEST_BACKOFF: Final = 5.0
_LOST: Final = (*UNAVAILABLE_ERRORS, *DATABASE_ERRORS, ServiceUnavailableError)

log = logger("interactions")


class Consumer:
    """Stores what comes, in sessions with the broker."""

    def __init__(self, settings: Settings, primary: Pool) -> None:
        self._settings = settings
        self._primary = primary

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; a service that goes away is waited for.

        Raises `ServiceUnavailableError` if the broker is away at first.
        """
        backoff, connected = _FIRST_BACKOFF, False
        while not stop.is_set():
            try:
                async with self._session() as (channel, queue):
                    backoff, connected = _FIRST_BACKOFF, True
                    await self._consume(channel, queue, stop)
            except _LOST as error:
                if not connected:
                    raise
                log.warning("interactions_unstored", error=repr(error), retry_in=backoff)
            finally:
                CONSUMING.set(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), backoff)
            backoff = min(backoff * 2, _LONGEST_BACKOFF)

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[tuple[UnderlayChannel, AbstractQueue]]:
        async with open_broker(self._settings, name="disco interactions worker") as connection:
            async with asyncio.timeout(_SESSION_SECONDS):
                channel = await connection.channel()
                await channel.set_qos(prefetch_count=_PREFETCH)
                await declare_interactions(channel)
                queue = await channel.get_queue(INTERACTIONS_QUEUE)
                underlay = await channel.get_underlay_channel()
            yield underlay, queue

    async def _consume(
        self, channel: UnderlayChannel, queue: AbstractQueue, stop: asyncio.Event
    ) -> None:
        """Store what comes, until `stop` is set; raises when a service is lost."""
        come: asyncio.Queue[AbstractIncomingMessage] = asyncio.Queue()
        tag = await queue.consume(come.put)
        CONSUMING.set(1)
        log.info("interactions_ready")
        while not stop.is_set():
            # A broker that dies tells the channel alone: the connection is not said to be closed.
            if channel.is_closed:
                raise ConnectionResetError("the broker closed the connection")
            if batch := await _gather(come):
                await self._store(batch)
        await queue.cancel(tag)

    async def _store(self, batch: Sequence[AbstractIncomingMessage]) -> None:
        searches: list[dict[str, Any]] = []
        interactions: list[dict[str, Any]] = []
        good: list[AbstractIncomingMessage] = []
        for message in batch:
            try:
                shown, done = split(message.body)
            except ValueError as error:
                await _set_aside(message, str(error))
                continue
            good.append(message)
            searches += shown
            interactions += done
        if not good:
            return
        try:
            found = await store.insert(self._primary, searches, interactions)
        except store.REFUSED_ERRORS as error:
            await self._store_apart(good, error)
            return
        for name, record in (("searches", "search"), ("interactions", "interaction")):
            STORED.labels(record, "stored").inc(found[name].stored)
            STORED.labels(record, "repeated").inc(found[name].repeated)
        for message in good:
            await message.ack()

    async def _store_apart(
        self, batch: Sequence[AbstractIncomingMessage], error: asyncpg.PostgresError
    ) -> None:
        """Store a message at a time: one that is refused keeps nothing else from the log."""
        if len(batch) == 1:
            await _set_aside(batch[0], str(error))
            return
        for message in batch:
            await self._store([message])


async def _gather(come: asyncio.Queue[AbstractIncomingMessage]) -> list[AbstractIncomingMessage]:
    """What came in a moment; nothing if nothing did."""
    found: list[AbstractIncomingMessage] = []
    until = time.monotonic() + _LINGER
    while len(found) < _PREFETCH // 2 and (left := until - time.monotonic()) > 0:
        try:
            found.append(await asyncio.wait_for(come.get(), left))
        except TimeoutError:
            break
    return found


async def _set_aside(message: AbstractIncomingMessage, why: str) -> None:
    """Let the broker put a message where people can look at it."""
    REFUSED_MESSAGES.inc()
    log.error("interactions_refused", reason=why[:500], size=len(message.body))
    await message.reject(requeue=False)
