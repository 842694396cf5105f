"""A worker of the model: the product's lane, consumer, coalescer and pipeline on modelled ports."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from indexer.changes import Change, Key
from indexer.coalescer import Pending
from indexer.lane import Lane, LaneSettings
from indexer.pipeline import Pipeline, Results
from tests.simulation.agents import Agent, Step, suspend
from tests.simulation.broker import Message, ModelChannel
from tests.simulation.engine import Generation

if TYPE_CHECKING:
    from tests.simulation.world import World

_BATCHES = 2
_SETTINGS = LaneSettings(queue="simulation", size=3, linger=0.0, prefetch=100, size_limit=1000)


class ModelFanout:
    """As `Fanout`, for generations that all have the same recipe.

    What it knows of the generations may be as old as a lease. It is looked up when a batch begins;
    the pipeline stays the same until there is news.
    """

    def __init__(self, world: "World") -> None:
        self._world = world
        self._known: Sequence[Generation] = ()
        self._pipeline: Pipeline | None = None

    async def knows(self, entity: str) -> bool:  # noqa: ARG002
        """Every entity type of the model has a definition."""
        return True

    async def process(self, changes: Sequence[Change]) -> Results:
        """Process changes in every generation that is known."""
        return await self._look().process(changes)

    def end_lease(self) -> None:
        """What is known is too old."""
        if len(self._known) != len(self._world.engine.generations):
            self._pipeline = None

    def _look(self) -> Pipeline:
        there = self._world.engine.generations
        has_news = len(self._known) != len(there) and self._world.choices.happens(128)
        if self._pipeline is None or has_news:
            self._known = tuple(there)
            self._pipeline = self._world.pipeline(self._known)
        return self._pipeline


class Worker:
    """One process: killed and started again at any moment."""

    def __init__(self, world: "World", name: str) -> None:
        self.name = name
        self.world = world
        self.agents: list[Agent] = []
        self._start()

    @property
    def has_room(self) -> bool:
        """Whether it can begin another batch."""
        return len(self.agents) < _BATCHES

    def receive(self, one: Message) -> None:
        """Take a delivery into the coalescer."""
        self._lane._receive(self.channel.deliver(one))

    def begin(self) -> Agent | None:
        """Begin a batch of what waits in the coalescer, if it may."""
        if not self.has_room:
            return None
        batch = self._lane._coalescer.take(_SETTINGS.size)
        if not batch:
            return None
        self.world.note("{} takes {}", self, [one.change(key) for key, one in batch.items()])
        agent = Agent(self.name, self._process(self._lane, batch), tuple(batch))
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
        self._fanout.end_lease()

    async def _process(self, lane: Lane, batch: dict[Key, Pending]) -> None:
        """As `Lane._process`, without its waits."""
        left = batch
        while left:
            again = await lane._attempt(left)
            lane._coalescer.release(left.keys() - again.keys())
            left = again
            if left:
                await suspend(Step.RETRY)

    def _start(self) -> None:
        self.channel = ModelChannel(self.world.broker)
        self._fanout = ModelFanout(self.world)
        self._lane = self.world.lane_type(_SETTINGS, self._fanout)  # type: ignore[arg-type]
        self._lane._consumer._channel = self.channel  # type: ignore[assignment]

    def __str__(self) -> str:
        return self.name
