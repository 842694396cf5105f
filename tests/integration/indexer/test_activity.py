"""What people do reaches Explore: an act, its event, the document, the answer."""

from collections.abc import Iterator

import httpx
import pytest

from core.settings import Settings
from demo import writes
from tests.integration.indexer.scene import Scene
from tests.integration.indexer.waiting import until
from tests.integration.query_api.serving import served

SOON = 10.0  # seconds that an act may take to count


@pytest.fixture
def address(indexed: Settings) -> Iterator[str]:
    with served(indexed) as at:
        yield at


async def test_acts_count_in_explore_within_seconds(scene: Scene, address: str) -> None:
    apply = scene.application.apply
    user, other = await apply(writes.create_user("Ana"), writes.create_user("Bo"))
    quiet, loud, hidden = await apply(
        *(writes.create_sound(user.id, title) for title in ("Quiet", "Loud", "Hidden"))
    )
    await apply(writes.add_to_set((await apply(writes.create_set(user.id, "S")))[0].id, loud.id))

    async with scene.worker() as worker, httpx.AsyncClient(base_url=address) as api:

        async def listed(*wanted: str) -> None:
            async def look() -> bool:
                answer = (await api.get("/v1/explore", params={"window": "24h"})).json()
                return [hit["title"] for hit in answer["hits"]] == [*wanted]

            await until(look, within=SOON, what=f"Explore lists {wanted}")

        await until(
            lambda: scene.index.stored("sound", hidden.id), within=20, what="all is indexed"
        )
        await listed()
        before = (await worker.metrics())("dependents_total")
        await apply(writes.play(other.id, quiet.id))
        await listed("Quiet")
        await apply(writes.repost(other.id, loud.id), writes.like(other.id, hidden.id))
        await listed("Loud", "Hidden")  # two of one person, the busiest
        await apply(writes.make_private("sound", hidden.id))
        await listed("Loud", "Quiet")
        await apply(writes.follow(other.id, user.id))
        await listed("Loud", "Ana", "Quiet")
        # Nothing that shows the sound or the person had to be made anew.
        assert (await worker.metrics())("dependents_total") == before
        await scene.agrees(worker)
