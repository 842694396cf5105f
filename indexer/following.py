"""Following: the progress of a build, until its generation is ready.

Who follows a build does its work himself as long as nobody else does.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import replace

from indexer.build_progress import Progress, progress_of
from indexer.builds import Build, Phase
from indexer.errors import IndexerError, ScanRejectedError, TemporarilyUnavailableError
from indexer.obstacles import obstacle_to
from indexer.range_messages import consumers
from indexer.services import Services
from indexer.worker import Worker

_LOOK = 0.1  # seconds between two looks at a build
_CONSUMERS_LOOK = 2.0  # seconds between two looks at who does the work
_OBSTACLE_LOOK = 2.0  # seconds between two looks at what it waits for


class BuildEndedError(IndexerError):
    """A build was cancelled, or its index deleted, while it was followed."""

    exit_code = 1


async def follow(
    services: Services, entity: str, index: str, *, assisting: bool = True
) -> AsyncIterator[Progress]:
    """Yield the progress of a build until its generation is ready.

    When `assisting`, do its work if nobody else does. Raises `ScanRejectedError` when it has
    failed, `BuildEndedError` when it was cancelled. A lost service is waited for.
    """
    lookout = _Lookout(services)
    now, _ = await services.fence.wait()
    began = now - time.monotonic_ns() // 1000
    async with AsyncExitStack() as stack:
        assistance = _Assistance(services, stack)
        while True:
            if assisting:
                await assistance.offer()
            build = await _look(services, entity, index)
            if build is not None:
                progress = progress_of(build, began + time.monotonic_ns() // 1000)
                yield replace(progress, waits_for=await lookout.look(build))
                if build.phase is Phase.COMPLETE:
                    return
                if build.phase is Phase.FAILED:
                    raise ScanRejectedError(f"{index}: {build.failure}")
            await asyncio.sleep(_LOOK)


class _Assistance:
    """The work of a build, done by who follows it while there is no worker."""

    def __init__(self, services: Services, stack: AsyncExitStack) -> None:
        self._services = services
        self._stack = stack
        self._task: asyncio.Task[None] | None = None
        self._next_look = 0.0

    async def offer(self) -> None:
        """Look whether there are workers, from time to time; if there are none, become one."""
        if self._task is not None:
            if self._task.done():
                self._task.result()  # raises what it ended with
            return
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _CONSUMERS_LOOK
        if await consumers(self._services.settings) == 0:
            worker = Worker(self._services, background_only=True)
            self._task = await self._stack.enter_async_context(
                self._services.assistant.running(worker.run_background)
            )


class _Lookout:
    """What a build waits for, asked from time to time."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._seen = ""
        self._next_look = 0.0

    async def look(self, build: Build) -> str:
        """What it waits for now, or did a moment ago."""
        if time.monotonic() >= self._next_look:
            self._next_look = time.monotonic() + _OBSTACLE_LOOK
            self._seen = await obstacle_to(self._services, build)
        return self._seen if build.is_under_way else ""


async def _look(services: Services, entity: str, index: str) -> Build | None:
    """The record of a build as it is now; None while the engine is away."""
    try:
        entry = await services.journal.read(entity)
    except TemporarilyUnavailableError:
        return None
    if entry is None or entry.build.index != index or entry.build.phase is Phase.CANCELLED:
        raise BuildEndedError(f"the build of {index} was cancelled; what is live stays live")
    return entry.build
