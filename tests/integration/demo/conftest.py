"""A small catalogue in real services, and what was published about it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import aio_pika
import asyncpg
import pytest

from core.broker import INTERACTIVE_QUEUE, open_broker
from core.events import Event, decode
from core.settings import Settings
from demo import operations
from demo.application import Application, open_application

UNTIL = datetime(2026, 3, 1, tzinfo=UTC)
ENTITIES = 1_000

Published = Callable[[], Awaitable[list[Event]]]


@pytest.fixture
async def database(settings: Settings) -> AsyncIterator[Any]:
    """A connection to the module's database."""
    connection = await asyncpg.connect(settings.database_url)
    yield connection
    await connection.close()


@pytest.fixture
async def catalogue(settings: Settings) -> Settings:
    """The module's settings, with a generated catalogue in the database."""
    if not (await operations.catalogue_summary(settings)).total:
        await operations.load_generated(settings, ENTITIES, until=UNTIL)
    return settings


@pytest.fixture
async def application(catalogue: Settings) -> AsyncIterator[Application]:
    """An application on the catalogue; its queues are empty."""
    async with open_application(catalogue) as opened:
        await drained(catalogue)
        yield opened


@pytest.fixture
def published(catalogue: Settings) -> Published:
    """Takes all events that have been published since the last call, in order."""

    async def take() -> list[Event]:
        return [
            decode(message.routing_key or "", message.body, size_limit=10_000)
            for message in await drained(catalogue)
        ]

    return take


async def drained(settings: Settings) -> list[aio_pika.abc.AbstractIncomingMessage]:
    """Everything that is in the indexer's queue, taken out of it."""
    messages: list[aio_pika.abc.AbstractIncomingMessage] = []
    async with open_broker(settings, name="test") as broker:
        queue = await (await broker.channel()).get_queue(INTERACTIVE_QUEUE)
        while (message := await queue.get(fail=False)) is not None:
            await message.ack()
            messages.append(message)
    return messages
