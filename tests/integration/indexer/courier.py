"""The courier: brings events late, twice, and in another order than they happened."""

import asyncio
import heapq
import itertools
import random
from collections.abc import Iterable
from datetime import UTC, datetime

from core.events import Event, to_microseconds
from demo.application import Application
from tests.integration.indexer.weather import Weather

YEAR_9999 = to_microseconds(datetime(9999, 1, 1, tzinfo=UTC))
_WINDOW = 0.01  # seconds; what falls due within it is shuffled


class Courier:
    """Takes events of committed changes and publishes them when it pleases."""

    def __init__(self, application: Application, weather: Weather, chance: random.Random) -> None:
        self._application = application
        self._weather = weather
        self._chance = chance
        self._due: list[tuple[float, int, Event]] = []
        self._numbers = itertools.count()
        self.published = 0
        self.repeated = 0

    def accept(self, events: Iterable[Event]) -> None:
        """Events to be published, once at least."""
        for event in events:
            self._post(event)
            if self._chance.random() < self._weather.duplicates:
                self._post(event)
                self.repeated += 1
            if self._chance.random() < self._weather.from_the_future:
                self._post(event._replace(occurred_at=YEAR_9999))
                self.repeated += 1

    async def run(self, closing: asyncio.Event) -> None:
        """Publish until `closing` is set and nothing is left."""
        loop = asyncio.get_running_loop()
        while self._due or not closing.is_set():
            window = []
            while self._due and self._due[0][0] <= loop.time():
                window.append(heapq.heappop(self._due)[2])
            self._chance.shuffle(window)
            await self._application.publish_events(window)
            self.published += len(window)
            await asyncio.sleep(_WINDOW)

    def _post(self, event: Event) -> None:
        shares = [share for share, _ in self._weather.delays]
        _, longest = self._chance.choices(self._weather.delays, shares)[0]
        moment = asyncio.get_running_loop().time() + self._chance.uniform(0, longest)
        heapq.heappush(self._due, (moment, next(self._numbers), event))
