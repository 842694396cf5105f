"""The refresher: makes what live changes wrote searchable, soon or, in a backlog, cheaply.

The engine would refresh at a fixed interval. A short one costs throughput when there is much to
write (many small segments that must be merged), a long one costs freshness when there is little.
So the interval of an index is long, and a worker asks for a refresh of its own when it has written
live changes, unless more of them wait: then the interval does.
"""

import asyncio
import time
from collections.abc import Callable, Collection, Sequence
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

    async def refresh_live(self, entities: Collection[str]) -> None:
        """Make all that was written of these entity types so far searchable."""
        ...


class Refresher:
    """Refreshes the live generations of what was written."""

    def __init__(
        self,
        generations: Searchability,
        *,
        pause: float,
        is_busy: Callable[[], bool],
        observe: Callable[[float], None],
    ) -> None:
        """`pause` is the least time between two refreshes, seconds.

        While `is_busy` says so, what is written waits for the interval of its index. `observe` is
        told the seconds from each change to its being searchable.
        """
        self._generations = generations
        self._pause = pause
        self._is_busy = is_busy
        self._observe = observe
        self._entities: set[str] = set()
        self._changed: list[float] = []  # monotonic time of each change that is written
        self._news = asyncio.Event()

    def note(self, entities: Collection[str], ages: Sequence[float]) -> None:
        """Changes of these entity types were written; `ages` are the seconds since each."""
        now = time.monotonic()
        self._entities.update(entities)
        self._changed += [now - age for age in ages]
        self._news.set()

    async def run(self) -> None:
        """Refresh whenever there is something to show, until cancelled."""
        while True:
            await self._news.wait()
            began = time.monotonic()
            if not self._is_busy():
                await self._refresh()
            spent = time.monotonic() - began
            await asyncio.sleep(max(self._pause, min(_BREATH * spent, _LONGEST_BREATH)))

    async def _refresh(self) -> None:
        entities, self._entities = self._entities, set()
        changed, self._changed = self._changed, []
        self._news.clear()
        try:
            with REFRESH_SECONDS.time():
                await self._generations.refresh_live(entities)
        except TemporarilyUnavailableError as error:
            # The engine refreshes by itself when it is back.
            log.warning("refresh_failed", error=str(error))
        now = time.monotonic()
        for moment in changed:
            self._observe(now - moment)
