"""The current snapshot: follows the store's pointer, and changes snapshots between two requests.

A new snapshot is checked, mapped and warmed up by a thread, and its overlay catches up with what
happened since its build, while requests go on being answered from the former. One that is no good
is refused, and the former stays.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from core import telemetry
from core.errors import DiscoError
from suggest import metrics
from suggest.engine import Engine
from suggest.feed import Feed, State
from suggest.layers import Layers
from suggest.positions import Position
from suggest.store import Store, mark_of

INTERVAL: Final = 0.2  # seconds between two looks at the pointer
_PATIENCE: Final = 15.0  # seconds that a snapshot waits for its overlay, before it is served anyway

_log = telemetry.logger("suggest")

#: The feed of a snapshot's overlay, of its layers and its position.
MakeFeed = Callable[[Layers, Position | None], Feed]


class Current:
    """What answers: a snapshot and what lies above it."""

    def __init__(self, store: Store, make_feed: MakeFeed | None = None) -> None:
        """Without `make_feed` there is no overlay."""
        self.layers: Layers | None = None
        self._store = store
        self._make_feed = make_feed
        self._feed: Feed | None = None
        self._feeding: asyncio.Task[None] | None = None
        self._seen: tuple[int, int] | None = None
        self._fault = "nothing was published yet; run `disco suggest publish`"

    @property
    def missing(self) -> list[str]:
        """What is missing, with the remedy; empty if requests can be answered."""
        if self.layers is not None:
            return []
        return [f"snapshot in {self._store.folder}: {self._fault}"]

    @property
    def state(self) -> State:
        """The state of the overlay."""
        return self._feed.state if self._feed else State.OFF

    async def follow(self) -> None:
        """Look at the pointer for ever."""
        while True:
            await self.look()
            await asyncio.sleep(INTERVAL)

    async def look(self) -> None:
        """Serve what the pointer names, if it changed."""
        mark = mark_of(self._store.pointer)
        if mark is None or mark == self._seen:
            return
        try:
            path, engine, position = await asyncio.to_thread(self._open)
        except DiscoError as error:
            self._refuse(str(error))
        else:
            await self._serve(engine, path, position)
        # What changed meanwhile has another mark, and is looked at next time.
        self._seen = mark

    async def close(self) -> None:
        """Follow no changes any more."""
        if self._feeding is not None:
            self._feeding.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._feeding
            self._feeding = None

    def report(self) -> None:
        """Set the metrics of the overlay."""
        for state in State:
            metrics.OVERLAY_STATE.labels(state).set(state is self.state)
        if self._feed is not None:
            metrics.OVERLAY_ENTITIES.set(self._feed.overlay.entities)
            metrics.OVERLAY_PHRASES.set(self._feed.overlay.phrases)
            metrics.OVERLAY_WAITING.set(self._feed.waiting)

    def _open(self) -> tuple[Path, Engine, Position | None]:
        edition = self._store.published() or "none"
        path = self._store.path_of(edition)
        return path, Engine.open(path), self._store.position_of(edition)

    async def _serve(self, engine: Engine, path: Path, position: Position | None) -> None:
        former = self.layers.base.edition if self.layers else None
        layers, feed, feeding = Layers(engine), None, None
        if self._make_feed is not None:
            feed = await asyncio.to_thread(self._make_feed, layers, position)
            feeding = asyncio.create_task(_run(feed))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(feed.settled.wait(), _PATIENCE)
        await self.close()
        self.layers, self._feed, self._feeding = layers, feed, feeding
        metrics.SWAPS.labels("served").inc()
        metrics.SNAPSHOT_PHRASES.set(engine.snapshot.facts["phrases"])
        metrics.SNAPSHOT_LOADED.set(time.time())
        _log.info("snapshot_served", edition=engine.edition, former=former, path=str(path))

    def _refuse(self, fault: str) -> None:
        self._fault = fault
        metrics.SWAPS.labels("refused").inc()
        _log.error("snapshot_refused", reason=fault)


async def _run(feed: Feed) -> None:
    """Run a feed; a defect ends the overlay, not the service."""
    try:
        await feed.run()
    except Exception as error:  # noqa: BLE001 - whatever it is, names can be suggested without it
        _log.exception("overlay_failed", error=repr(error))
