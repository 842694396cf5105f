"""The broker as the tests see it: what waits, what is dead, and messages that are no events."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
import orjson
from aio_pika.abc import AbstractChannel

from core.broker import (
    BATCH_QUEUE,
    DEAD_QUEUE,
    INDEXER_EXCHANGE,
    INTERACTIVE_QUEUE,
    MODELS_EXCHANGE,
    URGENT_QUEUE,
    declare_topology,
    open_broker,
)
from core.events import Event, encode, routing_key
from core.settings import Settings
from indexer.dead_letters import DeadLetter, letters

WORK_QUEUES = (URGENT_QUEUE, INTERACTIVE_QUEUE, BATCH_QUEUE)


class Broker:
    """One connection, declared topology."""

    def __init__(self, channel: AbstractChannel) -> None:
        self._channel = channel

    async def ready(self, queue: str) -> int:
        """Messages that no consumer holds."""
        found = await self._channel.declare_queue(queue, passive=True)
        return found.declaration_result.message_count or 0

    async def waiting(self) -> Mapping[str, int]:
        """Messages that wait for a worker; empty if there are none."""
        counts = {name: await self.ready(name) for name in WORK_QUEUES}
        return {name: count for name, count in counts.items() if count}

    async def dead(self) -> int:
        """How many dead letters there are."""
        return await self.ready(DEAD_QUEUE)

    async def send(self, routing_key: str, body: bytes, *, exchange: str = MODELS_EXCHANGE) -> None:
        """Publish anything at all, persistent and confirmed."""
        message = aio_pika.Message(body, delivery_mode=aio_pika.DeliveryMode.PERSISTENT)
        target = await self._channel.get_exchange(exchange)
        await target.publish(message, routing_key=routing_key)

    async def send_many(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish many such at once; all are confirmed at the end."""
        await asyncio.gather(*(self.send(key, body) for key, body in messages))

    async def refresh(self, event: Event) -> None:
        """Publish an event as the indexer does for itself: to the batch queue."""
        await self.send(routing_key(event), encode(event), exchange=INDEXER_EXCHANGE)

    async def purge(self) -> None:
        """Empty all queues."""
        for name in (*WORK_QUEUES, DEAD_QUEUE):
            await (await self._channel.get_queue(name)).purge()


@asynccontextmanager
async def open_view(settings: Settings) -> AsyncIterator[Broker]:
    """A view on the broker of the settings; the topology is there."""
    async with open_broker(settings, name="tests") as connection:
        channel = await connection.channel()
        await declare_topology(channel, settings)
        yield Broker(channel)


async def dead_letters(settings: Settings) -> list[DeadLetter]:
    """All dead letters, oldest first."""
    return [letter async for letter in letters(settings, limit=1_000_000)]


def event_body(entity_id: Any, occurred_at: Any, **more: Any) -> bytes:
    """A body as a producer writes it, or nearly so."""
    return orjson.dumps({"id": entity_id, "occurred_at": occurred_at, **more})
