"""Waiting for a condition, with a deadline: what the tests do instead of sleeping."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")
_PAUSE = 0.03


async def until(
    condition: Callable[[], Awaitable[T]],
    *,
    within: float,
    what: str,
    state: Callable[[], object] | None = None,
) -> T:
    """Ask until the answer is true, and return it.

    Fails the test after `within` seconds; the message has `what`, the last answer, and what
    `state` tells then.
    """
    deadline = time.monotonic() + within
    while True:
        answer = await condition()
        if answer:
            return answer
        if time.monotonic() >= deadline:
            told = f"\n{state()}" if state else ""
            raise AssertionError(f"not within {within:g} s: {what}; last answer: {answer!r}{told}")
        await asyncio.sleep(_PAUSE)
