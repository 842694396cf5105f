"""Messages of ranges: how the work of a build gets to whoever has time for it.

A range is a message on the batch queue, acknowledged once it is noted as finished. So it comes
again, to another worker, when the one that had it dies.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple, Self

import orjson
from aio_pika.abc import AbstractChannel
from pamqp.commands import Basic

from core.broker import (
    BATCH_QUEUE,
    INDEXER_EXCHANGE,
    UNAVAILABLE_ERRORS,
    declare_topology,
    open_broker,
)
from core.errors import ServiceUnavailableError
from core.settings import Settings
from indexer.builds import Build, Phase, Range, Step
from indexer.errors import IndexerError, TemporarilyUnavailableError

PREFIX = "range."  # of the routing keys of ranges; the entity type follows
_PERSISTENT = 2
_RANGES_A_CONSUMER = 3  # open ranges for each worker: what it is at, and one that waits
_BROADEST = 96


class MalformedRangeError(IndexerError):
    """A message that has a range's routing key and is none. It is dead-lettered; drop it."""


class Assignment(NamedTuple):
    """What a message asks for: a range of a step of a build."""

    entity: str
    step: Step
    start: int

    @classmethod
    def decode(cls, routing_key: str, body: bytes) -> Self:
        """The assignment of a message; raises `MalformedRangeError`."""
        try:
            content = orjson.loads(body)
            step = Step(str(content["generation"]), Phase(content["phase"]), int(content["turn"]))
            return cls(routing_key.removeprefix(PREFIX), step, int(content["start"]))
        except (orjson.JSONDecodeError, KeyError, TypeError, ValueError) as error:
            raise MalformedRangeError(f"body is no range of a build: {error!r}") from None

    def encode(self) -> bytes:
        """The body of the message."""
        return orjson.dumps({**self.step._asdict(), "start": self.start})


class RangePublisher:
    """Publishes ranges to the batch queue, each confirmed by the broker."""

    def __init__(self, channel: AbstractChannel) -> None:
        self._channel = channel

    async def publish(self, build: Build, ranges: Sequence[Range]) -> None:
        """Return once the broker has a message for each range.

        Raises `TemporarilyUnavailableError`; some may have been published then.
        """
        channel = await self._channel.get_underlay_channel()
        messages = [Assignment(build.entity, build.step, one.start).encode() for one in ranges]
        try:
            await asyncio.gather(
                *(
                    channel.basic_publish(
                        body,
                        exchange=INDEXER_EXCHANGE,
                        routing_key=PREFIX + build.entity,
                        properties=Basic.Properties(
                            delivery_mode=_PERSISTENT, content_type="application/json"
                        ),
                        timeout=30,
                    )
                    for body in messages
                )
            )
        except UNAVAILABLE_ERRORS as error:
            raise TemporarilyUnavailableError("RabbitMQ", repr(error)) from error

    async def breadth(self) -> int:
        """How many ranges should be open, for those that consume the queue now.

        A few for each, so that nobody waits; not all at once, so that a worker that starts later
        gets its share, and background work of other kinds does not wait behind a whole build.
        """
        return min(_BROADEST, _RANGES_A_CONSUMER * max(1, await self.consumers()))

    async def consumers(self) -> int:
        """How many consume the batch queue; raises `TemporarilyUnavailableError`."""
        try:
            queue = await self._channel.declare_queue(BATCH_QUEUE, passive=True)
        except UNAVAILABLE_ERRORS as error:
            raise TemporarilyUnavailableError("RabbitMQ", repr(error)) from error
        return queue.declaration_result.consumer_count or 0


@asynccontextmanager
async def open_publisher(settings: Settings) -> AsyncIterator[RangePublisher]:
    """A publisher with a connection of its own; raises `ServiceUnavailableError`."""
    async with open_broker(settings, name="disco reindex") as connection:
        channel = await connection.channel()
        # Events that come before the first worker does must have a queue to wait in.
        await declare_topology(channel, settings)
        yield RangePublisher(channel)


async def consumers(settings: Settings) -> int | None:
    """How many consume the batch queue; None when the broker does not say."""
    try:
        async with open_publisher(settings) as publisher:
            return await publisher.consumers()
    except (TemporarilyUnavailableError, ServiceUnavailableError):
        return None
