"""Pressure: whether more comes in than can be answered, as the event loop's lateness tells.

Answers take microseconds and are made one after the other, so there is nothing to count: in
overload requests wait in the loop, and what is due in it comes late.
"""

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import Final

_INTERVAL: Final = 0.05  # seconds between two looks
TOO_LATE: Final = 0.5  # seconds; whoever types has typed on by then


class Pressure:
    """Looks at the clock again and again."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due = float("inf")  # when the next look is due
        self._looking: asyncio.Task[None] | None = None

    @property
    def is_high(self) -> bool:
        """Whether requests wait for so long that nobody wants their answers any more."""
        return self._clock() - self._due > TOO_LATE

    def start(self) -> None:
        """Look from now on; within an event loop."""
        self._looking = asyncio.create_task(self._look())

    async def stop(self) -> None:
        """Look no more."""
        if self._looking is not None:
            self._looking.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._looking

    async def _look(self) -> None:
        while True:
            self._due = self._clock() + _INTERVAL
            await asyncio.sleep(_INTERVAL)
