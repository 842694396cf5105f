"""The demo's application: writes in transactions, and publishes what changed after the commit.

Committing and publishing are separate steps, so that a test can hold events back, repeat them or
send them in another order. `apply` is both, as an application would do it.
"""

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from aiormq.abc import AbstractChannel
from aiormq.exceptions import ChannelInvalidStateError
from pamqp.commands import Basic

from core.broker import MODELS_EXCHANGE, UNAVAILABLE_ERRORS, declare_topology, open_broker
from core.database import Pool, open_pool
from core.errors import ServiceUnavailableError
from core.events import Event, encode, routing_key
from core.settings import Settings
from demo.changes import Change
from demo.writes import Statement, Write

IN_FLIGHT = 500  # published events that may await their confirm at a time
_UNCONFIRMED = (*UNAVAILABLE_ERRORS, ChannelInvalidStateError)
_PERSISTENT = Basic.Properties(delivery_mode=2, content_type="application/json")


class Application:
    """Writes to the catalogue and tells of it. Safe to use from several tasks at once."""

    def __init__(self, pool: Pool, channel: AbstractChannel) -> None:
        self._pool = pool
        self._channel = channel

    async def commit(self, *writes: Write) -> list[Change]:
        """Run the writes in one transaction, in order.

        Returns the changes of those that call for events. Raises what the writes raise; nothing is
        changed then.
        """
        async with self._pool.acquire() as connection:
            # One statement is committed as it is; a transaction would be two more round trips.
            alone = len(writes) == 1 and isinstance(writes[0], Statement)
            async with contextlib.nullcontext() if alone else connection.transaction():
                written = [await write(connection) for write in writes]
            committed_at = time.monotonic_ns()
        return [
            Change(
                entity=events[0].entity,
                id=events[0].id,
                action=events[0].action,
                occurred_at=events[0].occurred_at,
                committed_at=committed_at,
                consequences=events[1:],
            )
            for events in written
            if events
        ]

    async def publish(self, *changes: Change) -> None:
        """Publish the events of changes, in order; returns when the broker has stored them all."""
        await self.publish_events(event for change in changes for event in change.events)

    async def publish_events(self, events: Iterable[Event]) -> None:
        """Publish events, many at a time, in order; returns when the broker has stored them all.

        Raises `ServiceUnavailableError` if it did not confirm one: some may have arrived, and it is
        right to publish all of them again.
        """
        pending: deque[asyncio.Task[None]] = deque()
        try:
            for event in events:
                if len(pending) == IN_FLIGHT:
                    await pending.popleft()
                pending.append(asyncio.create_task(self._publish_event(event)))
            while pending:
                await pending.popleft()
        except _UNCONFIRMED as error:
            raise ServiceUnavailableError(
                f"RabbitMQ did not confirm an event ({error!r}); publish again once it is back, "
                "or let `disco verify --repair` find what was missed"
            ) from error
        finally:
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)

    async def apply(self, *writes: Write) -> list[Change]:
        """Commit the writes together, then publish."""
        changes = await self.commit(*writes)
        await self.publish(*changes)
        return changes

    async def _publish_event(self, event: Event) -> None:
        # Raises if the message comes back because no queue takes it, or if the broker refuses it.
        await self._channel.basic_publish(
            encode(event),
            exchange=MODELS_EXCHANGE,
            routing_key=routing_key(event),
            properties=_PERSISTENT,
            mandatory=True,
        )


@asynccontextmanager
async def open_application(
    settings: Settings, *, connections: int = 8
) -> AsyncIterator[Application]:
    """An application on the services of the settings.

    Exchanges and queues are declared first: what is published before there is a queue is lost.
    """
    async with (
        open_pool(settings.database_url, application="disco demo", size=connections) as pool,
        open_broker(settings, name="disco demo") as connection,
    ):
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        await declare_topology(channel, settings)
        yield Application(pool, await channel.get_underlay_channel())
