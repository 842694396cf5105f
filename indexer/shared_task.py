"""A task in the background that runs while anybody needs it, once for all."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

# Runs until the event is set.
Runner = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


class SharedTask:
    """Started by the first who needs it, stopped after the last."""

    def __init__(self) -> None:
        self._needed_by = 0
        self._stop = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @asynccontextmanager
    async def running(self, runner: Runner) -> AsyncIterator[asyncio.Task[None]]:
        """Meanwhile it runs; whoever comes second gets the first one's."""
        self._needed_by += 1
        if self._task is None or self._task.done():
            self._stop = asyncio.Event()
            self._task = asyncio.create_task(runner(self._stop))
        task, stop = self._task, self._stop
        try:
            yield task
        finally:
            self._needed_by -= 1
            if not self._needed_by:
                stop.set()
                with contextlib.suppress(Exception):  # who looks at the task has seen it
                    await task
