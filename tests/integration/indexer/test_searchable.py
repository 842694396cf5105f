"""Written documents become searchable by the worker's own asking, not only in time."""

from core.settings import Settings
from demo import writes
from indexer.names import live_alias
from tests.integration.indexer.scene import Scene
from tests.integration.indexer.waiting import until


async def test_a_live_change_is_searchable_before_the_interval_ends(
    scene: Scene, settings: Settings
) -> None:
    alias = live_alias(settings.index_prefix, "user")
    engine = scene.index.services.engine
    await engine.indices.put_settings(index=alias, settings={"refresh_interval": "1h"})

    async def is_found() -> bool:
        query = {"match": {"title": "Zephyrine"}}
        return bool((await engine.search(index=alias, query=query))["hits"]["hits"])

    try:
        async with scene.worker() as worker:
            assert not await is_found()
            await scene.application.apply(writes.create_user("Zephyrine"))
            await until(is_found, within=20, what="the new user is found by a search")
            await worker.counted(1, "refresh_seconds_count")
    finally:
        await engine.indices.put_settings(index=alias, settings={"refresh_interval": "1s"})
