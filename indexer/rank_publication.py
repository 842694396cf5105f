"""Publishing a rank edition: into the slot that is not live, and then the slots change places.

1. The record of the slots names the edition; workers follow it within a lease.
2. Every document is compared with what it should have. Refresh events are sent for those that
   differ, through the batch queue, and for no others.
3. When none differs any more, queries are led to the slot.

Killed anywhere before the last step it leaves the live slot as it was; done again, it goes on where
it stopped, because what is compared is what documents hold.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np

from core.broker import declare_topology, open_broker
from core.live_ranks import live_slot
from core.rank_editions import Edition, RankTable, Slot, Slots
from indexer import rank_alias
from indexer.cascade import RefreshPublisher
from indexer.changes import Key
from indexer.errors import IndexerError, engine_within_reach
from indexer.generation import Generation
from indexer.names import generation_pattern
from indexer.recording import log_of
from indexer.routes import LEASE_SECONDS
from indexer.services import Services

_PAGE: Final = 10_000  # the engine's largest
_LOOK: Final = 1_000  # documents that are looked at together
_PAUSE: Final = 0.2
_ROUNDS: Final = 5  # comparisons, as long as the last found something
_STANDSTILL: Final = 60.0  # seconds without any progress


class NoRankedIndexError(IndexerError):
    """No index has fields for ranks yet. Build them anew: `disco index reindex`."""


class NoOtherEditionError(IndexerError):
    """There is no edition in the other slot that could be gone back to."""


class HalfPublishedError(IndexerError):
    """The edition to go back to is not in all documents. Publish it again, which goes on."""


class StandstillError(IndexerError):
    """Documents do not get their ranks. See whether a worker runs; then publish again."""


@dataclass(frozen=True, kw_only=True)
class RankState:
    """What documents have in their slots, and which one queries read."""

    slots: Slots
    live: Slot | None  # None: no index has ranks

    @property
    def live_edition(self) -> str | None:
        """The edition that queries read; None if there is none."""
        return self.slots.edition(self.live) if self.live else None


@dataclass(frozen=True, kw_only=True)
class Stage:
    """How far a publication is."""

    name: str  # "compared", "indexing", "indexed", "live"
    documents: dict[str, int] = field(default_factory=dict)  # by entity type
    changed: dict[str, int] = field(default_factory=dict)  # documents whose rank was another
    left: int = 0  # of those, still to be indexed


async def state(services: Services) -> RankState:
    """The slots as they are."""
    with engine_within_reach():
        live = await live_slot(services.engine, services.settings.index_prefix)
    return RankState(slots=await asyncio.to_thread(services.ranks.store.slots), live=live)


async def publish(
    services: Services,
    name: str,
    *,
    check: Callable[[str | None], Awaitable[None]] | None = None,
    override: str | None = None,
    dry_run: bool = False,
) -> AsyncIterator[Stage]:
    """Have queries use an edition; yields stages. With `dry_run` only the first, which counts.

    `check` is given the live edition, and raises if this one must not take its place. Nobody else
    can change what is live meanwhile.

    Raises:
        RankStoreError: the edition is missing or damaged.
        NoRankedIndexError, StandstillError: see there.
        OperationInProgressError: somebody else publishes.
    """
    publication = await _opened(services, name)
    if dry_run:
        before = await state(services)
        if check is not None:
            await check(before.live_edition)
        yield await publication.compared(_target(before, name))
        return
    async with log_of(services).record(
        "rank.publish", name, alone=True, whole_area=True, override=override
    ) as entry:
        before = await state(services)
        if check is not None:
            await check(before.live_edition)
        slot = _target(before, name)
        after = RankState(slots=before.slots.with_edition(slot, name), live=slot)
        await entry.plan(before=_document(before), after=_document(after))
        async for stage in publication.run(before, after, slot):
            entry.progress = {"stage": stage.name, "left": stage.left}
            yield stage


async def roll_back(
    services: Services, *, override: str | None = None, dry_run: bool = False
) -> tuple[RankState, RankState]:
    """Lead queries to the other slot; the states before and after.

    Documents always hold both ranks, so that nothing has to be indexed. They are compared all the
    same: a publication that was cut short leaves the other slot half filled.

    Raises:
        NoRankedIndexError, NoOtherEditionError: see there.
        HalfPublishedError: some documents lack their rank there, and that is not overridden.
        OperationInProgressError: somebody else publishes.
    """
    before = await state(services)
    after = _rolled_back(before)
    if dry_run:
        if override is None:
            await _check_complete(services, after)
        return before, after
    subject = after.live_edition
    assert subject is not None, "or there would be nothing to go back to"
    async with log_of(services).record(
        "rank.rollback", subject, alone=True, whole_area=True, override=override
    ) as entry:
        before = await state(services)
        after = _rolled_back(before)
        if override is None:
            await _check_complete(services, after)
        await entry.plan(before=_document(before), after=_document(after))
        assert after.live is not None
        await _lead(services, after.live)
    return before, after


def _rolled_back(before: RankState) -> RankState:
    if before.live is None:
        raise NoRankedIndexError("no index has fields for ranks; run `disco index reindex`")
    after = replace(before, live=before.live.other)
    if after.live_edition is None:
        raise NoOtherEditionError("no edition was published before the live one")
    return after


async def _check_complete(services: Services, wanted: RankState) -> None:
    """Raises `HalfPublishedError` unless documents have all ranks of what shall be live."""
    assert wanted.live is not None
    assert wanted.live_edition is not None
    name = wanted.live_edition
    found = await (await _opened(services, name)).compared(wanted.live)
    if found.left:
        raise HalfPublishedError(
            f"{found.left:,} documents do not have the rank that {name} gives them: its "
            f"publication was cut short. `disco rank publish {name}` goes on with it; "
            "--override REASON leads searches to it as it is"
        )


async def _opened(services: Services, name: str) -> "_Publication":
    """An edition, ready to be published; its files may come from far away."""
    store = services.ranks.store
    return await asyncio.to_thread(lambda: _Publication(services, store.open(name)))


class _Publication:
    """One edition on its way into one slot."""

    def __init__(self, services: Services, edition: Edition) -> None:
        self._services = services
        # All files are checked now, before anything is changed.
        self._tables = {kind: edition.table(kind) for kind in edition.types}
        self._counts: dict[str, int] = {}
        self._changed: dict[str, int] = {}

    async def run(self, before: RankState, after: RankState, slot: Slot) -> AsyncIterator[Stage]:
        """All stages."""
        if after.slots != before.slots:
            await asyncio.to_thread(self._services.ranks.store.record, after.slots)
            await asyncio.sleep(LEASE_SECONDS)  # until every worker knows
        yield await self.compared(slot)
        outdated = await self._outdated(slot)
        for _ in range(_ROUNDS):
            if not outdated:
                break
            await self._send(outdated)
            async for left in self._await(outdated, slot):
                yield self._stage("indexing", left)
            for generation in await self._generations():
                await self._services.generations.refresh(generation)
            outdated = await self._outdated(slot)
        if outdated:
            raise StandstillError(
                f"{len(outdated):,} documents still have another rank after {_ROUNDS} rounds, for "
                f"example {outdated[0][0]} {outdated[0][1]}; see `disco dead-letters list`"
            )
        yield self._stage("indexed")
        await _lead(self._services, slot)
        yield self._stage("live")

    async def compared(self, slot: Slot) -> Stage:
        """How many documents there are, and how many have another rank in a slot."""
        outdated = await self._outdated(slot)
        self._changed = dict.fromkeys(self._counts, 0)
        for kind, _ in outdated:
            self._changed[kind] += 1
        return self._stage("compared", len(outdated))

    def _stage(self, name: str, left: int = 0) -> Stage:
        return Stage(name=name, documents=self._counts, changed=self._changed, left=left)

    async def _generations(self) -> list[Generation]:
        ranked = [one for one in await self._services.generations.list() if one.recipe.ranked]
        if not ranked:
            raise NoRankedIndexError("no index has fields for ranks; run `disco index reindex`")
        return ranked

    async def _outdated(self, slot: Slot) -> list[Key]:
        """Entities of which a document, in any generation, has another rank than it should."""
        found: dict[Key, None] = {}
        self._counts = {}
        for generation in await self._generations():
            entity = generation.recipe.entity
            count = 0
            async for ids, ranks in self._pages(generation, slot):
                count += len(ids)
                wrong = ids[self._table(entity).of(ids) != ranks]
                found |= dict.fromkeys((entity, one) for one in wrong.tolist())
            self._counts[entity] = max(count, self._counts.get(entity, 0))
        return list(found)

    def _table(self, entity: str) -> RankTable:
        return self._tables.get(entity) or RankTable(
            ids=np.empty(0, np.int64), ranks=np.empty(0, np.uint8)
        )

    async def _pages(
        self, generation: Generation, slot: Slot
    ) -> AsyncIterator[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]:
        """Ids and ranks of all documents that can be searched, some at a time."""
        # Sort values come back without touching any stored field: all that is asked is in them.
        body: dict[str, Any] = {
            "index": generation.index,
            "size": _PAGE,
            "sort": [{"id": "asc"}, {slot.field: {"order": "asc", "missing": 0}}],
            "source": False,
            "stored_fields": "_none_",
            "track_total_hits": False,
            "allow_partial_search_results": False,
            "filter_path": ["hits.hits.sort"],
        }
        await self._services.generations.refresh(generation)
        while True:
            with engine_within_reach():
                answer = await self._services.engine.search(**body)
            pairs = [hit["sort"] for hit in answer.get("hits", {}).get("hits", [])]
            if pairs:
                flat = np.array(pairs, dtype=np.int64)
                yield flat[:, 0], flat[:, 1]
            if len(pairs) < _PAGE:
                return
            body["search_after"] = pairs[-1]

    async def _send(self, keys: Sequence[Key]) -> None:
        now, _ = await self._services.fence.wait()
        async with open_broker(self._services.settings, name="disco rank publish") as connection:
            channel = await connection.channel()
            await declare_topology(channel, self._services.settings)
            await RefreshPublisher(channel).publish([(key, now) for key in keys])

    async def _await(self, keys: Sequence[Key], slot: Slot) -> AsyncIterator[int]:
        """Wait until documents have their ranks, in the order of the events; how many are left."""
        left, moved = list(keys), time.monotonic()
        while left:
            chunk, behind = left[:_LOOK], left[_LOOK:]
            waiting = await self._waiting(chunk, slot)
            if len(waiting) < len(chunk):
                moved = time.monotonic()
            left = [*waiting, *behind]
            yield len(left)
            if not waiting:
                continue
            if time.monotonic() - moved > _STANDSTILL:
                raise StandstillError(
                    f"{len(left):,} documents wait for their ranks, and nothing happens; start a "
                    "worker (`disco work indexer`), and publish again"
                )
            await asyncio.sleep(_PAUSE)

    async def _waiting(self, keys: Sequence[Key], slot: Slot) -> list[Key]:
        """Those whose documents have another rank, searchable or not."""
        waiting: dict[Key, None] = {}
        for generation in await self._generations():
            entity = generation.recipe.entity
            ids = [one for kind, one in keys if kind == entity]
            if not ids:
                continue
            wanted = self._table(entity).of(np.array(ids, dtype=np.int64)).tolist()
            with engine_within_reach():
                answer = await self._services.engine.mget(
                    index=generation.index,
                    ids=[str(one) for one in ids],
                    source_includes=[slot.field],
                    filter_path=["docs.found", f"docs._source.{slot.field}"],
                )
            for one, rank, document in zip(ids, wanted, answer["docs"], strict=True):
                held = document.get("_source", {}).get(slot.field, 0)
                if document.get("found") and held != rank:
                    waiting[entity, one] = None
        return [key for key in keys if key in waiting]


def _target(before: RankState, name: str) -> Slot:
    """The slot for an edition: where it is already, else the one that is not live."""
    if before.live is None:
        raise NoRankedIndexError("no index has fields for ranks; run `disco index reindex`")
    return before.slots.slot_of(name) or before.live.other


async def _lead(services: Services, slot: Slot) -> None:
    indices = await rank_alias.live_slots(services.engine, _pattern(services))
    await rank_alias.lead(services.engine, list(indices), slot)


def _pattern(services: Services) -> str:
    return generation_pattern(services.settings.index_prefix)


def _document(one: RankState) -> dict[str, Any]:
    return {"a": one.slots.a, "b": one.slots.b, "live": str(one.live) if one.live else None}
