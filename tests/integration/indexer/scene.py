"""The scene of a test: an application, its broker, the index, and workers between them."""

import dataclasses
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.events import Action, Event
from core.settings import Settings
from demo.application import Application, open_application
from tests.integration.indexer import worker_process
from tests.integration.indexer.broker_view import Broker, open_view
from tests.integration.indexer.oracle import Index, open_index
from tests.integration.indexer.waiting import until
from tests.integration.indexer.worker_process import NO_METRICS, PRODUCT, Metrics, Worker

RESTARTS = 5


@dataclass(frozen=True, kw_only=True)
class Scene:
    """All that a test acts upon and looks at."""

    settings: Settings
    folder: Path  # of this test
    application: Application
    broker: Broker
    index: Index

    def worker(
        self, *, command: Sequence[str] = PRODUCT, **changes: Any
    ) -> AbstractAsyncContextManager[Worker]:
        """A worker that is ready; `changes` replace settings."""
        return worker_process.working(self.settings, self.folder, command=command, **changes)

    async def publish(self, *events: Event) -> None:
        """Publish events as they are."""
        await self.application.publish_events(events)

    async def publish_refresh(self, event: Event) -> None:
        """Publish an event as the indexer does for itself, to the batch queue."""
        await self.broker.refresh(event)

    async def shows(
        self, entity: str, entity_id: int, *, within: float = 20, **fields: Any
    ) -> dict[str, Any]:
        """Wait until the stored document has these fields; the document."""
        last: dict[str, Any] | None = None

        async def look() -> dict[str, Any] | None:
            nonlocal last
            last = await self.index.stored(entity, entity_id)
            return last if last and fields.items() <= last.items() else None

        found = await until(
            look, within=within, what=f"{entity} {entity_id} has {fields}", state=lambda: last
        )
        assert found is not None
        return found

    async def is_gone(self, entity: str, entity_id: int, *, within: float = 20) -> None:
        """Wait until there is no document."""

        async def look() -> bool:
            return await self.index.stored(entity, entity_id) is None

        await until(look, within=within, what=f"{entity} {entity_id} has no document")

    async def dead_letters_are(self, count: int, *, within: float = 20) -> None:
        """Wait until there are exactly so many dead letters."""

        async def look() -> bool:
            return await self.broker.dead() == count

        await until(look, within=within, what=f"there are {count} dead letters")

    async def is_drained(self, worker: Worker, *, within: float = 30) -> None:
        """Wait until no event waits and none is held; the worker is stopped then.

        What a worker holds is known for sure only once it is gone: all that it did not acknowledge
        is back in its queue.
        """
        settings = dataclasses.replace(self.settings, sweep_rate=0)
        await drain([worker], self.broker, settings, self.folder, within=within)

    async def agrees(self, worker: Worker, *, within: float = 30) -> None:
        """Drain, then check that index and database are equal and nothing is dead."""
        await self.is_drained(worker, within=within)
        assert (await self.index.verify(patience=0)).kinds() == set()
        assert await self.broker.dead() == 0


async def drain(
    workers: Sequence[Worker],
    broker: Broker,
    settings: Settings,
    folder: Path,
    *,
    within: float,
    command: Sequence[str] = PRODUCT,
) -> Metrics:
    """Stop workers once all is done; what they counted.

    What a stopping worker left is done by another.
    """
    counted = NO_METRICS
    for _ in range(RESTARTS):

        async def is_quiet(held: Sequence[Worker] = workers) -> bool:
            return not await broker.waiting() and not await _pending(held)

        await until(is_quiet, within=within, what="no event waits")
        for worker in workers:
            counted += await worker.metrics()
        assert [await worker.stop() for worker in workers] == [0] * len(workers), [
            worker.tail() for worker in workers
        ]
        if not await broker.waiting():
            return counted
        another = worker_process.spawn(settings, folder, command=command)
        workers = [another]
        await another.ready()
    left = await broker.waiting()
    for worker in workers:
        await worker.stop()
    raise AssertionError(f"{left} wait after {RESTARTS} workers")


async def _pending(workers: Sequence[Worker]) -> float:
    return sum([(await worker.metrics())("pending_changes") for worker in workers])


@asynccontextmanager
async def open_scene(settings: Settings, folder: Path) -> AsyncIterator[Scene]:
    """A scene on a place that is there."""
    async with (
        open_application(settings) as application,
        open_view(settings) as broker,
        open_index(settings) as index,
    ):
        yield Scene(
            settings=settings,
            folder=folder,
            application=application,
            broker=broker,
            index=index,
        )


def late(event: Event, occurred_at: int, action: Action = Action.SAVE) -> Event:
    """The event with another time and action."""
    return event._replace(occurred_at=occurred_at, action=action)
