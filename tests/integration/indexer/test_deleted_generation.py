"""A generation is deleted while somebody still writes to it: it stays deleted."""

import pytest

from demo import writes
from indexer.changes import Outcome, Row, Write
from indexer.generation import Generation
from indexer.writer import EngineStore
from tests.integration.indexer.scene import Scene

_ROW = Row(1, b'{"type":"sound","digest":7,"id":1,"title":"Rain"}', 7)


async def _standby(scene: Scene) -> Generation:
    """A generation of sounds that is not live, and takes every change."""
    services = scene.index.services
    return await services.generations.create(services.definitions["sound"])


async def _exists(scene: Scene, generation: Generation) -> bool:
    return bool(await scene.index.services.engine.indices.exists(index=generation.index))


@pytest.mark.parametrize("row", [_ROW, None], ids=["document", "deletion"])
async def test_a_write_does_not_make_its_index_again(scene: Scene, row: Row | None) -> None:
    services = scene.index.services
    generation = await _standby(scene)
    await services.generations.delete(generation)
    store = EngineStore(services.engine, {"sound": [generation.index]})
    [answer] = await store.write([Write(("sound", 1), 5, row)])
    assert answer.outcome is Outcome.UNAVAILABLE, answer
    assert not await _exists(scene, generation)


async def test_a_worker_that_wrote_to_it_goes_on_without_it(scene: Scene) -> None:
    [user] = await scene.application.commit(writes.create_user("Ana"))
    await scene.index.take(("user", user.id))
    generation = await _standby(scene)
    engine = scene.index.services.engine
    try:
        async with scene.worker() as worker:
            [first] = await scene.application.apply(writes.create_sound(user.id, "Rain"))
            await scene.shows("sound", first.id)
            # The worker knows the generation, for the rest of its lease.
            assert await engine.exists(index=generation.index, id=str(first.id))
            await scene.index.services.generations.delete(generation)
            [second] = await scene.application.apply(writes.create_sound(user.id, "Snow"))
            [gone] = await scene.application.apply(writes.delete("sound", first.id))
            await scene.shows("sound", second.id, title="Snow")
            await scene.is_gone("sound", gone.id)
            await worker.counted(3, "events_total", queue="indexer.interactive")
            await scene.agrees(worker)
        assert not await _exists(scene, generation)
    finally:
        await scene.index.services.generations.delete(generation)
