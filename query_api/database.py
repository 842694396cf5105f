"""The database, for the few requests that need it: opened at the first of them."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from typing import Final, TypeVar

from core.database import Pool, open_pool
from core.errors import ServiceUnavailableError
from core.settings import Settings
from query_api.breaker import Breaker

PATIENCE: Final = 1.0  # seconds in which the primary has to answer
T = TypeVar("T")


class Database:
    """The primary. Searches never need it, so the process starts and serves without."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._pool: Pool | None = None
        self._breaker = Breaker("database", (ServiceUnavailableError,))
        self._given_up: set[asyncio.Task[object]] = set()

    async def ask(self, question: Callable[[Pool], Awaitable[T]]) -> T:
        """What comes of a question to the primary, in `PATIENCE` seconds at the latest.

        Raises `ServiceUnavailableError`: it does not answer, or did not the last times.
        """
        with self._breaker.call():
            # A task, since a call of a server that hangs takes its time to be cancelled, too.
            asking = asyncio.ensure_future(self._asked(question))
            try:
                done, _ = await asyncio.wait({asking}, timeout=PATIENCE)
            except asyncio.CancelledError:
                self._give_up(asking)
                raise
            if not done:
                self._give_up(asking)
                raise ServiceUnavailableError(
                    f"PostgreSQL does not answer within {PATIENCE:g} s; look at its load"
                )
            return asking.result()

    async def primary(self) -> Pool:
        """The pool of the primary; raises `ServiceUnavailableError`."""
        async with self._opening:
            if self._pool is None:
                opening = open_pool(
                    self._settings.database_url, application="disco query api", size=4
                )
                self._pool = await self._stack.enter_async_context(opening)
            return self._pool

    async def close(self) -> None:
        """Close what was opened."""
        await self._stack.aclose()
        await asyncio.gather(*self._given_up, return_exceptions=True)

    async def _asked(self, question: Callable[[Pool], Awaitable[T]]) -> T:
        return await question(await self.primary())

    def _give_up(self, asking: "asyncio.Task[T]") -> None:
        asking.cancel()
        self._given_up.add(asking)
        asking.add_done_callback(self._forget)

    def _forget(self, asking: "asyncio.Task[object]") -> None:
        self._given_up.discard(asking)
        if not asking.cancelled():
            asking.exception()  # told already: it came too late
