"""A lane: one queue's way through the pipeline, with batches and back-off of its own.

The urgent, the interactive and the batch queue have a lane each, so that none waits behind another.
"""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from aio_pika.abc import AbstractConnection

from core.broker import is_lost
from core.events import Action, Event, MalformedEventError, decode_all, encode
from core.telemetry import logger
from indexer.changes import Key
from indexer.coalescer import Coalescer, Pending
from indexer.deliveries import Consumer, Delivery
from indexer.errors import TemporarilyUnavailableError
from indexer.fanout import Fanout, UrgentFanout
from indexer.metrics import (
    BATCH_SIZE,
    CLAMPED,
    EVENTS,
    PENDING,
    RESETTLED,
    RETRIES,
)
from indexer.pipeline import Results
from indexer.range_lane import RangeLane
from indexer.range_messages import PREFIX as RANGE_PREFIX
from indexer.range_messages import MalformedRangeError

_BATCHES_IN_FLIGHT = 2
_FIRST_BACKOFF = 0.1
_LONGEST_BACKOFF = 5.0
_LONGEST_YIELD = 10.0
_YIELD_INTERVAL = 0.05
_YIELDING_SHARE = 10

log = logger("lane")

# Ages, in seconds, of changes that have their outcome, by entity type.
Written = Callable[[Mapping[str, Sequence[float]]], None]


@dataclass(frozen=True, kw_only=True)
class LaneSettings:
    """How one lane batches."""

    queue: str
    size: int  # most changes in a batch
    linger: float  # seconds that a change waits for company
    prefetch: int  # unacknowledged events
    size_limit: int  # bytes of an event's body
    drains: bool = True  # whether a stopping worker finishes all that waits, or a batch at most
    copied: str = ""  # routing keys that begin so are of copies: their events wait elsewhere, too


class Lane:
    """Consumes a queue, coalesces, processes, acknowledges."""

    def __init__(
        self,
        settings: LaneSettings,
        fanout: Fanout | UrgentFanout,
        *,
        ranges: RangeLane | None = None,
        gives_way: Callable[[], bool] = lambda: False,
        written: Written = lambda _ages: None,
    ) -> None:
        """`gives_way` tells whether more urgent work waits: then batches come seldom.

        `ranges` takes the ranges of builds that the queue has. `written` is told of all that has
        its outcome.
        """
        self._settings = settings
        self._fanout = fanout
        self._ranges = ranges
        self._gives_way = gives_way
        self._written = written
        self._coalescer = Coalescer()
        self._consumer = Consumer(settings.queue, settings.prefetch, self._receive)
        self._arrival = asyncio.Event()
        self._slots = asyncio.Semaphore(_BATCHES_IN_FLIGHT)
        self._poison: list[tuple[Delivery, str, str]] = []
        PENDING.labels(settings.queue).set_function(lambda: self.pending)

    @property
    def pending(self) -> int:
        """Distinct entities that it holds and has not settled, and ranges of builds."""
        return len(self._coalescer) + (self._ranges.pending if self._ranges else 0)

    async def run(self, connection: AbstractConnection, stop: asyncio.Event) -> None:
        """Process until `stop` is set, then finish what is at hand.

        Ends with the exception of a batch that failed for a reason nobody foresaw.
        """
        await self._consumer.start(connection)
        async with asyncio.TaskGroup() as batches:
            stopping = batches.create_task(self._stop_consuming(stop))
            if self._ranges is not None:
                batches.create_task(self._ranges.run(self._finish_range, stop))
            while not self._is_done(stop):
                await self._bury_poison()
                if await self._wait_for_batch(stop):
                    await self._let_pass(stop)
                    await self._slots.acquire()
                    batch = self._coalescer.take(self._batch_size())
                    batches.create_task(self._process(batch))
            await stopping

    def _is_done(self, stop: asyncio.Event) -> bool:
        if not stop.is_set() or self._poison:
            return False
        left_to_others = not self._settings.drains and len(self._coalescer) > self._settings.size
        return left_to_others or not self._coalescer.is_waiting

    async def _let_pass(self, stop: asyncio.Event) -> None:
        """Wait while more urgent work waits, but not for ever."""
        deadline = time.monotonic() + _LONGEST_YIELD
        while self._gives_way() and not stop.is_set() and time.monotonic() < deadline:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _YIELD_INTERVAL)

    def _batch_size(self) -> int:
        """A full batch, or a small one if more urgent work has to wait for it."""
        size = self._settings.size
        return max(1, size // _YIELDING_SHARE) if self._gives_way() else size

    async def _stop_consuming(self, stop: asyncio.Event) -> None:
        await stop.wait()
        await self._consumer.stop()
        self._arrival.set()

    async def _wait_for_batch(self, stop: asyncio.Event) -> bool:
        """Wait for news, or for the linger to end; whether a batch should be taken."""
        if self._poison:  # it came while others were buried: that was all the news of it
            return False
        now = time.monotonic()
        wait = self._coalescer.ready(self._settings.size, self._settings.linger, now)
        if wait is not None and (wait == 0.0 or stop.is_set()):
            return True
        self._arrival.clear()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._arrival.wait(), wait)
        return False

    def _receive(self, delivery: Delivery) -> None:
        if self._ranges is not None and delivery.routing_key.startswith(RANGE_PREFIX):
            self._receive_range(self._ranges, delivery)
            return
        try:
            events = decode_all(
                delivery.routing_key, delivery.body, size_limit=self._settings.size_limit
            )
        except MalformedEventError as error:
            self._reject(delivery, error.reason, str(error))
            return
        delivery.parts, now = len(events), time.monotonic()
        for event in events:
            self._coalescer.add(
                (event.entity, event.id),
                delivery,
                version=event.occurred_at,
                cascades=event.action is not Action.REFRESH,
                now=now,
            )
        self._arrival.set()

    def _receive_range(self, ranges: RangeLane, delivery: Delivery) -> None:
        try:
            ranges.receive(delivery)
        except MalformedRangeError as error:
            self._reject(delivery, "bad_range", str(error))
        else:
            self._consumer.set_apart(delivery)

    async def _finish_range(self, delivery: Delivery) -> None:
        await self._consumer.finish([delivery])

    def _reject(self, delivery: Delivery, reason: str, detail: str) -> None:
        self._poison.append((delivery, reason, detail))
        self._arrival.set()

    async def _bury_poison(self) -> None:
        poison, self._poison = self._poison, []
        for delivery, reason, detail in poison:
            await self._bury(delivery, reason, detail)

    async def _bury_change(self, key: Key, pending: Pending, reason: str, detail: str) -> None:
        """Bury every event of a change; of a message with several, the change's alone."""
        alone = encode(Event(*key, Action.REFRESH, pending.version))
        for delivery in pending.deliveries:
            body = alone if delivery.parts > 1 else None
            await self._bury(delivery, reason, detail, body=body)

    async def _bury(
        self, delivery: Delivery, reason: str, detail: str, *, body: bytes | None = None
    ) -> None:
        if not self._is_copy(delivery):  # else it is buried where its event waits
            log.warning(
                "event_dead_lettered", queue=self._settings.queue, reason=reason, detail=detail
            )
            await self._consumer.bury(delivery, reason, detail, body=body)
        EVENTS.labels(self._settings.queue, reason).inc()
        await self._consumer.finish([delivery])

    def _is_copy(self, delivery: Delivery) -> bool:
        copied = self._settings.copied
        return bool(copied) and delivery.routing_key.startswith(copied)

    async def _process(self, batch: dict[Key, Pending]) -> None:
        """Process until every change has its outcome."""
        BATCH_SIZE.labels(self._settings.queue).observe(len(batch))
        left = dict(batch)
        backoff = _FIRST_BACKOFF
        try:
            while left:
                again = await self._attempt(left)
                # What is done need not wait for the rest: it may change again, in another batch.
                self._release(left.keys() - again.keys())
                left = again
                if left:
                    await asyncio.sleep(backoff)
                    backoff = min(backoff * 2, _LONGEST_BACKOFF)
        finally:
            self._slots.release()
            self._release(left)

    def _release(self, done: Iterable[Key]) -> None:
        self._coalescer.release(done)
        self._arrival.set()

    async def _attempt(self, batch: dict[Key, Pending]) -> dict[Key, Pending]:
        """One run through the pipeline; what must be tried again."""
        began = time.monotonic()
        try:
            batch = await self._without_strangers(batch)
            results = await self._fanout.process(
                [pending.change(key) for key, pending in batch.items()]
            )
        except TemporarilyUnavailableError as error:
            log.warning("batch_postponed", queue=self._settings.queue, error=str(error))
            RETRIES.labels(error.service).inc()
            return batch
        except Exception as error:
            if is_lost(error):
                raise  # the broker is gone, and with it this session
            # Whatever it is, it must not block what waits behind it.
            return await self._isolate(batch, error)
        await self._finish(batch, results, time.monotonic() - began)
        if results.again:
            refused = f"Elasticsearch did not take {len(results.again)} changes"
            log.warning("batch_postponed", queue=self._settings.queue, error=refused)
            RETRIES.labels("Elasticsearch").inc()
        return {key: batch[key] for key in results.again}

    async def _isolate(self, batch: dict[Key, Pending], error: Exception) -> dict[Key, Pending]:
        """Halve a batch that failed for a reason nobody foresaw, until the change is found."""
        if len(batch) > 1:
            items = list(batch.items())
            middle = len(items) // 2
            lower = await self._attempt(dict(items[:middle]))
            return lower | await self._attempt(dict(items[middle:]))
        for key, pending in batch.items():
            log.error("change_failed", entity=key[0], id=key[1], exc_info=error)
            await self._bury_change(key, pending, "failed", f"{type(error).__name__}: {error}")
        return {}

    async def _without_strangers(self, batch: dict[Key, Pending]) -> dict[Key, Pending]:
        """Bury what is of no known entity type; the rest of the batch."""
        strangers = {
            entity
            for entity in {entity for entity, _ in batch}
            if not await self._fanout.knows(entity)
        }
        for key, pending in batch.items():
            if key[0] in strangers:
                detail = f"there is neither a definition nor an index of entity type {key[0]!r}"
                await self._bury_change(key, pending, "unknown_type", detail)
        return {key: pending for key, pending in batch.items() if key[0] not in strangers}

    async def _finish(self, batch: dict[Key, Pending], results: Results, seconds: float) -> None:
        CLAMPED.inc(results.clamped)
        RESETTLED.inc(results.resettled)
        for key in results.poison.keys() - results.again:
            await self._bury_change(key, batch[key], "refused", results.poison[key])
        done = results.outcomes.keys() - results.poison.keys() - results.again
        self._count(batch, results, done)
        ages: dict[str, list[float]] = {}
        for key in done:
            age = max(0.0, (results.now - batch[key].version) / 1e6) + seconds
            ages.setdefault(key[0], []).append(age)
        self._written(ages)
        await self._consumer.finish([d for key in done for d in batch[key].deliveries])

    def _count(self, batch: dict[Key, Pending], results: Results, done: set[Key]) -> None:
        queue = self._settings.queue
        counts: Counter[str] = Counter()
        for key in done:
            counts[results.outcomes[key]] += 1
            counts["coalesced"] += len(batch[key].deliveries) - 1
        for outcome, count in counts.items():
            EVENTS.labels(queue, outcome).inc(count)
