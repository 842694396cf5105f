"""The sampler: looks at everything again and again, and remembers an hour of it.

This process's own metrics are looked at all the time: that costs next to nothing, and whoever opens
the dashboard sees what has been. Other processes and services are asked only while somebody
watches, and for an hour after.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from core import telemetry
from query_api.dashboard import readings
from query_api.dashboard.figures import figures_of
from query_api.dashboard.history import LENGTH, History
from query_api.dashboard.outcomes import Background, Clicks
from query_api.dashboard.processes import Process, Processes
from query_api.dashboard.readings import Reading
from query_api.dashboard.services import Found, ServiceReader

if TYPE_CHECKING:
    from evaluation.judgment_operations import KeptValue

STEP: Final = 5.0  # seconds between two looks
_NOT_ASKED: Final = "not asked yet"

_log = telemetry.logger("query_api")


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What is known at a moment."""

    at: float  # of the monotonic clock
    clock: float  # the same moment in Unix seconds
    figures: dict[str, float]  # see `figures`
    processes: list[Process]
    found: Found
    clicks: Reading[Clicks]
    judged: "Reading[Sequence[KeptValue]]"


class Sampler:
    """The latest sample, and the history of its figures."""

    def __init__(
        self,
        processes: Processes,
        services: ServiceReader,
        clicks: Background[Clicks],
        judged: "Background[Sequence[KeptValue]]",
    ) -> None:
        self.history = History()
        self._processes = processes
        self._services = services
        self._clicks = clicks
        self._judged = judged
        self._latest: Sample | None = None
        self._found = Found(
            queues=readings.nothing(_NOT_ASKED),
            indices=readings.nothing(_NOT_ASKED),
            ranks=readings.nothing(_NOT_ASKED),
        )
        self._watched_at = -math.inf
        self._asked_at = -math.inf  # when the services were asked last
        self._looking = asyncio.Lock()
        self._changed = asyncio.Condition()

    async def run(self) -> None:
        """Sample until cancelled."""
        while True:
            try:
                await self._look()
            except Exception:  # noqa: BLE001 - logged
                # One look that goes wrong must not be the last.
                _log.exception("dashboard_look_failed")
            await asyncio.sleep(STEP)

    async def close(self) -> None:
        """Close what was opened."""
        await self._clicks.close()
        await self._judged.close()
        await self._processes.close()

    async def watch(self) -> Sample:
        """What is known, for somebody who looks at it now: not older than two steps."""
        self._watched_at = time.monotonic()
        if self._latest is None or self._watched_at - self._asked_at > 2 * STEP:
            await self._look()
        assert self._latest is not None
        return self._latest

    async def changed(self, since: Sample) -> None:
        """Wait for another sample; for three steps at most."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(3 * STEP), self._changed:
                await self._changed.wait_for(lambda: self._latest is not since)

    async def _look(self) -> None:
        async with self._looking:
            watched = time.monotonic() - self._watched_at < LENGTH
            if watched:
                _, self._found = await asyncio.gather(
                    self._processes.look(others=True), self._services.ask()
                )
                self._asked_at = time.monotonic()
            else:
                await self._processes.look(others=False)
            self._note(watched=watched)
        async with self._changed:
            self._changed.notify_all()

    def _note(self, *, watched: bool) -> None:
        figures = figures_of(self._processes.window())
        if self._found.queues.value is not None:
            for name, queue in self._found.queues.value.items():
                figures[f"waiting {name}"] = queue.waiting
        at = time.monotonic()
        self.history.record(at, figures)
        self._latest = Sample(
            at=at,
            clock=time.time(),
            figures=figures,
            processes=self._processes.listed(),
            found=self._found,
            clicks=self._clicks.latest() if watched else readings.nothing(_NOT_ASKED),
            judged=self._judged.latest() if watched else readings.nothing(_NOT_ASKED),
        )
