"""Deliveries: messages from one queue, acknowledged only after their outcome is counted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aio_pika.abc import AbstractConnection
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp.commands import Basic

from core.broker import DEAD_EXCHANGE, UNAVAILABLE_ERRORS
from core.telemetry import logger

_PERSISTENT = 2

log = logger("deliveries")


@dataclass(slots=True, eq=False)
class Delivery:
    """One message, as the broker delivered it."""

    tag: int  # delivery tag of its channel
    routing_key: str
    body: bytes
    parts: int = 1  # events in it that are not finished


class Acknowledger:
    """Acknowledges the longest unbroken run of finished deliveries with one frame.

    A delivery that is not finished holds back the acknowledgement of those after it, not their
    processing.
    """

    def __init__(self) -> None:
        self._front = 1
        self._finished: set[int] = set()

    def finish(self, tags: list[int]) -> int:
        """Note finished tags; the tag up to which all are finished now, or 0 for no news."""
        self._finished.update(tags)
        before = self._front
        while self._front in self._finished:
            self._finished.remove(self._front)
            self._front += 1
        return self._front - 1 if self._front > before else 0


class Consumer:
    """Consumes one queue over one channel of its own."""

    def __init__(self, queue: str, prefetch: int, handler: Callable[[Delivery], None]) -> None:
        self.queue = queue
        self._prefetch = prefetch
        self._handler = handler
        self._acknowledger = Acknowledger()
        self._channel: AbstractChannel | None = None
        self._consumer_tag = ""

    async def start(self, connection: AbstractConnection) -> None:
        """Begin to hand deliveries to the handler."""
        channel = await connection.channel()
        self._channel = await channel.get_underlay_channel()
        await self._channel.basic_qos(prefetch_count=self._prefetch)
        answer = await self._channel.basic_consume(self.queue, self._on_message)
        self._consumer_tag = answer.consumer_tag or ""

    async def stop(self) -> None:
        """Take no more deliveries; those at hand can still be finished."""
        if self._channel is None:
            return
        try:
            await self._channel.basic_cancel(self._consumer_tag, timeout=5)
        except UNAVAILABLE_ERRORS as error:
            log.warning("cancel_failed", queue=self.queue, error=repr(error))

    async def finish(self, deliveries: list[Delivery]) -> None:
        """Finish one event of each delivery; acknowledge those that have no other.

        On a channel that is gone this does nothing: they come again.
        """
        for delivery in deliveries:
            delivery.parts -= 1
        tag = self._acknowledger.finish([one.tag for one in deliveries if one.parts <= 0])
        if not tag or self._channel is None:
            return
        try:
            await self._channel.basic_ack(tag, multiple=True, wait=False)
        except UNAVAILABLE_ERRORS as error:
            log.warning("ack_failed", queue=self.queue, error=repr(error))

    async def bury(
        self, delivery: Delivery, reason: str, detail: str, *, body: bytes | None = None
    ) -> None:
        """Publish a copy to the dead letters, with its reason; returns once it is confirmed.

        `body` takes the place of the delivery's, when only one of its events is concerned.

        Raises one of `UNAVAILABLE_ERRORS` when the broker is gone: the delivery comes again.
        """
        assert self._channel is not None
        headers: dict[str, Any] = {
            "x-reason": reason,
            "x-detail": detail[:2000],
            "x-queue": self.queue,
        }
        await self._channel.basic_publish(
            delivery.body if body is None else body,
            exchange=DEAD_EXCHANGE,
            routing_key=delivery.routing_key or "unrouted",
            properties=Basic.Properties(delivery_mode=_PERSISTENT, headers=headers),
            timeout=30,
        )

    async def _on_message(self, message: DeliveredMessage) -> None:
        tag = message.delivery_tag
        assert tag is not None
        self._handler(Delivery(tag, message.routing_key or "", message.body))
