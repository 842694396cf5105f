"""What may take longer than a request: it goes on when nobody waits for it any more."""

import asyncio
import contextlib
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Lasting:
    """Work that is waited for, but not for ever. What became of it, the operation log tells."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    async def within(self, seconds: float, work: Coroutine[Any, Any, T]) -> T | None:
        """What it gives, or raises; None: it is not done so soon, and goes on."""
        task = self.begin(work)
        await asyncio.wait({task}, timeout=seconds)
        return task.result() if task.done() else None

    def begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Have it done; nobody need wait for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def close(self) -> None:
        """Give up what is still being done."""
        for task in self._tasks:
            task.cancel()
        for task in [*self._tasks]:
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        # An error is told even if nobody waited for it.
        _ = task.cancelled() or task.exception()
