"""The crew: the workers of a storm, some of which are killed and replaced."""

import asyncio
import random
import time
from collections.abc import Callable
from pathlib import Path

from core.settings import Settings
from tests.integration.indexer import worker_process
from tests.integration.indexer.waiting import until
from tests.integration.indexer.weather import Weather
from tests.integration.indexer.worker_process import NO_METRICS, Metrics, Worker

_STALL = 180.0  # seconds without progress that fail the test
_CATCH = 3.0  # seconds to catch a worker in the middle of something
_BUSY = 10  # changes that it holds then, at least
_GLANCE = 0.01  # seconds between two looks


class Crew:
    """Keeps as many workers running as the weather says. `close` kills what is left."""

    def __init__(
        self, settings: Settings, folder: Path, weather: Weather, chance: random.Random
    ) -> None:
        self._settings = settings
        self._folder = folder
        self._weather = weather
        self._chance = chance
        self.counted: Metrics = NO_METRICS  # by those who were killed, as far as known
        self.workers: list[Worker] = []
        self.kills = 0

    async def start(self) -> None:
        """As many as there should be now, ready."""
        wanted = self._weather.workers[self.kills % len(self._weather.workers)]
        while len(self.workers) < wanted:
            command = self._weather.command
            self.workers.append(worker_process.spawn(self._settings, self._folder, command=command))
        await asyncio.gather(*(worker.ready() for worker in self.workers))

    async def suffer(self, progress: Callable[[], float]) -> None:
        """Lose workers at random moments of the progress, and replace them."""
        kills = self._weather.kills
        for number in range(kills):
            moment = 0.97 * (number + self._chance.random()) / kills

            async def is_reached(moment: float = moment) -> bool:
                return progress() >= moment

            await until(is_reached, within=_STALL, what=f"progress {moment:.2f}", state=progress)
            await self.lose_one()

    async def lose_one(self) -> None:
        """Kill a worker in the middle of something, and replace it."""
        victim = self._chance.choice(self.workers)
        self.counted += await _caught_busy(victim)
        self.workers.remove(victim)
        await victim.kill()
        self.kills += 1
        await self.start()

    async def close(self) -> None:
        """End whatever still runs."""
        for worker in self.workers:
            if worker.is_running:
                await worker.kill()


async def _caught_busy(worker: Worker) -> Metrics:
    """What a worker counted at a moment when it holds much, or when there is none such for long."""
    deadline = time.monotonic() + _CATCH
    while True:
        metrics = await worker.last_metrics()
        if metrics("pending_changes") >= _BUSY or time.monotonic() > deadline:
            return metrics
        await asyncio.sleep(_GLANCE)
