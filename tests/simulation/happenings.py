"""Happenings: what one step of a schedule may let happen."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from tests.simulation.agents import Agent, Step
from tests.simulation.database import Statement, Transaction
from tests.simulation.worker import Worker

if TYPE_CHECKING:
    from tests.simulation.world import World

Happening = Callable[["World"], None]

FAR_AHEAD = 1_000  # microseconds that a wrong clock is ahead
_STATEMENTS = (
    *(8 * [Statement.CHANGE] + 4 * [Statement.HIDE] + 3 * [Statement.DELETE]),
    *(2 * [Statement.MOVE] + [Statement.SPOIL]),
)
# Where a batch is held; None: it runs to its end.
_HOLDS = (
    *(8 * [None] + 4 * [Step.WRITE] + 2 * [Step.READ]),
    *(2 * [Step.HYDRATE] + [Step.PUBLISH] + [Step.FINISH]),
)
_RACERS = (
    *(6 * [Step.WRITE] + 2 * [Step.READ] + 2 * [Step.HYDRATE]),
    Step.PUBLISH,
    Step.FINISH,
)


def idle(world: "World") -> None:
    """Nothing happens."""


def wait(world: "World") -> None:
    """Time passes."""
    world.database.clock += 1 + world.choices.below(20)


def change(world: "World") -> None:
    """A transaction of one statement, committed at once."""
    transaction = Transaction(world.moment)
    if _state(world, transaction):
        world.database.transactions.append(transaction)
        world.commit(transaction)


def state(world: "World") -> None:
    """A statement in a transaction that stays open, a new one or one that is open already."""
    transactions = world.database.transactions
    number = world.choices.below(3)
    if number < len(transactions):
        _state(world, transactions[number])
        return
    transaction = Transaction(world.moment)
    if _state(world, transaction):
        transactions.append(transaction)


def commit(world: "World") -> None:
    """An open transaction commits; its events are published."""
    if transactions := world.database.transactions:
        world.commit(world.choices.pick(transactions))
    else:
        state(world)


def roll_back(world: "World") -> None:
    """An open transaction is rolled back."""
    if transactions := world.database.transactions:
        transaction = world.choices.pick(transactions)
        world.note("rolled back: {}", transaction.rows)
        world.database.roll_back(transaction)


def replay(world: "World") -> None:
    """The replica replays one commit or more."""
    database = world.database
    if behind := database.position - database.replayed:
        database.replayed += behind - world.choices.below(behind)
        world.note("the replica is at {} of {}", database.replayed, database.position)
    else:
        change(world)


def lose_patience(world: "World") -> None:
    """A batch that waits for the replica turns to the primary."""
    if agents := [agent for agent in world.agents() if not agent.is_ready]:
        world.choices.pick(agents).is_impatient = True


def repeat(world: "World") -> None:
    """A producer publishes an event once more, because it did not see the first confirmed."""
    if waiting := world.broker.waiting:
        world.publish(world.choices.pick(waiting))


def fetch(world: "World") -> None:
    """A worker takes a few messages, and begins a batch of what it holds."""
    agent = _begin(world, world.choices.pick(world.workers))
    if agent is not None:
        _drive(world, agent, world.choices.pick(_HOLDS))


def advance(world: "World") -> None:
    """A batch that was held goes on."""
    if agents := world.agents():
        _drive(world, world.choices.pick(agents), world.choices.pick(_HOLDS))
    else:
        fetch(world)


def race(world: "World") -> None:
    """A batch is held at one of its steps, others overtake it, and it goes on.

    Often what overtakes it concerns the same entities: most of what can go wrong needs that.
    """
    agent = _begin(world, world.choices.pick(world.workers))
    if agent is None:
        return
    _drive(world, agent, world.choices.pick(_RACERS))
    keys = world.keys
    if world.choices.happens(160):
        world.keys = agent.keys
    for _ in range(1 + world.choices.below(4)):
        world.choices.pick(_OVERTAKERS)(world)
    world.keys = keys
    if not agent.has_ended:
        _drive(world, agent, None)


def answer(world: "World") -> None:
    """Something is committed, and its event handled at once, and perhaps what follows from it."""
    if world.choices.happens(128):
        commit(world)
    else:
        change(world)
    for _ in range(1 + world.choices.below(3)):
        handle(world)


def handle(world: "World") -> None:
    """The newest event is handled to its end, by the worker that has least to do."""
    if world.broker.waiting:
        worker = min(world.workers, key=lambda one: len(one.agents))
        worker.receive(world.broker.waiting.pop())
        agent = worker.begin()
        if agent is not None:
            world.database.replayed = world.database.position
            _drive(world, agent, None)


def trouble(world: "World") -> None:
    """One of the things that go wrong in this schedule."""
    if world.troubles:
        world.choices.pick(world.troubles)(world)


def kill(world: "World") -> None:
    """A worker is killed; a request that it was about to send may have left."""
    worker = world.choices.pick(world.workers)
    world.note("{} is killed", worker)
    for agent in worker.agents:
        if agent.request and world.has_late_requests and world.choices.happens(128):
            world.note("its request is still on the way: {}", agent.request.items)
            world.engine.late.append(agent.request)
    worker.kill()


def forget(world: "World") -> None:
    """The engine forgets old tombstones.

    A tombstone is kept for far longer than a document is ever under way from its hydration to the
    engine, and than a transaction is ever open (ADR 0001, rule 9). So only those are forgotten
    that are older than each hydration whose write is still to come, and than what it did not see.
    """
    if count := world.engine.forget_tombstones(world.oldest_unseen()):
        world.note("{} tombstones are forgotten", count)


def restart_engine(world: "World") -> None:
    """The engine's node restarts: all tombstones are lost.

    A restart takes longer than it takes a worker to write what it has hydrated. So whoever is
    between a hydration and its write, or between write and read-back, is cut off; requests that
    were on their way are gone.
    """
    world.note("the engine restarts")
    world.engine.forget_tombstones(float("inf"))
    world.engine.late.clear()
    world.cut_off(world.agents())


def build(world: "World") -> None:
    """The next step of a new generation's making."""
    world.build()


def arrive(world: "World") -> None:
    """A request that its sender gave up on is applied after all."""
    if late := world.engine.late:
        request = late.pop(world.choices.below(len(late)))
        answers = world.engine.apply(request.items, world.moment)
        world.note("applied late: {}, with {}", request.items, answers)


def _state(world: "World", transaction: Transaction) -> bool:
    """Run a statement; false if it did nothing."""
    key, statement = world.choices.pick(world.keys), world.choices.pick(_STATEMENTS)
    done = world.database.run(transaction, key, statement)
    if done:
        world.note("{} {}: {}", statement.value, key, transaction.rows)
    return done


def _begin(world: "World", worker: Worker) -> Agent | None:
    """Deliver a few messages, after a change if there are none; begin a batch."""
    waiting = world.broker.waiting
    if not waiting:
        change(world)
    for _ in range(min(len(waiting), 1 + world.choices.below(3))):
        worker.receive(waiting.pop(world.choices.below(len(waiting))))
    return worker.begin()


def _drive(world: "World", agent: Agent, hold: Step | None) -> None:
    """Let an agent run to its end, or until its next step is the one to be held at.

    Where it waits for the replica, the replica catches up, unless the schedule wants otherwise.
    """
    while not agent.has_ended:
        if not agent.is_ready:
            if world.choices.happens(64):
                return
            world.database.replayed = world.database.position
            if not agent.is_ready:
                return
        world.advance(agent)
        if agent.next is hold:
            return


_OVERTAKERS: tuple[Happening, ...] = (
    *(7 * [answer] + 2 * [handle] + 2 * [state] + [fetch] + [advance] + [replay] + 4 * [trouble]),
)
_CALM: tuple[tuple[int, Happening], ...] = (
    (6, idle),
    (30, advance),
    (40, fetch),
    (44, change),
    (40, state),
    (24, replay),
    (30, commit),
    (34, race),
    (4, wait),
    (4, roll_back),
)
# Kinds of trouble; a schedule has some of them. What is left out leaves room for the others.
TROUBLES: tuple[tuple[tuple[int, Happening], ...], ...] = (
    ((8, repeat), (3, lose_patience)),
    ((10, kill),),
    ((8, forget),),
    ((6, restart_engine),),
    ((6, build),),
    ((8, arrive),),
)


def table(troubles: int) -> tuple[Happening, ...]:
    """256 happenings, from the harmless to the harmful; bits of `troubles` choose among those."""
    harmful = [one for weight, one in _chosen(troubles) for _ in range(weight)]
    calm = [one for weight, one in _CALM for _ in range(weight)]
    room = 256 - len(harmful)
    return (*(calm[at * len(calm) // room] for at in range(room)), *harmful)


def _chosen(troubles: int) -> list[tuple[int, Happening]]:
    return [one for bit, kind in enumerate(TROUBLES) if troubles >> bit & 1 for one in kind]


def chosen(troubles: int) -> tuple[Happening, ...]:
    """The kinds of trouble whose bits are set."""
    return tuple(one for _, one in _chosen(troubles))
