"""The refresher: makes what live changes wrote searchable, soon or, in a backlog, cheaply.

The engine would refresh at a fixed interval. A short one costs throughput when there is much to
write (many small segments that must be merged), a long one costs freshness when there is little.
So the interval of an index is long, and a worker asks for a refresh of its own when it has written
live changes, unless more of them wait: then the interval does.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from core.telemetry import logger
from indexer.errors import TemporarilyUnavailableError
from indexer.metrics import REFRESH_SECONDS

# Share of the time that refreshes may take: after one, this many times its own duration is free.
_BREATH = 0.5
_LONGEST_BREATH = 1.0  # seconds

log = logger("refresher")


class Searchability(Protocol):
    """What can be refreshed."""

    async def refresh_live(self, entity: str) -> None:
        """Make all that was written of this entity type so far searchable."""
        ...


class Refresher:
    """Refreshes the live generations of what was written, each by itself."""

    def __init__(
        self,
        generations: Searchability,
        *,
        pause: float,
        is_busy: Callable[[], bool],
        observe: Callable[[float], None],
    ) -> None:
        """`pause` is the least time between two refreshes of an entity type, seconds.

        While `is_busy` says so, what is written waits for the interval of its index. `observe` is
        told the seconds from each change to its being searchable.
        """
        self._generations = generations
        self._pause = pause
        self._is_busy = is_busy
        self._observe = observe
        self._changed: dict[str, list[float]] = {}  # monotonic times of what is written, by type
        self._resting: set[str] = set()  # types that were refreshed a moment ago
        self._news = asyncio.Event()

    def note(self, ages: Mapping[str, Sequence[float]]) -> None:
        """Changes were written; their ages in seconds, by entity type."""
        now = time.monotonic()
        for entity, seconds in ages.items():
            self._changed.setdefault(entity, []).extend(now - age for age in seconds)
        self._news.set()

    async def run(self) -> None:
        """Refresh whenever there is something to show, until cancelled."""
        async with asyncio.TaskGroup() as refreshes:
            while True:
                await self._news.wait()
                self._news.clear()
                for entity in self._changed.keys() - self._resting:
                    self._resting.add(entity)
                    refreshes.create_task(self._attend(entity))

    async def _attend(self, entity: str) -> None:
        began = time.monotonic()
        if not self._is_busy():
            await self._refresh(entity)
        spent = time.monotonic() - began
        await asyncio.sleep(max(self._pause, min(_BREATH * spent, _LONGEST_BREATH)))
        self._resting.remove(entity)
        if entity in self._changed:
            self._news.set()

    async def _refresh(self, entity: str) -> None:
        changed = self._changed.pop(entity)
        try:
            with REFRESH_SECONDS.time():
                await self._generations.refresh_live(entity)
        except TemporarilyUnavailableError as error:
            # The engine refreshes by itself when it is back.
            log.warning("refresh_failed", error=str(error))
        now = time.monotonic()
        for moment in changed:
            self._observe(now - moment)
