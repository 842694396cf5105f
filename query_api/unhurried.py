"""Unhurried searches: those that are made to be measured. Nobody waits for a single one."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Final, TypeVar

from core.settings import Settings

#: Seconds that one is given at least: one that is cut measures nothing.
PATIENCE: Final = 30.0
_AT_ONCE: Final = 4  # more would only wait for each other

Found = TypeVar("Found")


def deadline_of(settings: Settings) -> float:
    """Seconds that one may take."""
    return max(settings.search_deadline, PATIENCE)


async def each(
    texts: Mapping[str, str], search: Callable[[str], Awaitable[Found]]
) -> dict[str, Found]:
    """What a search for each of the texts comes to, by the texts' ids; a few go on at once."""
    room = asyncio.Semaphore(_AT_ONCE)

    async def found(text: str) -> Found:
        async with room:
            return await search(text)

    return dict(zip(texts, await asyncio.gather(*map(found, texts.values())), strict=True))
