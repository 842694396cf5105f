"""A storm: producers, couriers and workers at once, while services fail; then the comparison."""

import asyncio
import dataclasses
import itertools
import random
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.settings import Settings
from demo.application import open_application
from indexer.changes import Key
from indexer.verification import Difference
from stack.assembly import Stack
from tests.integration.indexer.broker_view import Broker, dead_letters, open_view
from tests.integration.indexer.courier import Courier
from tests.integration.indexer.crew import Crew
from tests.integration.indexer.oracle import Index, open_index
from tests.integration.indexer.population import Population
from tests.integration.indexer.producer import Producer
from tests.integration.indexer.scene import drain
from tests.integration.indexer.storm_encounters import Encounters
from tests.integration.indexer.storm_writes import Writer
from tests.integration.indexer.weather import Weather

_CATALOGUE = Path(__file__).with_name("storm_catalogue.sql")
_PUSHBACK_LASTS = 0.7  # seconds

# What is done beside a storm, with its index and its workers.
Meanwhile = Callable[[Index, Crew], Coroutine[Any, Any, None]]


@dataclass(frozen=True, kw_only=True)
class Aftermath:
    """What a storm did, and what it left."""

    changes: int  # committed
    voided: int  # transactions that were rolled back
    published: int  # events, repeated ones included
    repeated: int  # events beyond the first delivery
    kills: int
    compared: int  # rows or documents of the verification
    differences: list[Difference]
    ahead: list[Key]  # documents that hold a version which the primary's clock has not reached
    dead_letters: list[str]  # reason and detail of each
    conflicts: float  # writes that the engine refused as not newer
    resettled: float  # writes repeated under a newer version
    refreshes: float  # of dependents
    retries: float  # batches
    clamped: float  # events
    fence_timeouts: float  # batches hydrated from the primary
    storm_seconds: float  # until the last event was published
    calm_seconds: float  # from then until all was done
    verify_seconds: float

    def __str__(self) -> str:
        lists = {"differences", "ahead", "dead_letters"}
        return ", ".join(
            f"{len(value) if name in lists else round(value, 1)} {name}"
            for name, value in vars(self).items()
        )


async def rage(
    stack: Stack,
    settings: Settings,
    folder: Path,
    weather: Weather,
    *,
    meanwhile: Meanwhile | None = None,
) -> Aftermath:
    """Let a storm rage in a place, wait until all is done, and compare.

    The place must be new: its catalogue is made here. The storm lasts at least as long as what is
    done `meanwhile`.
    """
    tuned = dataclasses.replace(settings, **({"sweep_rate": 0} | dict(weather.settings)))
    stack.primary.run_file(_CATALOGUE, database=settings.index_prefix)
    if weather.sql:
        stack.primary.query(weather.sql, database=settings.index_prefix)
    async with open_index(tuned) as index, open_view(tuned) as broker:
        await index.build()
        storm = _Storm(stack, folder, weather, index=index, broker=broker, meanwhile=meanwhile)
        try:
            return await storm.run()
        finally:
            await storm.crew.close()


class _Storm:
    def __init__(
        self,
        stack: Stack,
        folder: Path,
        weather: Weather,
        *,
        index: Index,
        broker: Broker,
        meanwhile: Meanwhile | None,
    ) -> None:
        self._stack = stack
        self._settings = index.services.settings
        self._folder = folder
        self._weather = weather
        self._index = index
        self._broker = broker
        self._meanwhile = meanwhile
        self._beside: asyncio.Task[None] | None = None
        self._population = Population(self._chance("population"))
        self._producers: list[Producer] = []
        self._couriers: list[Courier] = []
        self.crew = Crew(self._settings, folder, weather, self._chance("crew"))

    async def run(self) -> Aftermath:
        """Storm, calm, comparison."""
        began = time.monotonic()
        await self.crew.start()
        async with self._bad_weather(), asyncio.TaskGroup() as tasks:
            tasks.create_task(self.crew.suffer(self._progress))
            if self._meanwhile is not None:
                self._beside = tasks.create_task(self._meanwhile(self._index, self.crew))
            await self._produce()
        calm = time.monotonic()
        counted = await drain(
            self.crew.workers,
            self._broker,
            self._settings,
            self._folder,
            within=self._weather.deadline,
            command=self._weather.command,
        )
        counted += self.crew.counted
        verifying = time.monotonic()
        verification = await self._index.verify(patience=self._weather.patience)
        return Aftermath(
            changes=self._changes,
            voided=sum(producer.voided for producer in self._producers),
            published=sum(courier.published for courier in self._couriers),
            repeated=sum(courier.repeated for courier in self._couriers),
            kills=self.crew.kills,
            compared=verification.compared,
            differences=verification.differences,
            ahead=await self._index.ahead(),
            dead_letters=[
                f"{one.reason}: {one.detail}" for one in await dead_letters(self._settings)
            ],
            conflicts=counted("writes_total", outcome="conflict"),
            resettled=counted("resettled_total"),
            refreshes=counted("dependents_total"),
            retries=counted("retries_total"),
            clamped=counted("clamped_total"),
            fence_timeouts=counted("fence_timeouts_total"),
            storm_seconds=calm - began,
            calm_seconds=verifying - calm,
            verify_seconds=time.monotonic() - verifying,
        )

    @property
    def _changes(self) -> int:
        return sum(producer.changes for producer in self._producers)

    def _goes_on(self) -> bool:
        is_busy = self._beside is not None and not self._beside.done()
        return is_busy or self._changes < self._weather.changes

    def _progress(self) -> float:
        return self._changes / self._weather.changes

    def _chance(self, name: str) -> random.Random:
        return random.Random(f"{self._weather.seed} {name}")

    async def _produce(self) -> None:
        """Run all producers to their end; return when the last event is published."""
        closing = asyncio.Event()
        async with AsyncExitStack() as stack, asyncio.TaskGroup() as tasks:
            running = []
            for number in range(self._weather.producers):
                application = await stack.enter_async_context(
                    open_application(self._settings, connections=self._weather.connections)
                )
                courier = Courier(application, self._weather, self._chance(f"courier {number}"))
                producer = Producer(
                    application,
                    courier,
                    self._encounters(number),
                    self._weather,
                    self._chance(f"producer {number}"),
                )
                self._couriers.append(courier)
                self._producers.append(producer)
                tasks.create_task(courier.run(closing))
                running.append(tasks.create_task(producer.run(self._goes_on)))
            await asyncio.gather(*running)
            closing.set()

    def _encounters(self, number: int) -> Encounters:
        """Those of one producer."""
        writer = Writer(self._chance(f"writer {number}"), self._population)
        chance = self._chance(f"encounters {number}")
        return Encounters(self._weather, chance, self._population, writer)

    @asynccontextmanager
    async def _bad_weather(self) -> AsyncIterator[None]:
        """Meanwhile the replica lags, now more, now less, and the engine pushes back at times."""
        over = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._lag(over))
            tasks.create_task(self._push_back(over))
            try:
                yield
            finally:
                over.set()

    async def _lag(self, over: asyncio.Event) -> None:
        try:
            for seconds in itertools.cycle(self._weather.lags):
                await asyncio.to_thread(self._stack.replica.delay, round(seconds * 1000))
                if await _passes(over, self._weather.lag_lasts):
                    return
        finally:
            await asyncio.to_thread(self._stack.replica.delay, 0)

    async def _push_back(self, over: asyncio.Event) -> None:
        chance = self._chance("pushback")
        moments = sorted(chance.random() for _ in range(self._weather.pushbacks))
        for moment in moments:
            while self._progress() < moment:
                if await _passes(over, 0.1):
                    return
            await self._index.block_writes()
            try:
                await _passes(over, _PUSHBACK_LASTS)
            finally:
                await self._index.allow_writes()


async def _passes(event: asyncio.Event, seconds: float) -> bool:
    """Let time pass, or the event come; whether it came."""
    try:
        await asyncio.wait_for(event.wait(), seconds)
    except TimeoutError:
        return False
    return True
