"""A model of the broker: a bag of messages, delivered late, twice and in any order."""

from collections.abc import Sequence
from typing import NamedTuple

from core.events import Action, Event, decode_all, encode, encode_refresh, routing_key
from indexer.deliveries import Delivery
from tests.simulation.agents import Step, suspend


class Message(NamedTuple):
    """What is in a queue."""

    routing_key: str
    body: bytes

    @property
    def events(self) -> Sequence[Event]:
        """The events that it tells of."""
        return decode_all(self.routing_key, self.body, size_limit=len(self.body))


def message(event: Event) -> Message:
    """The message of one event."""
    return Message(routing_key(event), encode(event))


def refresh(entity: str, ids: Sequence[int], moment: int) -> Message:
    """One message that refreshes many entities."""
    return Message(f"{Action.REFRESH}.{entity}", encode_refresh(ids, moment))


class Broker:
    """Every message waits, is held by a worker, or is acknowledged."""

    def __init__(self) -> None:
        self.waiting: list[Message] = []
        self.published = 0
        self.acknowledged = 0
        self.dead: list[Event] = []  # what the dead-letter queue tells of

    def publish(self, one: Message) -> None:
        """Take a message; its producer may have it confirmed and publish it again all the same."""
        self.published += 1
        self.waiting.append(one)


class ModelChannel:
    """One worker's channel: what it holds, by delivery tag. Stands in for the client's."""

    def __init__(self, broker: Broker) -> None:
        self.held: dict[int, Message] = {}
        self._broker = broker
        self._tag = 0

    def deliver(self, one: Message) -> Delivery:
        """Hand a message to the worker."""
        self._tag += 1
        self.held[self._tag] = one
        return Delivery(self._tag, one.routing_key, one.body)

    def close(self) -> None:
        """The worker is gone: what it has not acknowledged waits again."""
        self._broker.waiting.extend(self.held.values())
        self.held.clear()

    async def basic_ack(self, tag: int, *, multiple: bool, wait: bool) -> None:
        """Acknowledge all up to a tag; the worker may be killed before that."""
        assert multiple
        assert not wait
        await suspend(Step.FINISH)
        for one in [one for one in self.held if one <= tag]:
            del self.held[one]
            self._broker.acknowledged += 1

    async def basic_publish(self, body: bytes, *, routing_key: str, **_options: object) -> None:
        """Publish to the dead letters; the worker may be killed before that."""
        await suspend(Step.FINISH)
        self._broker.dead += Message(routing_key, body).events
