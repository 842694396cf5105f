"""Services: what the dashboard asks of the broker, the engine and the store of rank editions."""

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from aio_pika.abc import AbstractConnection
from aiormq.exceptions import ChannelNotFoundEntity
from elasticsearch import AsyncElasticsearch

from core.broker import (
    BATCH_QUEUE,
    DEAD_QUEUE,
    INTERACTIONS_QUEUE,
    INTERACTIVE_QUEUE,
    URGENT_QUEUE,
    open_broker,
)
from core.live_ranks import live_slot
from core.rank_bucket import open_rank_store
from core.rank_editions import RankStore, Slot
from core.settings import Settings
from indexer import operations
from query_api.dashboard import readings
from query_api.dashboard.readings import DEADLINE, Reading

_RANKS_EVERY: Final = 30.0  # seconds
QUEUES: Final = (URGENT_QUEUE, INTERACTIVE_QUEUE, BATCH_QUEUE, DEAD_QUEUE, INTERACTIONS_QUEUE)
_STATISTICS: Final = "indices.*.primaries.docs.count,indices.*.total.store.size_in_bytes"


@dataclass(frozen=True, kw_only=True)
class Queue:
    """A queue of the broker."""

    waiting: int  # messages that nobody holds
    consumers: int


@dataclass(frozen=True, kw_only=True)
class Index:
    """An index of ours in the engine."""

    entity: str
    name: str
    state: str  # of the generation
    documents: int  # nested ones included
    bytes: int  # all copies together
    created_at: datetime


@dataclass(frozen=True, kw_only=True)
class Ranks:
    """The rank edition that searches use, and the newest that was calculated."""

    live: str | None  # name of an edition; None: searches use no ranks
    newest: str | None
    # Of the live one, or of the newest where none is live:
    moment: datetime  # what it was calculated for
    iterations: int
    residuals: Sequence[float]  # L1 change of all scores in each iteration
    error_bound: float | None  # L1 distance to the true scores, at most


@dataclass(frozen=True, kw_only=True)
class Found:
    """All that was asked, at one time."""

    queues: Reading[Mapping[str, Queue]]
    indices: Reading[Sequence[Index]]
    ranks: Reading[Ranks | None]  # None: there is no edition


class ServiceReader:
    """Asks the services, each with a deadline, all at once."""

    def __init__(self, settings: Settings, engine: AsyncElasticsearch) -> None:
        self._settings = settings
        self._engine = engine.options(request_timeout=DEADLINE)
        self._ranks: Reading[Ranks | None] = readings.nothing("not asked yet")
        self._ranks_at = -math.inf  # when they were read, of the monotonic clock

    async def ask(self) -> Found:
        """What the services say now."""
        queues, indices, ranks = await asyncio.gather(
            readings.read("RabbitMQ", self._queues()),
            readings.read("Elasticsearch", self._indices()),
            self._current_ranks(),
        )
        return Found(queues=queues, indices=indices, ranks=ranks)

    async def _queues(self) -> Mapping[str, Queue]:
        async with open_broker(self._settings, name="disco dashboard") as connection:
            found = [(name, await _queue(connection, name)) for name in QUEUES]
        return {name: queue for name, queue in found if queue is not None}

    async def _indices(self) -> Sequence[Index]:
        generations = await operations.known_generations(self._engine, self._settings)
        statistics = await self._engine.indices.stats(
            index=f"{self._settings.index_prefix}-*", metric="docs,store", filter_path=_STATISTICS
        )
        counted = statistics.get("indices", {})
        return [
            Index(
                entity=one.name.entity,
                name=one.index,
                state=str(one.state),
                documents=counted[one.index]["primaries"]["docs"]["count"],
                bytes=counted[one.index]["total"]["store"]["size_in_bytes"],
                created_at=one.name.created_at,
            )
            for one in generations
            if one.index in counted  # else it was deleted in between
        ]

    async def _current_ranks(self) -> Reading[Ranks | None]:
        """What the store says; it is asked rarely, for it may be far away and changes rarely."""
        if time.monotonic() - self._ranks_at >= _RANKS_EVERY:
            self._ranks = await readings.read("the store of rank editions", self._read_ranks())
            self._ranks_at = time.monotonic()
        return self._ranks

    async def _read_ranks(self) -> Ranks | None:
        slot = await live_slot(self._engine, self._settings.index_prefix)
        return await asyncio.to_thread(_ranks_in, open_rank_store(self._settings), slot)


async def _queue(connection: AbstractConnection, name: str) -> Queue | None:
    """A queue; None if it was never declared."""
    channel = await connection.channel()  # the broker closes it if there is no such queue
    try:
        queue = await channel.declare_queue(name, passive=True)
    except ChannelNotFoundEntity:
        return None
    told = queue.declaration_result
    return Queue(waiting=told.message_count or 0, consumers=told.consumer_count or 0)


def _ranks_in(store: RankStore, slot: Slot | None) -> Ranks | None:
    """What a store has; None if it has no edition. Raises `RankStoreError`."""
    newest = next(iter(store.names()), None)
    live = store.slots().edition(slot) if slot else None
    if (shown := live or newest) is None:
        return None
    manifest = store.open(shown).manifest
    solution = manifest["solution"]
    return Ranks(
        live=live,
        newest=newest,
        moment=datetime.fromisoformat(manifest["moment"]),
        iterations=solution["iterations"],
        residuals=solution["residuals"],
        error_bound=solution["error_bound"],
    )
