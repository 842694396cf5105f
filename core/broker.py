"""The client of the broker (RabbitMQ), and the names of the exchanges and queues."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange
from aiormq.exceptions import AMQPError, ChannelInvalidStateError, ChannelPreconditionFailed

from core.errors import ServiceUnavailableError, UsageError
from core.events import Action
from core.settings import Settings

MODELS_EXCHANGE = "models"  # where producers publish their events
INDEXER_EXCHANGE = "indexer"  # our own refresh events
URGENT_EXCHANGE = "indexer.urgent"  # those of what shows something that must vanish
DEAD_EXCHANGE = "indexer.dead"  # what could not be processed
URGENT_QUEUE = "indexer.urgent"
INTERACTIVE_QUEUE = "indexer.interactive"
BATCH_QUEUE = "indexer.batch"
DEAD_QUEUE = "indexer.dead-letters"
INTERACTIONS_EXCHANGE = "interactions"  # searches that were answered, and what people did then
INTERACTIONS_QUEUE = "interactions"
INTERACTIONS_DEAD_QUEUE = "interactions.dead"  # messages on it that are none of ours

# The last is what a channel says that was closed under our hands.
UNAVAILABLE_ERRORS = (AMQPError, OSError, TimeoutError, ChannelInvalidStateError)

# A letter is looked at again and again; newer brokers would drop it after 20 times.
_LETTER_DELIVERIES = 1_000_000_000
# Of records that nobody stores: beyond it the broker refuses more, and their senders hold them.
_INTERACTIONS_BYTES = 1_073_741_824


def is_lost(error: BaseException) -> bool:
    """Whether an error says that the broker, or the connection to it, is gone.

    Of a call that was under way when its connection ended, aiormq says `Exception` and no more.
    """
    return isinstance(error, UNAVAILABLE_ERRORS) or type(error) is Exception


@asynccontextmanager
async def open_broker(settings: Settings, *, name: str) -> AsyncIterator[AbstractConnection]:
    """A connection that is closed at the end; raises `ServiceUnavailableError`.

    It does not reconnect by itself: who consumes decides what a lost connection means.
    """
    try:
        connection = await aio_pika.connect(
            settings.broker_url, timeout=10, client_properties={"connection_name": name}
        )
    except UNAVAILABLE_ERRORS as error:
        raise ServiceUnavailableError(
            f"RabbitMQ at {_address(settings.broker_url)} does not answer ({error!r}); "
            "start it (`disco stack up`) or set DISCO_BROKER_URL"
        ) from error
    async with connection:
        yield connection


async def watch(connection: AbstractConnection) -> None:
    """Raises `ConnectionResetError` once a connection is lost, so that nothing waits for ever.

    Its own `closed` tells only of those that were closed on this side.
    """
    lost = asyncio.Event()
    connection.close_callbacks.add(lambda *_: lost.set())
    if connection.connected.is_set():
        await lost.wait()
    raise ConnectionResetError("the broker closed the connection")


async def declare_topology(channel: AbstractChannel, settings: Settings) -> None:
    """Declare every exchange, queue and binding; does nothing where they exist.

    All queues are quorum queues. A message over the delivery limit goes to the dead letters, and
    leaves its queue only once it has arrived there. Raises `UsageError` for a queue that was
    declared with other arguments.
    """
    topic = aio_pika.ExchangeType.TOPIC
    models = await channel.declare_exchange(MODELS_EXCHANGE, topic, durable=True)
    internal = await channel.declare_exchange(INDEXER_EXCHANGE, topic, durable=True)
    urgently = await channel.declare_exchange(URGENT_EXCHANGE, topic, durable=True)
    dead = await channel.declare_exchange(DEAD_EXCHANGE, topic, durable=True)
    work = work_queue_arguments(settings)
    try:
        interactive = await channel.declare_queue(INTERACTIVE_QUEUE, durable=True, arguments=work)
        batch = await channel.declare_queue(BATCH_QUEUE, durable=True, arguments=work)
        urgent = await channel.declare_queue(URGENT_QUEUE, durable=True, arguments=work)
    except ChannelPreconditionFailed as error:
        raise UsageError(
            f"a queue was declared with other arguments ({error}); restore DISCO_DELIVERY_LIMIT, "
            "or drain and delete the queue (docs/operations.md, “Changing the delivery limit”)"
        ) from error
    letters = await channel.declare_queue(
        DEAD_QUEUE,
        durable=True,
        arguments={"x-queue-type": "quorum", "x-delivery-limit": _LETTER_DELIVERIES},
    )
    await interactive.bind(models, routing_key="#")
    # A copy, which overtakes all that waits. The event itself stays in its place.
    await urgent.bind(models, routing_key=f"{Action.DESTROY}.#")
    await urgent.bind(urgently, routing_key="#")
    await batch.bind(internal, routing_key="#")
    await letters.bind(dead, routing_key="#")


def work_queue_arguments(settings: Settings) -> dict[str, Any]:
    """The arguments of the queues of events. A queue keeps those it was first declared with."""
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": settings.delivery_limit,
        "x-dead-letter-exchange": DEAD_EXCHANGE,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


async def declare_interactions(channel: AbstractChannel) -> AbstractExchange:
    """Declare the way of searches and interactions, and return the exchange to publish to.

    Both queues are quorum queues. The first takes so many bytes, then refuses.
    """
    exchange = await channel.declare_exchange(
        INTERACTIONS_EXCHANGE, aio_pika.ExchangeType.TOPIC, durable=True
    )
    arguments: dict[str, Any] = {
        "x-queue-type": "quorum",
        # While the database is away a message is taken and given back, again and again.
        "x-delivery-limit": _LETTER_DELIVERIES,
        "x-max-length-bytes": _INTERACTIONS_BYTES,
        "x-overflow": "reject-publish",
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": INTERACTIONS_DEAD_QUEUE,
    }
    queue = await channel.declare_queue(INTERACTIONS_QUEUE, durable=True, arguments=arguments)
    await channel.declare_queue(
        INTERACTIONS_DEAD_QUEUE,
        durable=True,
        arguments={"x-queue-type": "quorum", "x-delivery-limit": _LETTER_DELIVERIES},
    )
    await queue.bind(exchange, routing_key="#")
    return exchange


def _address(url: str) -> str:
    return url.rpartition("@")[2]
