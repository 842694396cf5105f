"""The stream of changes: every event of the last days, for any number of readers.

A queue of the broker's kind `stream` is bound to the producers' exchange. Reading takes nothing out
of it, so each process that serves suggestions reads all of it, and begins where its snapshot ends:
a build puts a *mark* into the stream before it reads the database, and the snapshot's position is
the place of that mark. See `docs/adr/0004-suggest-overlay.md`.
"""

import asyncio
import contextlib
import uuid
from collections.abc import Callable
from typing import Any, Final

import aio_pika
from aio_pika.abc import AbstractConnection
from aiormq.abc import AbstractChannel, DeliveredMessage
from pamqp.commands import Basic

from core.broker import MODELS_EXCHANGE, open_broker
from core.settings import Settings
from suggest.positions import Position

NAME: Final = "suggest.changes"
#: What is kept: so long, and so many bytes. It is dropped by files of the last size.
ARGUMENTS: Final[dict[str, Any]] = {
    "x-queue-type": "stream",
    "x-max-age": "7D",
    "x-max-length-bytes": 4_000_000_000,
    "x-stream-max-segment-size-bytes": 50_000_000,
}
_MARK: Final = "mark"
_OFFSET: Final = "x-stream-offset"
_PREFETCH: Final = 500
_PATIENCE: Final = 10.0  # seconds for the broker to confirm a mark, and to give it back


async def mark(settings: Settings) -> Position:
    """Put a mark into the stream, which is made if it is not there.

    All changes that are committed from now on have their events behind it. Raises one of
    `core.broker.UNAVAILABLE_ERRORS`, or `ServiceUnavailableError`.
    """
    async with open_broker(settings, name="disco suggest build") as connection:
        channel = await _open(connection)
        name, found = uuid.uuid4().hex, asyncio.get_running_loop().create_future()

        async def look(message: DeliveredMessage) -> None:
            properties = message.header.properties
            if properties.message_id == name and not found.done():
                found.set_result(_offset_of(message))
            await _acknowledge(channel, message)

        await channel.basic_consume(NAME, look, arguments={_OFFSET: "next"})
        await _publish_mark(channel, name)
        return Position(await asyncio.wait_for(found, _PATIENCE), name)


class ChangeStream:
    """Reads the stream from a position on, and goes on where it stopped.

    `is_complete` says whether it has read all that is behind the position: not if that is not
    known, or not kept any more, or of another stream.
    """

    def __init__(self, position: Position | None, note: Callable[[str, bytes], None]) -> None:
        """`note` is given routing key and body of each event."""
        self.is_complete = position is not None
        self.at_end = asyncio.Event()  # all that was there at the start has been read
        self._next = position.offset if position else None
        self._mark = position.mark if position else None  # what has to stand there
        self._note = note
        self.events = 0  # that were read
        self._is_first = True
        self._end = ""
        self._channel: AbstractChannel | None = None
        self._may_go_on = asyncio.Event()
        self._may_go_on.set()

    async def start(self, connection: AbstractConnection) -> None:
        """Begin to read; `at_end` is set when all is read that is there now."""
        channel = self._channel = await _open(connection)
        self._end, self._is_first = uuid.uuid4().hex, True
        self.at_end.clear()
        where: Any = "first" if self._next is None else self._next
        await channel.basic_consume(NAME, self._on_message, arguments={_OFFSET: where})
        await _publish_mark(channel, self._end)

    def lose_position(self) -> None:
        """Start with the oldest event next time: a stream that was made anew has no such place."""
        self._next, self._mark, self.is_complete = None, None, False

    def hold(self, *, held: bool) -> None:
        """Have the broker send no more, or go on: what came has to be worked off first."""
        if held:
            self._may_go_on.clear()
        else:
            self._may_go_on.set()

    async def _on_message(self, message: DeliveredMessage) -> None:
        offset, name = _offset_of(message), message.header.properties.message_id
        if self._is_first:
            self._check(offset, name)
        if self._next is None or offset >= self._next:
            self._next = offset + 1
            self.events += 1
            if message.header.properties.message_type != _MARK:
                self._note(message.routing_key or "", message.body)
            elif name == self._end:
                self.at_end.set()
        await self._may_go_on.wait()
        assert self._channel is not None
        await _acknowledge(self._channel, message)

    def _check(self, offset: int, name: str | None) -> None:
        """Whether the first that is read is the one that should be."""
        self._is_first = False
        if self._next is not None and offset != self._next:
            self.is_complete, self._next = False, None
        if self._mark is not None and name != self._mark:
            self.is_complete = False
        self._mark = None


async def _open(connection: AbstractConnection) -> AbstractChannel:
    """A channel of a broker that has the stream."""
    channel = await connection.channel()
    topic = aio_pika.ExchangeType.TOPIC
    models = await channel.declare_exchange(MODELS_EXCHANGE, topic, durable=True)
    stream = await channel.declare_queue(NAME, durable=True, arguments=ARGUMENTS)
    await stream.bind(models, routing_key="#")
    await channel.set_qos(prefetch_count=_PREFETCH)
    return await channel.get_underlay_channel()


async def _publish_mark(channel: AbstractChannel, name: str) -> None:
    await channel.basic_publish(
        b"{}",
        routing_key=NAME,
        properties=Basic.Properties(delivery_mode=2, message_type=_MARK, message_id=name),
        timeout=_PATIENCE,
    )


def _offset_of(message: DeliveredMessage) -> int:
    headers = message.header.properties.headers or {}
    return int(headers[_OFFSET])  # type: ignore[arg-type]


async def _acknowledge(channel: AbstractChannel, message: DeliveredMessage) -> None:
    """Have the broker send more; it takes nothing out of the stream."""
    assert message.delivery_tag is not None
    with contextlib.suppress(RuntimeError):  # a channel that is closed needs no acknowledgement
        await channel.basic_ack(message.delivery_tag, wait=False)
