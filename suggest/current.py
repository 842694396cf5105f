"""The current engine: follows the store's pointer, and changes snapshots between two requests.

A new snapshot is checked, mapped and warmed up by a thread, while requests go on being answered
from the former. One that is no good is refused, and the former stays.
"""

import asyncio
import time
from pathlib import Path
from typing import Final

from core import telemetry
from core.errors import DiscoError
from suggest import metrics
from suggest.engine import Engine
from suggest.store import Store, mark_of

INTERVAL: Final = 0.2  # seconds between two looks at the pointer

_log = telemetry.logger("suggest")


class Current:
    """The engine that answers, and what it answers from."""

    def __init__(self, store: Store) -> None:
        self.engine: Engine | None = None
        self._store = store
        self._seen: tuple[int, int] | None = None
        self._fault = "nothing was published yet; run `disco suggest publish`"

    @property
    def missing(self) -> list[str]:
        """What is missing, with the remedy; empty if requests can be answered."""
        if self.engine is not None:
            return []
        return [f"snapshot in {self._store.folder}: {self._fault}"]

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
            path, engine = await asyncio.to_thread(self._open)
        except DiscoError as error:
            self._refuse(str(error))
        else:
            self._serve(engine, path)
        # What changed meanwhile has another mark, and is looked at next time.
        self._seen = mark

    def _open(self) -> tuple[Path, Engine]:
        edition = self._store.published()
        path = self._store.path_of(edition or "none")
        return path, Engine.open(path)

    def _serve(self, engine: Engine, path: Path) -> None:
        former = self.engine.edition if self.engine else None
        self.engine = engine
        metrics.SWAPS.labels("served").inc()
        metrics.SNAPSHOT_PHRASES.set(engine.snapshot.facts["phrases"])
        metrics.SNAPSHOT_LOADED.set(time.time())
        _log.info("snapshot_served", edition=engine.edition, former=former, path=str(path))

    def _refuse(self, fault: str) -> None:
        self._fault = fault
        metrics.SWAPS.labels("refused").inc()
        _log.error("snapshot_refused", reason=fault)
