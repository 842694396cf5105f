"""The sweep: a slow comparison that never ends, which mends whatever slipped past.

An event that its producer never sent, a ghost after the engine forgot a tombstone, a document that
somebody altered by hand: all are found within one sweep, counted, and sent for repair. Of all
workers one sweeps; the others wait for its lock.
"""

import asyncio
import contextlib
import time
import zlib
from collections import Counter
from collections.abc import Callable

from elasticsearch import NotFoundError

from core.broker import open_broker
from core.database import UNAVAILABLE_ERRORS, Connection
from core.errors import DiscoError
from core.telemetry import logger
from indexer import parity
from indexer.cascade import RefreshPublisher
from indexer.generation import Generation, State
from indexer.metrics import SWEEP_COMPLETED, SWEEP_DIFFERENCES, SWEPT
from indexer.services import Services
from indexer.verification import Difference

_RETRY_SECONDS = 5.0
_PAUSE_SECONDS = 1.0  # between two rounds, which may be short
_BUSY_SECONDS = 1.0
_PATIENCE = 10.0  # what is on its way for longer is lost

log = logger("sweep")


class Sweep:
    """Compares all entity types in turn at `settings.sweep_rate` entities a second."""

    def __init__(self, services: Services, *, is_busy: Callable[[], bool]) -> None:
        """`is_busy` tells whether live changes wait: they come first."""
        self._services = services
        self._is_busy = is_busy
        self._rate = services.settings.sweep_rate
        self._lock = zlib.crc32(f"disco sweep {services.settings.index_prefix}".encode())

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep until `stop` is set; a service that is away only delays it."""
        while self._rate > 0 and not stop.is_set():
            try:
                await self._sweep_while_locked(stop)
            except (DiscoError, *UNAVAILABLE_ERRORS) as error:
                log.warning("sweep_postponed", error=str(error))
            except Exception:  # the sweep is a safety net: it must not take the worker down
                log.exception("sweep_failed")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), _RETRY_SECONDS)

    async def _sweep_while_locked(self, stop: asyncio.Event) -> None:
        async with self._services.databases.primary.acquire() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_lock($1)", self._lock):
                return
            try:
                while not stop.is_set():
                    for generation in await self._filled():
                        # A round takes long: one that was there when it began may be deleted.
                        with contextlib.suppress(NotFoundError):
                            await self._sweep(generation)
                    await connection.fetchval("SELECT 1")  # still connected, so still locked
                    await asyncio.sleep(_PAUSE_SECONDS)
            finally:
                await _unlock(connection, self._lock)

    async def _filled(self) -> list[Generation]:
        """The generations but those that a build fills and compares itself."""
        unfinished = (State.BUILDING, State.CATCHING_UP)
        generations = await self._services.generations.list()
        return [one for one in generations if one.state not in unfinished]

    async def _sweep(self, generation: Generation) -> None:
        began, swept = time.monotonic(), 0
        entity = generation.recipe.entity
        windows = parity.compare(self._services, generation, patience=_PATIENCE)
        async for compared, differences in windows:
            count = max(compared.rows, compared.documents)
            swept += count
            SWEPT.labels(entity).inc(count)
            if differences:
                await self._send(entity, differences)
            await asyncio.sleep(began + swept / self._rate - time.monotonic())
            while self._is_busy():  # noqa: ASYNC110 - nobody signals the end of it
                await asyncio.sleep(_BUSY_SECONDS)
        SWEEP_COMPLETED.labels(entity).set_to_current_time()

    async def _send(self, entity: str, differences: list[Difference]) -> None:
        kinds = Counter(difference.kind for difference in differences)
        log.warning("sweep_found_differences", entity=entity, kinds=dict(kinds))
        for kind, count in kinds.items():
            SWEEP_DIFFERENCES.labels(entity, kind).inc(count)
        now, _ = await self._services.fence.wait()
        async with open_broker(self._services.settings, name="disco sweep") as connection:
            publisher = RefreshPublisher(await connection.channel())
            # What cannot be read would only end in the dead letters again.
            await publisher.publish([(one.key, now) for one in differences if one.is_repairable])


async def _unlock(connection: Connection, lock: int) -> None:
    """Give the lock back, if need be with the session: its connection is used again."""
    try:
        await connection.fetchval("SELECT pg_advisory_unlock($1)", lock)
    except BaseException:
        connection.terminate()
        raise
