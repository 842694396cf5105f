"""The database, for the few requests that need it: opened at the first of them."""

import asyncio
from contextlib import AsyncExitStack

from core.database import Pool, open_pool
from core.settings import Settings


class Database:
    """The primary. Searches never need it, so the process starts and serves without."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._stack = AsyncExitStack()
        self._opening = asyncio.Lock()
        self._pool: Pool | None = None

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
