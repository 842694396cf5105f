"""A worker of the model: the product's lane, coalescer and pipeline between modelled ports."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.events import Event, encode, routing_key
from indexer.changes import Change, Key
from indexer.coalescer import Pending
from indexer.deliveries import Delivery
from indexer.lane import Lane, LaneSettings
from indexer.pipeline import Results
from tests.simulation.agents import Agent, Step, suspend
from tests.simulation.broker import Channel
from tests.simulation.engine import Generation

if TYPE_CHECKING:
    from tests.simulation.world import World

_BATCHES = 2
_SETTINGS = LaneSettings(
    queue="simulation", size=3, linger=0.0, prefetch=100, size_limit=1000, refresh_seconds=0.0
)


class ModelConsumer:
    """What a lane does with its deliveries; the worker may be killed before and after."""

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    async def finish(self, deliveries: list[Delivery]) -> None:
        """Acknowledge."""
        await suspend(Step.FINISH)
        self._channel.acknowledge(deliveries)

    async def bury(
        self, delivery: Delivery, reason: str, detail: str, *, body: bytes | None = None
    ) -> None:  # noqa: ARG002
        """Copy to the dead letters."""
        await suspend(Step.FINISH)
        self._channel.bury(delivery)


class ModelFanout:
    """One pipeline to the generations that its worker knows of when a batch begins."""

    def __init__(self, worker: "Worker") -> None:
        self._worker = worker

    async def knows(self, entity: str) -> bool:  # noqa: ARG002
        """Every entity type of the model has a definition."""
        return True

    async def process(self, changes: Sequence[Change]) -> Results:
        """As `Fanout.process`, for generations that all have the same recipe."""
        generations = self._worker.generations()
        return await self._worker.world.pipeline(generations).process(changes)


class Worker:
    """One process: killed and started again at any moment."""

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self.agents: list[Agent] = []
        self.world = world
        self._known: Sequence[Generation] | None = None
        self._start()

    @property
    def has_room(self) -> bool:
        """Whether it can begin another batch."""
        return len(self.agents) < _BATCHES

    def receive(self, event: Event) -> None:
        """Take a delivery into the coalescer."""
        tag = self.channel.deliver(event)
        self._lane._receive(Delivery(tag, routing_key(event), encode(event)))

    def begin(self) -> Agent | None:
        """Begin a batch of what waits in the coalescer, if it may."""
        if not self.has_room:
            return None
        batch = self._lane._coalescer.take(_SETTINGS.size)
        if not batch:
            return None
        self.world.note("{} takes {}", self, [one.change(key) for key, one in batch.items()])
        agent = Agent(self.name, self._process(self._lane, batch))
        self.agents.append(agent)
        return agent

    def kill(self) -> None:
        """End the process without warning, and start another."""
        for agent in self.agents:
            agent.kill()
        self.agents.clear()
        self.channel.close()
        self._start()

    def end_lease(self) -> None:
        """What is known of the generations is too old."""
        self._known = None

    def generations(self) -> Sequence[Generation]:
        """The generations that take live writes, as far as this worker knows."""
        there = self.world.engine.generations
        if self._known is None or (
            len(self._known) != len(there) and self.world.choices.happens(128)
        ):
            self._known = list(there)
        return self._known

    async def _process(self, lane: Lane, batch: dict[Key, Pending]) -> None:
        """As `Lane._process`, without its waits."""
        left = batch
        while left:
            left = await lane._attempt(left)
            if left:
                await suspend(Step.RETRY)
        lane._coalescer.release(batch)

    def _start(self) -> None:
        self._known = None
        self.channel = Channel(self.world.broker)
        self._lane = self.world.lane_type(_SETTINGS, ModelFanout(self))  # type: ignore[arg-type]
        self._lane._consumer = ModelConsumer(self.channel)  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name
