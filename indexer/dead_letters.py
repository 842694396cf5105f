"""Dead letters: events that could not be processed, with the reason why.

They wait in a queue of their own until somebody replays or drops them. Replay publishes a letter to
the batch queue, confirmed, before the letter is acknowledged: it goes through the pipeline again,
and no other consumer of the producers' exchange sees it twice.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractIncomingMessage

from core.broker import DEAD_QUEUE, INDEXER_EXCHANGE, declare_topology, open_broker
from core.settings import Settings

_BODY_SHOWN = 500
_ALL = 2**63


@dataclass(frozen=True, kw_only=True)
class DeadLetter:
    """One event that could not be processed."""

    number: int  # position in the queue, from 1
    routing_key: str
    body: str  # its beginning
    size: int  # bytes of the body
    reason: str  # stable code: see docs/operations.md
    detail: str  # the same in words
    queue: str  # where it came from


Chooser = Callable[[DeadLetter], bool]


async def letters(settings: Settings, *, limit: int) -> AsyncIterator[DeadLetter]:
    """The oldest letters, at most `limit`; they stay where they are.

    The broker puts what is given back at the end of the queue. So all are taken and given back, or
    the next look would begin with others.
    """
    async with _channel(settings) as channel:
        async for letter, _ in _read(channel, _ALL):
            if letter.number <= limit:
                yield letter


async def replay(settings: Settings, chosen: Chooser, *, limit: int) -> list[DeadLetter]:
    """Send the chosen of the oldest `limit` letters through the pipeline again."""
    return await _resolve(settings, chosen, limit, keep=True)


async def drop(settings: Settings, chosen: Chooser, *, limit: int) -> list[DeadLetter]:
    """Delete the chosen of the oldest `limit` letters."""
    return await _resolve(settings, chosen, limit, keep=False)


async def _resolve(
    settings: Settings, chosen: Chooser, limit: int, *, keep: bool
) -> list[DeadLetter]:
    resolved = []
    async with _channel(settings) as channel:
        again = await channel.get_exchange(INDEXER_EXCHANGE)
        async for letter, message in _read(channel, limit):
            if not chosen(letter):
                continue
            if keep:
                await again.publish(_copy(message), routing_key=letter.routing_key)
            await message.ack()
            resolved.append(letter)
    return resolved


@asynccontextmanager
async def _channel(settings: Settings) -> AsyncIterator[AbstractChannel]:
    async with open_broker(settings, name="disco dead letters") as connection:
        channel = await connection.channel()
        await declare_topology(channel, settings)
        yield channel


async def _read(
    channel: AbstractChannel, limit: int
) -> AsyncIterator[tuple[DeadLetter, AbstractIncomingMessage]]:
    """The oldest letters; those not acknowledged go back when the channel closes."""
    queue = await channel.declare_queue(DEAD_QUEUE, passive=True)
    waiting = queue.declaration_result.message_count or 0
    for number in range(1, min(limit, waiting) + 1):
        message = await queue.get(fail=False)
        if message is None:
            return
        yield _letter(number, message), message


def _letter(number: int, message: AbstractIncomingMessage) -> DeadLetter:
    headers: dict[str, Any] = dict(message.headers)
    # Set by the broker itself when an event was delivered too often.
    death: dict[str, Any] = next(iter(headers.get("x-death") or ()), {})
    return DeadLetter(
        number=number,
        routing_key=message.routing_key or "",
        body=message.body[:_BODY_SHOWN].decode("utf-8", "replace"),
        size=len(message.body),
        reason=str(headers.get("x-reason") or death.get("reason", "unknown")),
        detail=str(headers.get("x-detail") or "delivered too often without an outcome"),
        queue=str(headers.get("x-queue") or death.get("queue", "unknown")),
    )


def _copy(message: AbstractIncomingMessage) -> aio_pika.Message:
    return aio_pika.Message(
        message.body,
        delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        content_type=message.content_type,
    )
