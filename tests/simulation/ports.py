"""The pipeline's ports on the models. Each suspends before each effect, and may fail there."""

from collections.abc import Sequence
from enum import Enum
from typing import TYPE_CHECKING

from indexer.changes import Answer, Key, Outcome, Stored, Write, worst
from indexer.errors import TemporarilyUnavailableError
from indexer.pipeline import Hydration
from tests.simulation.agents import Agent, Step, suspend
from tests.simulation.broker import Message, refresh
from tests.simulation.database import Sound, State, document
from tests.simulation.engine import Generation, Item, Request

if TYPE_CHECKING:
    from tests.simulation.world import World


class Fate(Enum):
    """What becomes of a bulk request."""

    DONE = "is answered"
    LOST = "is lost on its way"
    UNANSWERED = "is applied, its answer is lost"
    TORN = "is applied in two parts"
    REFUSED = "meets a 429 for one item"
    LATE = "is given up on, and applied later"


_FATES = (
    *(222 * [Fate.DONE] + 8 * [Fate.LOST] + 8 * [Fate.UNANSWERED]),
    *(10 * [Fate.TORN] + 8 * [Fate.REFUSED]),
)
_FAILURE = 4  # chance of 256 that a port fails
_LATENESS = 48  # chance of 256 that a request outlives its sender


class ModelHydrator:
    """Reads the replica once it has replayed what the primary had at the moment of the call."""

    def __init__(self, world: "World") -> None:
        self._world = world

    async def hydrate(self, keys: Sequence[Key]) -> Hydration:
        """Rows no older than the moment of the call."""
        world, agent = self._world, self._world.running
        now = world.database.clock
        state = await self.state()
        _fail_sometimes(world, "PostgreSQL")
        agent.hydrated = world.snapshot()
        found = ((key, document(state, key)) for key in keys)
        rows = {key: row for key, row in found if row is not None}
        world.note("{} hydrates {}", agent, rows or "nothing")
        return Hydration(now, rows, {})

    async def state(self) -> State:
        """A state of the database that is no older than the call."""
        database, agent = self._world.database, self._world.running
        position = database.position
        await suspend(Step.HYDRATE, lambda: database.replayed >= position or agent.is_impatient)
        agent.is_impatient = False
        return database.replica if database.replayed >= position else database.primary


class ModelCascade:
    """Publishes refresh events: for each sound of a user, and of each settlement."""

    def __init__(self, world: "World", hydrator: ModelHydrator) -> None:
        self._world = world
        self._hydrator = hydrator

    async def publish(self, keys: Sequence[Key], now: int) -> None:
        """Find the dependents behind the fence, then publish one message for all of them."""
        users = {entity_id for entity, entity_id in keys if entity == "user"}
        if not users:
            return
        state = await self._hydrator.state()
        found = [
            key[1]
            for key, record in sorted(state.items())
            if isinstance(record, Sound) and record.user in users
        ]
        if found:
            await self._publish(refresh("sound", found, now))

    async def announce(self, writes: Sequence[Write]) -> None:
        """Publish a refresh event of each write, one after the other."""
        for write in writes:
            await self._publish(refresh(write.key[0], [write.key[1]], write.version))

    async def _publish(self, one: Message) -> None:
        await suspend(Step.PUBLISH)
        _fail_sometimes(self._world, "RabbitMQ")
        self._world.publish(one)


class NoDependents:
    """The cascade of what only compares and mends: nothing has changed."""

    async def publish(self, keys: Sequence[Key], now: int) -> None:
        """Publish nothing."""

    async def announce(self, writes: Sequence[Write]) -> None:
        """Publish nothing: a build that dies takes its generation along."""


class ModelStore:
    """Writes to, and reads from, some generations."""

    def __init__(self, world: "World", generations: Sequence[Generation]) -> None:
        self._world = world
        self._generations = generations

    async def write(self, writes: Sequence[Write]) -> list[Answer]:
        """One bulk request."""
        world, agent = self._world, self._world.running
        items = [
            Item(number, write, generation)
            for number, write in enumerate(writes)
            for generation in self._generations
        ]
        agent.request = Request(items, agent.hydrated)
        await suspend(Step.WRITE)
        answers: list[list[Answer]] = [[] for _ in writes]
        for item, answer in zip(items, await self._send(agent, agent.request), strict=True):
            answers[item.number].append(answer)
        agent.request = agent.hydrated = None
        world.note("{} is answered {}", agent, [worst(given) for given in answers])
        return [worst(given) for given in answers]

    async def read(self, keys: Sequence[Key]) -> dict[Key, list[Stored]]:
        """One multi-get for each generation."""
        stored: dict[Key, list[Stored]] = {key: [] for key in keys}
        for generation in self._generations:
            await suspend(Step.READ)
            _fail_if_cut_off(self._world.running)
            _fail_sometimes(self._world, "Elasticsearch")
            for key in keys:
                stored[key].append(generation.read(key))
        self._world.note("{} reads back {}", self._world.running, stored)
        return stored

    async def _send(self, agent: Agent, request: Request) -> list[Answer]:
        world, items = self._world, request.items
        _fail_if_cut_off(agent)
        fate = _FATES[world.choices.take()] if world.has_failures else Fate.DONE
        if world.has_late_requests and world.choices.happens(_LATENESS):
            fate = Fate.LATE
        world.note("{} writes {}, which {}", agent, items, fate.value)
        if fate is Fate.TORN and len(items) > 1:
            half = 1 + world.choices.below(len(items) - 1)
            answers = self._apply(items[:half])
            agent.request = request._replace(items=items[half:])
            await suspend(Step.WRITE)
            _fail_if_cut_off(agent)
            return answers + self._apply(items[half:])
        if fate is Fate.REFUSED and items:
            refused = world.choices.below(len(items))
            busy = Answer(Outcome.UNAVAILABLE, "too many requests", 0)
            return [
                busy if number == refused else self._apply([item])[0]
                for number, item in enumerate(items)
            ]
        if fate is Fate.LATE:
            world.engine.late.append(request)
        elif fate is not Fate.LOST:
            answers = self._apply(items)
            if fate is not Fate.UNANSWERED:
                return answers
        agent.request = agent.hydrated = None
        raise TemporarilyUnavailableError("Elasticsearch", fate.value)

    def _apply(self, items: Sequence[Item]) -> list[Answer]:
        return self._world.engine.apply(items, self._world.moment)


def _fail_if_cut_off(agent: Agent) -> None:
    if agent.is_cut_off:
        agent.is_cut_off = False
        agent.request = agent.hydrated = None
        raise TemporarilyUnavailableError("Elasticsearch", "the node restarts")


def _fail_sometimes(world: "World", service: str) -> None:
    if world.has_failures and world.choices.happens(_FAILURE):
        world.note("{} cannot reach {}", world.running, service)
        raise TemporarilyUnavailableError(service, "not now")
