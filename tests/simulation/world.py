"""The world: database, broker, engine and workers, moved by a schedule, and what must hold at rest.

A schedule is a string of bytes. Each step of it lets one thing happen (`happenings.py`): a
statement, a commit, the replay of a commit, a delivery, some steps of one batch, a crash … At the
end of the schedule the world comes to rest: everything that is under way is finished, without
further faults. Then every generation must equal the database, and every event must be accounted
for.
"""

from collections.abc import Iterable, Iterator, Sequence

from indexer.changes import Key
from indexer.lane import Lane
from indexer.pipeline import Pipeline
from tests.simulation import happenings
from tests.simulation.agents import Agent
from tests.simulation.broker import Broker, Message, message
from tests.simulation.choices import Choices
from tests.simulation.database import (
    EPOCH,
    KEYS,
    Database,
    Sound,
    State,
    Transaction,
    User,
    document,
    is_poison,
)
from tests.simulation.engine import Document, Engine, Generation, Snapshot
from tests.simulation.generations import fill
from tests.simulation.ports import ModelCascade, ModelHydrator, ModelStore, NoDependents
from tests.simulation.story import tell
from tests.simulation.worker import Worker

CLOCK_TOLERANCE = 5  # microseconds
_FIRST_ROWS: State = {
    ("user", 1): User(EPOCH, 0, public=True),
    ("user", 2): User(EPOCH, 0, public=True),
    ("sound", 1): Sound(EPOCH, 0, public=True, user=1),
}
_FOCUS = (2, 2, 2, 1, 4)  # how many of the keys change
_LONGEST_REST = 5_000  # steps; more means that the world never comes to rest
_TABLES = tuple(happenings.table(bits) for bits in range(1 << len(happenings.TROUBLES)))


class World:
    """One run. A mutant of the product is a subclass that replaces a part."""

    database_type: type[Database] = Database
    generation_type: type[Generation] = Generation
    hydrator_type: type[ModelHydrator] = ModelHydrator
    cascade_type: type[ModelCascade] = ModelCascade
    pipeline_type: type[Pipeline] = Pipeline
    lane_type: type[Lane] = Lane
    waits_for_lease = True
    has_parity = True

    def __init__(self, schedule: bytes) -> None:
        self.choices = Choices(schedule)
        self.moment = 0  # steps so far
        self.has_failures = self.has_wrong_clocks = self.has_late_requests = False
        self.database = self.database_type(_FIRST_ROWS)
        self.broker = Broker()
        self.engine = Engine()
        self.workers = [Worker(self, name) for name in ("worker A", "worker B")]
        self.builds: list[Agent] = []
        self.scan_began = -1  # moment; -1: not yet
        self.refused: set[Key] = set()  # what a build could not write, and told its operator
        self._making: Iterator[None] | None = None
        self._notes: list[tuple[str, tuple[object, ...]]] = []
        self._choose_kind()

    def run(self) -> None:
        """Follow the schedule to its end, then come to rest, then check."""
        while self.choices.are_left:
            self._happenings[self.choices.take()](self)
            self.moment += 1
        self.note("the schedule ends; all that is under way is finished")
        self._rest()
        self._check()

    # What happenings do

    def commit(self, transaction: Transaction) -> None:
        """Commit, then publish the events, some by a clock that is ahead."""
        self.note("committed: {}", transaction.rows)
        for event in self.database.commit(transaction):
            ahead = 0
            if self.has_wrong_clocks and self.choices.happens(64):
                ahead = self.choices.pick((1, CLOCK_TOLERANCE, happenings.FAR_AHEAD))
            self.publish(message(event._replace(occurred_at=event.occurred_at + ahead)))

    def publish(self, one: Message) -> None:
        """Give a message to the broker."""
        self.note("published: {}", one)
        self.broker.publish(one)

    def advance(self, agent: Agent) -> None:
        """Let an agent take one step."""
        self.running = agent
        agent.advance()
        if agent.has_ended:
            for agents in (self.builds, *(worker.agents for worker in self.workers)):
                if agent in agents:
                    agents.remove(agent)

    def cut_off(self, agents: Iterable[Agent]) -> None:
        """The next request of these to the engine fails."""
        for agent in agents:
            agent.is_cut_off = True

    def build(self) -> None:
        """Make a generation; the next time let a lease pass, and fill it."""
        if self._making is None:
            self._making = self._make()
        next(self._making, None)

    # What parts of the world ask

    def pipeline(self, generations: Sequence[Generation], *, cascades: bool = True) -> Pipeline:
        """The product's pipeline between the model's ports."""
        hydrator = self.hydrator_type(self)
        return self.pipeline_type(
            hydrator=hydrator,
            store=ModelStore(self, generations),
            cascade=self.cascade_type(self, hydrator) if cascades else NoDependents(),
            clock_tolerance=CLOCK_TOLERANCE,
        )

    def agents(self) -> list[Agent]:
        """All that is under way."""
        return [*(one for worker in self.workers for one in worker.agents), *self.builds]

    def snapshot(self) -> Snapshot:
        """What a hydration sees now."""
        began = (transaction.began for transaction in self.database.transactions)
        return Snapshot(self.moment, min(began, default=self.moment))

    def all_hydrated_since(self, moment: int) -> bool:
        """Whether every hydration whose write is still to come is as new as that."""
        return all(one.moment >= moment for one in self._hydrated())

    def oldest_unseen(self) -> float:
        """When the oldest began of what a write still to come may not have seen."""
        return min((one.unseen_since for one in self._hydrated()), default=self.moment)

    def note(self, text: str, *values: object) -> None:
        """Add a line to the story of this run; it is told only if the run fails."""
        self._notes.append((text, values))

    def story(self) -> str:
        """What happened, a line each."""
        return "\n".join(text.format(*map(tell, values)) for text, values in self._notes)

    def _hydrated(self) -> Iterable[Snapshot]:
        """What the writes that are under way come from."""
        under_way = [agent.hydrated for agent in self.agents()]
        under_way += [request.hydrated for request in self.engine.late]
        return (one for one in under_way if one is not None)

    # At rest

    def _rest(self) -> None:
        """Finish all that is under way, without further faults."""
        while self.database.transactions:
            self.commit(self.database.transactions[0])
        if not self.engine.generations:
            self.build()
        for _ in range(_LONGEST_REST):
            self.moment += 1
            if not self._settle_once():
                return
        raise AssertionError(f"{self.story()}\nbut the world does not come to rest")

    def _settle_once(self) -> bool:
        """One step towards rest; false if there is nothing left to do."""
        self.database.replayed = self.database.position
        if agents := [agent for agent in self.agents() if agent.is_ready]:
            self.advance(agents[0])
        elif self.broker.waiting:
            self.workers[0].receive(self.broker.waiting.pop(0))
            self.workers[0].begin()
        elif any(worker.begin() for worker in self.workers):
            pass
        elif self.engine.late:
            happenings.arrive(self)
        elif self._making is not None and self.scan_began < 0:
            self.build()
        else:
            return False
        return True

    def _check(self) -> None:
        """What must hold at rest."""
        assert not self.agents(), f"{self.story()}\nbut something waits for ever"
        assert not any(worker.channel.held for worker in self.workers), self.story()
        assert self.broker.published == self.broker.acknowledged, self.story()
        for generation in self.engine.generations:
            for key in KEYS:
                held = generation.documents.get(key)
                assert self._is_true(key, held), (
                    f"{self.story()}\nbut of {tell(key)} {tell(generation)} holds {tell(held)}, "
                    f"and the truth is {tell(document(self.database.primary, key))}"
                )
                assert held is None or held.version <= self._newest_version(), self.story()

    def _is_true(self, key: Key, held: Document | None) -> bool:
        state = self.database.primary
        row = document(state, key)
        if row is not None and is_poison(state, key):
            return key in self.refused or key in {(one.entity, one.id) for one in self.broker.dead}
        return (None if row is None else row.digest) == (None if held is None else held.digest)

    def _newest_version(self) -> int:
        """No version is further ahead of the clock than this: a tick for each possible repeat."""
        return self.database.clock + CLOCK_TOLERANCE + self.moment

    # How it begins

    def _choose_kind(self) -> None:
        """Each schedule has some kinds of trouble and some keys only, and more of those."""
        bits = self.choices.below(len(_TABLES))
        self._happenings, self.troubles = _TABLES[bits], happenings.chosen(bits)
        self.keys: Sequence[Key] = KEYS[: self.choices.pick(_FOCUS)]
        kinds = self.choices.take()
        self.has_failures = bool(kinds & 1)
        self.has_wrong_clocks = kinds & 6 == 6
        self.has_late_requests = happenings.arrive in self.troubles
        if kinds < 240:
            self._add_first_generation()

    def _add_first_generation(self) -> None:
        generation = self.generation_type("the first")
        for key in KEYS:
            row = document(_FIRST_ROWS, key)
            if row is not None:
                generation.documents[key] = Document(row.updated_at, row.digest, 0)
        self.engine.generations.append(generation)

    def _make(self) -> Iterator[None]:
        generation = self.generation_type("the second")
        self.engine.generations.append(generation)
        self.note("a generation is made")
        yield
        if self.waits_for_lease:
            for worker in self.workers:
                worker.end_lease()
        self.note("every worker must know it by now; the scan begins")
        self.scan_began = self.moment
        self.builds.append(Agent("the build", fill(self, generation)))
