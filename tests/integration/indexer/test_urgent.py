"""What must vanish vanishes at once, whatever else waits: the urgent lane."""

import asyncio
import time

from core.broker import INTERACTIVE_QUEUE
from core.events import Action, Event
from demo import writes
from tests.integration.indexer.broker_view import dead_letters
from tests.integration.indexer.scene import Scene
from tests.integration.indexer.worker_process import Worker

_BACKLOG = 12_000  # live changes that wait
_HIDE_WITHIN = 3.0  # seconds from the commit until it is gone
_NOWHERE = 1_000_000_000  # ids from here on are of no row


async def test_what_is_hidden_or_deleted_overtakes_a_backlog(scene: Scene) -> None:
    ana, bob = await scene.application.commit(writes.create_user("Ana"), writes.create_user("Bob"))
    private, deleted, gone, shown, owned = (
        change.id
        for change in await scene.application.commit(
            *(writes.create_sound(ana.id, f"Sound {number}") for number in range(4)),
            writes.create_sound(bob.id, "Sound of Bob"),
        )
    )
    everything = (
        ("user", ana.id),
        ("user", bob.id),
        *(("sound", one) for one in (private, deleted, gone, shown, owned)),
    )
    await scene.index.take(*everything)
    moment = (await scene.application.commit(writes.rename("sound", shown, "Renamed")))[0]
    backlog = [
        Event("sound", _NOWHERE + number, Action.SAVE, moment.occurred_at)
        for number in range(_BACKLOG)
    ]
    await scene.publish(*backlog)
    await scene.application.publish(moment)
    async with scene.worker(interactive_batch=100) as worker:
        began = time.monotonic()
        await scene.application.apply(
            writes.make_private("sound", private),
            writes.delete("sound", deleted),
            writes.make_private("user", bob.id),
        )
        await scene.application.apply(writes.destroy("sound", gone))
        await asyncio.gather(
            *(scene.is_gone("sound", one) for one in (private, deleted, gone, owned)),
            scene.is_gone("user", bob.id),
        )
        seconds = time.monotonic() - began
        assert await _settled(worker) < _BACKLOG, "nothing was overtaken"
        assert seconds < _HIDE_WITHIN
        await scene.shows("sound", shown, title="Renamed", within=60)
        await scene.agrees(worker, within=60)


async def test_a_malformed_copy_is_buried_once(scene: Scene) -> None:
    await scene.broker.send("destroy.sound", b"?")
    async with scene.worker() as worker:
        await worker.counted(2, "events_total", outcome="not_json")
        [letter] = await dead_letters(scene.settings)
        assert (letter.reason, letter.queue) == ("not_json", INTERACTIVE_QUEUE)


async def _settled(worker: Worker) -> float:
    """Live changes that have their outcome."""
    return (await worker.metrics())("events_total", queue=INTERACTIVE_QUEUE)
