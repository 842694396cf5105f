"""A model of the broker: a bag of messages, delivered late, twice and in any order."""

from core.events import Event
from indexer.deliveries import Acknowledger, Delivery


class Broker:
    """Every message waits, is held by a worker, or has come to its one end."""

    def __init__(self) -> None:
        self.waiting: list[Event] = []
        self.published = 0
        self.acknowledged = 0
        self.dead: list[Event] = []  # copies in the dead-letter queue

    def publish(self, event: Event) -> None:
        """Take a message; its producer may have it confirmed and publish it again all the same."""
        self.published += 1
        self.waiting.append(event)


class Channel:
    """One worker's channel: what it holds, by delivery tag. Stands in for `deliveries.Consumer`."""

    def __init__(self, broker: Broker) -> None:
        self.held: dict[int, Event] = {}
        self._broker = broker
        self._acknowledger = Acknowledger()
        self._tag = 0

    def deliver(self, event: Event) -> int:
        """Hand a message to the worker; returns its tag."""
        self._tag += 1
        self.held[self._tag] = event
        return self._tag

    def close(self) -> None:
        """The worker is gone: what it has not acknowledged waits again."""
        self._broker.waiting.extend(self.held.values())
        self.held.clear()

    def acknowledge(self, deliveries: list[Delivery]) -> None:
        """Acknowledge all up to the last of the longest unbroken run that is finished."""
        last = self._acknowledger.finish([delivery.tag for delivery in deliveries])
        for tag in [tag for tag in self.held if tag <= last]:
            del self.held[tag]
            self._broker.acknowledged += 1

    def bury(self, delivery: Delivery) -> None:
        """Put a copy into the dead letters."""
        self._broker.dead.append(self.held[delivery.tag])
