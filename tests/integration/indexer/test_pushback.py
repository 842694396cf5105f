"""The engine has no room: the very changes that it did not take are sent again, and none is lost.

The block that the engine sets on an index when its disk is full answers 429 to each write to it.
`test_lost_services.py` has a 429 to a whole request.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise

from core.broker import INTERACTIVE_QUEUE
from core.events import Event
from demo import writes
from indexer import operations
from indexer.names import live_alias
from tests.integration.indexer.scene import Scene
from tests.integration.indexer.worker_process import Worker

_COUNT = 50


@asynccontextmanager
async def _no_room(scene: Scene, entity: str) -> AsyncIterator[None]:
    """Meanwhile the engine takes no document of one entity type."""
    index = live_alias(scene.settings.index_prefix, entity)
    engine = scene.index.services.engine
    await engine.indices.put_settings(
        index=index, settings={"index.blocks.read_only_allow_delete": True}
    )
    try:
        yield
    finally:
        await engine.indices.put_settings(
            index=index, settings={"index.blocks.read_only_allow_delete": None}
        )


async def _mixed(scene: Scene) -> tuple[list[Event], list[Event]]:
    """Events of sounds and of groups, of which the indexer knows nothing yet."""
    [user] = await scene.application.commit(writes.create_user("Ana"))
    await scene.index.take(("user", user.id))
    sounds = await scene.application.commit(
        *(writes.create_sound(user.id, f"Sound {number}") for number in range(_COUNT))
    )
    groups = await scene.application.commit(
        *(writes.create_group(user.id, f"Group {number}") for number in range(_COUNT))
    )
    return [one.event for one in sounds], [one.event for one in groups]


def _backs_off(worker: Worker) -> None:
    """Each pause is at least twice as long as the one before."""
    moments = [
        datetime.fromisoformat(line["timestamp"]).timestamp()
        for line in worker.lines("batch_postponed")
    ]
    pauses = [later - earlier for earlier, later in pairwise(moments[:4])]
    assert pauses[0] >= 0.1
    assert pauses[1] >= 0.2
    assert pauses[2] >= 0.4


async def test_refused_items_are_sent_again_and_those_beside_them_are_not(scene: Scene) -> None:
    sounds, groups = await _mixed(scene)
    async with _no_room(scene, "sound"):
        # One batch: each sound has a group beside it.
        await scene.publish(*(event for pair in zip(sounds, groups, strict=True) for event in pair))
        async with scene.worker(interactive_linger=0.5) as worker:
            await worker.counted(_COUNT, "events_total", outcome="indexed")
            await worker.counted(4, "retries_total", service="Elasticsearch")
            metrics = await worker.metrics()
            for event in groups:
                assert await scene.index.stored("group", event.id) is not None
            # Groups were written once; only sounds were tried again, all of them each time.
            assert metrics("events_total", queue=INTERACTIVE_QUEUE) == _COUNT
            assert metrics("writes_total", outcome="indexed") == _COUNT
            assert metrics("writes_total", outcome="conflict") == 0
            refused = metrics("writes_total", outcome="unavailable")
            assert refused >= 4 * _COUNT
            assert refused % _COUNT == 0
            assert metrics("pending_changes", queue=INTERACTIVE_QUEUE) == _COUNT
            _backs_off(worker)
            # What is done does not wait for what is not: a group may change again meanwhile.
            [change] = await scene.application.apply(writes.rename("group", groups[0].id, "Again"))
            await scene.shows("group", change.id, title="Again")
            await scene.index.allow_writes()
            for event in sounds:
                await scene.shows("sound", event.id)
            await worker.counted(2 * _COUNT + 1, "events_total", outcome="indexed")
            await scene.agrees(worker)


async def test_an_index_without_room_that_is_not_live_holds_up_nobody(scene: Scene) -> None:
    """Each change is live at once; what the other one lacks it gets when it has room."""
    services = scene.index.services
    other = await services.generations.create(services.definitions["sound"])
    [user] = await scene.application.commit(writes.create_user("Ana"))
    sounds = await scene.application.commit(
        *(writes.create_sound(user.id, f"Sound {number}") for number in range(10))
    )
    try:
        async with scene.worker() as worker:
            await scene.publish(user.event, *(one.event for one in sounds))
            await scene.shows("sound", sounds[-1].id)
            await _block(scene, other.index, blocked=True)
            for sound in sounds[1:]:
                await scene.application.apply(writes.rename("sound", sound.id, "Rain"))
                await scene.shows("sound", sound.id, title="Rain", within=5)
            await scene.application.apply(writes.delete("sound", sounds[0].id))
            await scene.is_gone("sound", sounds[0].id, within=5)
            [group] = await scene.application.apply(writes.create_group(user.id, "Rain lovers"))
            await scene.shows("group", group.id, within=5)
            await worker.counted(10, "events_total", queue=INTERACTIVE_QUEUE)
            await _block(scene, other.index, blocked=None)
            await scene.agrees(worker)
        found = [
            difference
            async for verdict in operations.verify(services, "sound", generation=other, patience=0)
            for difference in verdict.differences
        ]
        assert found == []
    finally:
        await services.generations.delete(other)


async def _block(scene: Scene, index: str, *, blocked: bool | None) -> None:
    await scene.index.services.engine.indices.put_settings(
        index=index, settings={"index.blocks.read_only_allow_delete": blocked}
    )
