"""The sweep: whatever slipped past the events is mended within one round, and counted."""

from demo import writes
from tests.integration.indexer.scene import Scene
from tests.integration.indexer.waiting import until
from tests.integration.indexer.worker_process import Worker
from tests.integration.verify.planting import Planted, plant

_FAST = 100_000  # entities a second: no pause that could be noticed
_PATIENCE = 10.0  # the sweep's own: for so long a difference may be on its way
_RETRY = 5.0  # until a worker that may not sweep asks again
_WITHIN = _PATIENCE + _RETRY + 15.0


async def _is_mended(scene: Scene, planted: Planted) -> None:
    await scene.shows("user", planted.missing, title="Missing", within=_WITHIN)
    await scene.shows("user", planted.stale, title="Stale no more")
    await scene.is_gone("user", planted.ghost)


async def _rounds(worker: Worker, count: int, *, of: int) -> None:
    """Wait until it compared that many users, so many times."""
    swept = (await worker.metrics())("swept_total", entity="user")
    await worker.counted(swept + count * of, "swept_total", entity="user", within=_WITHIN)


async def test_each_kind_of_difference_is_mended_and_counted_once(scene: Scene) -> None:
    planted = await plant(scene)
    untouched = await scene.index.stored("user", planted.right)
    async with scene.worker(sweep_rate=_FAST) as worker:
        await _is_mended(scene, planted)
        await _rounds(worker, 2, of=3)
        metrics = await worker.metrics()
        for kind in planted.kinds().values():
            assert metrics("sweep_differences_total", entity="user", kind=kind) == 1
        assert metrics("sweep_differences_total") == 3
        assert metrics("sweep_completed_timestamp_seconds", entity="user") > 0
        assert metrics("events_total", queue="indexer.batch") == 3, "nothing else was sent"
        [found] = worker.lines("sweep_found_differences")
        assert found["entity"] == "user"
        assert found["kinds"] == {"missing": 1, "ghost": 1, "stale": 1}
        assert await scene.index.stored("user", planted.right) == untouched
        await scene.agrees(worker)


async def test_of_two_workers_one_sweeps_and_the_other_takes_over(scene: Scene) -> None:
    async with scene.worker(sweep_rate=_FAST) as one, scene.worker(sweep_rate=_FAST) as two:

        async def sweepers() -> list[Worker]:
            return [
                worker
                for worker in (one, two)
                if (await worker.metrics())("sweep_completed_timestamp_seconds", entity="user")
            ]

        [sweeper] = await until(sweepers, within=_WITHIN, what="somebody sweeps")
        other = two if sweeper is one else one
        # Longer than the other waits until it asks whether it may: it still may not.
        completed = (await sweeper.metrics())("sweep_completed_timestamp_seconds", entity="user")
        await sweeper.counted(
            completed + _RETRY + 1.0,
            "sweep_completed_timestamp_seconds",
            entity="user",
            within=_WITHIN,
        )
        assert not (await other.metrics())("sweep_completed_timestamp_seconds")
        planted = await plant(scene)
        await sweeper.kill()
        await _is_mended(scene, planted)
        await other.counted(3, "sweep_differences_total", entity="user")
        await scene.agrees(other)


async def test_a_generation_that_is_deleted_meanwhile_is_left_out(scene: Scene) -> None:
    services = scene.index.services
    [user] = await scene.application.commit(writes.create_user("Ana"))
    sounds = await scene.application.commit(
        *(writes.create_sound(user.id, f"Sound {number}") for number in range(100))
    )
    await scene.index.take(("user", user.id), *(("sound", one.id) for one in sounds))
    former = await services.generations.create(services.definitions["sound"])
    try:
        # Five seconds of rest after the live generation of sounds, before the other one's turn.
        async with scene.worker(sweep_rate=20) as worker:
            await worker.counted(100, "swept_total", entity="sound")
            await services.generations.delete(former)
            await worker.counted(1, "swept_total", entity="user", within=15)
            assert not worker.lines("sweep_failed")
            assert not worker.lines("sweep_postponed")
            await scene.agrees(worker)
    finally:
        await services.generations.delete(former)
