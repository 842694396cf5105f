"""Deliveries: messages from one queue, acknowledged only after their outcome is counted."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

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
    redelivered: bool = False  # whether somebody had it before


class Acknowledgement(NamedTuple):
    """One frame to the broker."""

    tag: int
    multiple: bool  # whether it stands for all before it, too


class Acknowledger:
    """Acknowledges the longest unbroken run of finished deliveries with one frame.

    A delivery that is not finished holds back the acknowledgement of those after it, not their
    processing. One that is set apart, because it takes long, holds back nothing: what comes after
    it is acknowledged one by one.
    """

    def __init__(self) -> None:
        self._front = 1
        self._finished: set[int] = set()
        self._apart: set[int] = set()
        self._alone: set[int] = set()  # acknowledged beyond the front

    def set_apart(self, tag: int) -> None:
        """Let the acknowledgement of others not wait for this one."""
        self._apart.add(tag)

    def finish(self, tags: list[int]) -> list[Acknowledgement]:
        """Note finished tags; what to tell the broker now."""
        self._finished.update(tags)
        run = 0
        while self._front in self._finished:
            self._finished.remove(self._front)
            # The broker does not know it any more: no frame may name it again.
            if self._front in self._alone:
                self._alone.remove(self._front)
            else:
                run = self._front
            self._front += 1
        self._apart.difference_update(tags)
        return [*([Acknowledgement(run, multiple=True)] if run else []), *self._beyond()]

    def _beyond(self) -> list[Acknowledgement]:
        """Finished tags beyond one that was set apart and is not finished."""
        if self._front not in self._apart:
            return []
        ready = sorted(self._finished - self._alone)
        self._alone.update(ready)
        return [Acknowledgement(tag, multiple=False) for tag in ready]


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
        frames = self._acknowledger.finish([one.tag for one in deliveries if one.parts <= 0])
        if not frames or self._channel is None:
            return
        try:
            for tag, multiple in frames:
                await self._channel.basic_ack(tag, multiple=multiple, wait=False)
        except UNAVAILABLE_ERRORS as error:
            log.warning("ack_failed", queue=self.queue, error=repr(error))

    def set_apart(self, delivery: Delivery) -> None:
        """Let the acknowledgement of other deliveries not wait for this one: it takes long."""
        self._acknowledger.set_apart(delivery.tag)

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
        self._handler(
            Delivery(
                tag,
                message.routing_key or "",
                message.body,
                redelivered=bool(message.redelivered),
            )
        )
