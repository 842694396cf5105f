"""The outbox: what is to be logged, held until the broker has confirmed it.

Whoever has something to log only puts it here, which takes microseconds and never waits. One task
publishes, many records in a message, and lets go of them when the broker has them on disk. While
it is away they wait; when there is no room for more, that is said at once.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Final

import aio_pika
from aio_pika.abc import AbstractExchange

from core.broker import UNAVAILABLE_ERRORS, declare_interactions, open_broker
from core.errors import DiscoError
from core.settings import Settings
from core.telemetry import logger
from evaluation.interactions.metrics import (
    OUTBOX_CONFIRMED,
    OUTBOX_LOST,
    OUTBOX_RECORDS,
    PUBLISH_SECONDS,
)
from evaluation.interactions.records import Interaction, Record, ShownSearch, body_of, encode

_LINGER: Final = 0.02  # seconds that a record waits for company
_MOST_RECORDS: Final = 1_000  # in a message
_CONFIRM_SECONDS: Final = 10.0
_SESSION_SECONDS: Final = 15.0  # until a session with the broker can be used
_FIRST_BACKOFF: Final = 0.1
_LONGEST_BACKOFF: Final = 2.0
_FAREWELL_SECONDS: Final = 5.0  # that a stopping process takes to get rid of what it holds

log = logger("interactions")


class Outbox:
    """Records on their way to the broker."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._room = settings.interactions_buffer
        self._waiting: deque[tuple[str, bytes]] = deque()  # what, and its JSON
        self._come = asyncio.Event()
        self._end = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin to publish; the broker need not be there yet."""
        self._task = asyncio.create_task(self._run())

    def take(self, records: Sequence[Record]) -> bool:
        """Take records to publish: all of them, or, without room, none (False)."""
        if len(self._waiting) + len(records) > self._room:
            return False
        for one in records:
            self._waiting.append((_what(one), encode(one)))
        OUTBOX_RECORDS.set(len(self._waiting))
        self._come.set()
        return True

    def note(self, search: ShownSearch) -> None:
        """Take a search; one for which there is no room is lost, and counted."""
        if not self.take((search,)):
            OUTBOX_LOST.labels("search").inc()

    async def close(self) -> None:
        """Publish what is left, if the broker takes it in time; the rest is lost, and counted."""
        self._end.set()
        self._come.set()
        if self._task is None:
            return
        _, late = await asyncio.wait({self._task}, timeout=_FAREWELL_SECONDS)
        if late:
            self._task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._task
        for what, _ in self._waiting:
            OUTBOX_LOST.labels(what).inc()
        if self._waiting:
            log.error("interactions_lost", records=len(self._waiting))
            self._waiting.clear()

    async def _run(self) -> None:
        """Publish in session after session with the broker, until all is done after the end."""
        backoff, told = _FIRST_BACKOFF, False
        while not self._done():
            try:
                async with open_broker(self._settings, name="disco interactions") as connection:
                    async with asyncio.timeout(_SESSION_SECONDS):
                        channel = await connection.channel(publisher_confirms=True)
                        exchange = await declare_interactions(channel)
                    backoff, told = _FIRST_BACKOFF, False
                    await self._publish(exchange)
            except (*UNAVAILABLE_ERRORS, DiscoError, aio_pika.exceptions.DeliveryError) as error:
                if not told:  # once for each time that it is away
                    log.warning("interactions_wait", error=repr(error), records=len(self._waiting))
                told = True
                await self._pause(backoff)
                backoff = min(backoff * 2, _LONGEST_BACKOFF)

    async def _pause(self, seconds: float) -> None:
        """Wait before another try; who is ending does not wait long."""
        await asyncio.sleep(_FIRST_BACKOFF)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._end.wait(), seconds)

    async def _publish(self, exchange: AbstractExchange) -> None:
        while not self._done():
            await self._come.wait()
            if len(self._waiting) < _MOST_RECORDS and not self._end.is_set():
                await asyncio.sleep(_LINGER)
            if not await self._publish_some(exchange):
                self._come.clear()
                if self._end.is_set():
                    return

    async def _publish_some(self, exchange: AbstractExchange) -> int:
        """Publish the oldest records, and let go of them when that is confirmed; how many."""
        chosen = [body for _, body in islice(self._waiting, _MOST_RECORDS)]
        if not chosen:
            return 0
        began = time.perf_counter()
        message = aio_pika.Message(
            body_of(chosen),
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
            content_type="application/json",
        )
        await exchange.publish(message, routing_key="log", timeout=_CONFIRM_SECONDS)
        PUBLISH_SECONDS.observe(time.perf_counter() - began)
        for _ in chosen:
            self._waiting.popleft()
        OUTBOX_CONFIRMED.inc(len(chosen))
        OUTBOX_RECORDS.set(len(self._waiting))
        return len(chosen)

    def _done(self) -> bool:
        return self._end.is_set() and not self._waiting


def _what(record: Record) -> str:
    return "interaction" if isinstance(record, Interaction) else "search"
