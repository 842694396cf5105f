"""A steady load: an application that changes sounds all the time, and owes no event for long.

It does what `docs/events.md` asks of a producer: an event whose change was committed, or may have
been, is published as soon as the services let it.
"""

import asyncio
import contextlib
import itertools
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from core.broker import UNAVAILABLE_ERRORS as BROKER_UNAVAILABLE_ERRORS
from core.database import UNAVAILABLE_ERRORS
from core.errors import ServiceUnavailableError
from core.settings import Settings
from demo import writes
from demo.application import Application, open_application
from demo.writes import Write
from tests.integration.indexer.waiting import until

_INTERVAL = 0.01  # seconds between two changes
_PAUSE = 0.2  # seconds until a service that is away is tried again
_AWAY = (ServiceUnavailableError, *UNAVAILABLE_ERRORS, *BROKER_UNAVAILABLE_ERRORS)


class SteadyLoad:
    """Renames, deletes and restores the given sounds in turn."""

    def __init__(self, settings: Settings, sounds: Sequence[int], interval: float) -> None:
        self._settings = settings
        self._interval = interval
        self._turns = itertools.cycle(sounds)
        self._deleted: set[int] = set()
        self._owed: set[int] = set()  # sounds that may have changed without an event
        self._numbers = itertools.count(1)
        self.changes = 0  # whose event the broker has
        self._last_change = time.monotonic()
        self.running: asyncio.Task[None] | None = None

    @property
    def silence(self) -> float:
        """Seconds since the last change."""
        return time.monotonic() - self._last_change

    async def run(self, stop: asyncio.Event) -> None:
        """Change sounds until `stop` is set and nothing is owed."""
        while not stop.is_set() or self._owed:
            try:
                async with open_application(self._settings, connections=2) as application:
                    await self._repay(application)
                    while not stop.is_set():
                        await self._change(application, next(self._turns))
                        await asyncio.sleep(self._interval)
            except _AWAY:
                await asyncio.sleep(_PAUSE)

    async def goes_on(self, changes: int = 30, *, within: float = 40) -> None:
        """Wait until there were so many more changes."""
        wanted = self.changes + changes

        async def reached() -> bool:
            assert not self._has_failed(), self.running
            return self.changes >= wanted

        await until(reached, within=within, what=f"{changes} more changes", state=self._state)

    async def is_stuck(self, *, seconds: float = 0.5, within: float = 20) -> None:
        """Wait until no change came through for a while."""

        async def silent() -> bool:
            assert not self._has_failed(), self.running
            return self.silence >= seconds

        await until(silent, within=within, what="no more changes", state=self._state)

    async def _repay(self, application: Application) -> None:
        """A new change of all that is owed covers whatever came of the old one."""
        for sound in sorted(self._owed):
            await self._apply(application, sound, self._rename(sound))

    async def _change(self, application: Application, sound: int) -> None:
        if sound in self._deleted:
            self._deleted.remove(sound)
            await self._apply(application, sound, writes.restore("sound", sound))
        elif next(self._numbers) % 5 == 0:
            self._deleted.add(sound)
            await self._apply(application, sound, writes.delete("sound", sound))
        else:
            await self._apply(application, sound, self._rename(sound))

    def _rename(self, sound: int) -> Write:
        return writes.rename("sound", sound, f"Take {next(self._numbers)}")

    async def _apply(self, application: Application, sound: int, write: Write) -> None:
        self._owed.add(sound)
        await application.apply(write)
        self._owed.remove(sound)
        self.changes += 1
        self._last_change = time.monotonic()

    def _has_failed(self) -> bool:
        return self.running is not None and self.running.done()

    def _state(self) -> str:
        return f"{self.changes} changes, {len(self._owed)} owed, silent for {self.silence:.1f} s"


@asynccontextmanager
async def steady_load(
    settings: Settings, sounds: Sequence[int], *, interval: float = _INTERVAL
) -> AsyncIterator[SteadyLoad]:
    """A load that runs meanwhile; at the end it owes nothing. `interval` is in seconds."""
    load, stop = SteadyLoad(settings, sounds, interval), asyncio.Event()
    running = load.running = asyncio.create_task(load.run(stop))
    try:
        yield load
        stop.set()
        await asyncio.wait_for(running, 60)
    finally:
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
