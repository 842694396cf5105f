"""SIGTERM under load: what is at hand is finished, what is not stays in the queue."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from core.broker import BATCH_QUEUE, INTERACTIVE_QUEUE
from core.events import Action, Event
from demo import writes
from indexer.names import live_alias
from tests.integration.indexer.scene import Scene
from tests.integration.indexer.worker_process import Metrics

_COUNT = 3_000
# Few at hand at a time, so that most wait in the queue when the signal comes.
_SMALL: Mapping[str, Any] = {
    "prefetch": 200,
    "interactive_batch": 40,
    "batch_batch": 40,
    "batch_linger": 0.0,
}


async def _sounds(scene: Scene) -> list[Event]:
    """Events of so many sounds, each of its own, that nobody was told of yet."""
    [user] = await scene.application.commit(writes.create_user("Ana"))
    await scene.index.take(("user", user.id))
    made = await scene.application.commit(
        *(writes.create_sound(user.id, f"Sound {number}") for number in range(_COUNT))
    )
    return [change.event for change in made]


async def _documents(scene: Scene) -> int:
    index = live_alias(scene.settings.index_prefix, "sound")
    await scene.index.services.engine.indices.refresh(index=index)
    return int((await scene.index.services.engine.count(index=index))["count"])


async def _send(scene: Scene, events: Sequence[Event], queue: str) -> None:
    if queue == INTERACTIVE_QUEUE:
        await scene.publish(*events)
    else:
        for event in events:
            await scene.publish_refresh(event._replace(action=Action.REFRESH))


async def _finished_by_another(scene: Scene, left: int) -> Metrics:
    """What a second worker counted that did the rest."""
    async with scene.worker() as second:
        await second.counted(left, "events_total")
        counted = await second.metrics()
        await scene.agrees(second)
    assert await _documents(scene) == _COUNT
    return counted


@pytest.mark.parametrize("queue", [INTERACTIVE_QUEUE, BATCH_QUEUE])
async def test_what_was_written_is_acknowledged_and_the_rest_waits(
    scene: Scene, queue: str
) -> None:
    await _send(scene, await _sounds(scene), queue)
    async with scene.worker(**_SMALL) as worker:
        await worker.counted(200, "events_total")
        assert await worker.stop(within=scene.settings.drain_deadline) == 0
        assert worker.lines("worker_stopped")
        assert not worker.lines("drain_incomplete")
    left = await scene.broker.ready(queue)
    assert 0 < left < _COUNT, "the signal came in the middle"
    # Neither a document whose event comes again, nor an event that is gone without its document.
    assert await _documents(scene) == _COUNT - left
    counted = await _finished_by_another(scene, left)
    assert counted("events_total", outcome="indexed") == left
    assert counted("writes_total", outcome="conflict") == 0, "nothing was done twice"


async def test_what_cannot_be_finished_in_time_is_left_to_another(scene: Scene) -> None:
    events = await _sounds(scene)
    await scene.index.block_writes()
    try:
        await scene.publish(*events)
        async with scene.worker(drain_deadline=1.0, **_SMALL) as worker:
            await worker.counted(1, "retries_total", service="Elasticsearch")
            began = time.monotonic()
            assert await worker.stop(within=10) == 0
            assert 1.0 <= time.monotonic() - began < 5.0
            [incomplete] = worker.lines("drain_incomplete")
            assert incomplete["pending"] > 0
        assert await scene.broker.ready(INTERACTIVE_QUEUE) == _COUNT
        assert await _documents(scene) == 0
    finally:
        await scene.index.allow_writes()
    counted = await _finished_by_another(scene, _COUNT)
    assert counted("events_total", outcome="indexed") == _COUNT
