"""The making of a generation in the model: a scan, then parity, as `indexer.operations.build`."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from indexer.changes import Change, Key, Outcome, Write
from indexer.errors import TemporarilyUnavailableError
from tests.simulation.agents import Step, suspend
from tests.simulation.database import KEYS, State, document
from tests.simulation.engine import Generation
from tests.simulation.ports import ModelStore

if TYPE_CHECKING:
    from tests.simulation.world import World

_LOOKS = 3  # most looks at a difference before it counts


async def fill(world: "World", generation: Generation) -> None:
    """Scan, then compare and mend until nothing differs."""
    database = world.database
    position = database.position
    await world.hydrator_type(world).state()
    from_replica = database.replayed >= position
    for entity in ("user", "sound"):
        while not await _copy(world, generation, entity, from_replica=from_replica):
            await suspend(Step.RETRY)
    if world.has_parity:
        await _establish_parity(world, generation)


async def _copy(world: "World", generation: Generation, entity: str, *, from_replica: bool) -> bool:
    """Hydrate and write one window of ids; false if it must be done again."""
    await suspend(Step.HYDRATE)
    world.running.hydrated = world.snapshot()
    state = world.database.replica if from_replica else world.database.primary
    writes = list(_own_writes(state, entity))
    try:
        answers = await ModelStore(world, [generation]).write(writes) if writes else []
    except TemporarilyUnavailableError:
        return False
    for write, answer in zip(writes, answers, strict=True):
        if answer.outcome is Outcome.REJECTED:
            world.refused.add(write.key)
    return all(answer.outcome is not Outcome.UNAVAILABLE for answer in answers)


def _own_writes(state: State, entity: str) -> Iterable[Write]:
    for key in state:
        row = document(state, key) if key[0] == entity else None
        if row is not None:
            yield Write(key, row.updated_at, row)


async def _establish_parity(world: "World", generation: Generation) -> None:
    """Compare and mend, until a comparison finds nothing.

    What a worker hydrated before the scan began has reached the engine by the time of the
    comparison: the build waits for longer than a write is ever under way.
    """
    await suspend(Step.READ, lambda: world.all_hydrated_since(world.scan_began))
    pipeline = world.pipeline([generation], cascades=False)
    while True:
        try:
            differing = await _differing(world, generation)
            if not differing:
                return
            changes = [Change(key, world.database.clock, cascades=False) for key in differing]
            results = await pipeline.process(changes)
            world.refused.update(results.poison)
        except TemporarilyUnavailableError:
            await suspend(Step.RETRY)


async def _differing(world: "World", generation: Generation) -> list[Key]:
    """The keys that differ at every one of several looks."""
    pipeline = world.pipeline([generation], cascades=False)
    keys = list(KEYS)
    for _ in range(1 + world.choices.below(_LOOKS)):
        stored = await pipeline.store.read(keys)
        hydration = await pipeline.hydrator.hydrate(keys)
        truth = {key: row.digest for key, row in hydration.rows.items()}
        keys = [key for key in keys if {one.digest for one in stored[key]} != {truth.get(key)}]
        keys = [key for key in keys if key not in world.refused]
        if not keys:
            break
    return keys
