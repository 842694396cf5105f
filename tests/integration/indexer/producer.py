"""A producer: changes the catalogue in several sessions, and hands events to its courier."""

import asyncio
import random
from collections.abc import Callable
from typing import Any

import asyncpg

from core.events import Event
from demo.application import Application
from demo.errors import UnknownEntityError
from demo.writes import Write
from tests.integration.indexer.courier import Courier
from tests.integration.indexer.storm_encounters import Encounters, Transaction
from tests.integration.indexer.weather import Weather

# What two producers do to each other: the row is gone, or each waits for the other.
_VOIDED = (UnknownEntityError, asyncpg.ForeignKeyViolationError, asyncpg.DeadlockDetectedError)


class Producer:
    """One application among others."""

    def __init__(
        self,
        application: Application,
        courier: Courier,
        encounters: Encounters,
        weather: Weather,
        chance: random.Random,
    ) -> None:
        self._application = application
        self._courier = courier
        self._encounters = encounters
        self._weather = weather
        self._chance = chance
        self.changes = 0  # committed
        self.voided = 0  # transactions that were rolled back

    async def run(self, wanted: Callable[[], bool]) -> None:
        """Change the catalogue as long as more changes are wanted."""
        async with asyncio.TaskGroup() as sessions:
            for _ in range(self._weather.sessions):
                sessions.create_task(self._session(wanted))

    async def _session(self, wanted: Callable[[], bool]) -> None:
        while wanted():
            async with asyncio.TaskGroup() as transactions:
                for transaction in self._encounters.next():
                    transactions.create_task(self._commit(transaction))

    async def _commit(self, transaction: Transaction) -> None:
        await asyncio.sleep(transaction.after)
        writes = [*transaction.writes]
        early = self._chance.random() < self._weather.announced_early
        if early:
            writes = [*self._announcing(writes)]
        if transaction.idle:
            writes.insert(0, _pause(transaction.idle))
        if transaction.held:
            writes.append(_pause(transaction.held))
        try:
            changes = await self._application.commit(*writes)
        except _VOIDED:
            self.voided += 1
            return
        self.changes += len(changes)
        if not early:
            self._courier.accept(event for change in changes for event in change.events)

    def _announcing(self, writes: list[Write]) -> list[Write]:
        """The writes, each of which tells of itself before anything is committed."""

        def announcing(write: Write) -> Write:
            async def announced(connection: Any) -> tuple[Event, ...]:
                events = await write(connection)
                self._courier.accept(events)
                return events

            return announced

        return [announcing(write) for write in writes]


def _pause(seconds: float) -> Write:
    """Time that passes inside a transaction."""

    async def write(_connection: Any) -> tuple[Event, ...]:
        await asyncio.sleep(seconds)
        return ()

    return write
