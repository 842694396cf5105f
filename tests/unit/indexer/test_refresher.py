"""When the refresher refreshes, and what it tells."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from indexer.errors import TemporarilyUnavailableError
from indexer.refresher import Refresher

DEADLINE = 5.0


class Shards:
    """Notes the refreshes it is asked for; `away` makes it refuse them."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.news = asyncio.Event()
        self.away = False

    async def refresh_live(self, entity: str) -> None:
        self.asked.append(entity)
        self.news.set()
        if self.away:
            raise TemporarilyUnavailableError("Elasticsearch", "away")

    async def until(self, count: int) -> None:
        async with asyncio.timeout(DEADLINE):
            while len(self.asked) < count:
                self.news.clear()
                await self.news.wait()


@asynccontextmanager
async def running(refresher: Refresher) -> AsyncIterator[None]:
    task = asyncio.create_task(refresher.run())
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_what_is_noted_is_refreshed_together_and_its_age_told() -> None:
    shards, seen = Shards(), asyncio.Queue[float]()
    refresher = Refresher(shards, pause=0.0, is_busy=lambda: False, observe=seen.put_nowait)
    refresher.note({"sound": [2.0]})
    refresher.note({"sound": [0.5, 0.4], "user": []})
    async with running(refresher):
        await shards.until(2)
        ages = [await asyncio.wait_for(seen.get(), DEADLINE) for _ in range(3)]
    assert sorted(shards.asked) == ["sound", "user"]
    assert ages[0] >= 2.0
    assert 0.4 <= ages[2] < ages[1] < ages[0]


async def test_a_slow_refresh_of_one_type_holds_up_no_other() -> None:
    shards, slow = Shards(), asyncio.Event()

    async def refresh_live(entity: str) -> None:
        shards.asked.append(entity)
        shards.news.set()
        if entity == "set":
            await slow.wait()

    shards.refresh_live = refresh_live  # type: ignore[method-assign]
    refresher = Refresher(shards, pause=0.0, is_busy=lambda: False, observe=lambda _: None)
    async with running(refresher):
        refresher.note({"set": [0.0]})
        await shards.until(1)
        refresher.note({"set": [0.0], "sound": [0.0]})
        await shards.until(2)
    assert shards.asked == ["set", "sound"]


async def test_nothing_noted_nothing_refreshed() -> None:
    shards = Shards()
    refresher = Refresher(shards, pause=0.0, is_busy=lambda: False, observe=lambda _: None)
    async with running(refresher):
        refresher.note({"sound": [0.0]})
        await shards.until(1)
        for _ in range(20):
            await asyncio.sleep(0)
    assert len(shards.asked) == 1


async def test_in_a_backlog_the_interval_of_the_index_does_it() -> None:
    shards, busy = Shards(), [True, True, False]
    refresher = Refresher(shards, pause=0.0, is_busy=lambda: busy.pop(0), observe=lambda _: None)
    refresher.note({"sound": [0.0]})
    async with running(refresher):
        await shards.until(1)
    assert busy == []
    assert shards.asked == ["sound"]


async def test_a_failed_refresh_is_no_end() -> None:
    shards = Shards()
    refresher = Refresher(shards, pause=0.0, is_busy=lambda: False, observe=lambda _: None)
    shards.away = True
    async with running(refresher):
        refresher.note({"sound": [0.0]})
        await shards.until(1)
        shards.away = False
        refresher.note({"user": [0.0]})
        await shards.until(2)
    assert shards.asked == ["sound", "user"]
