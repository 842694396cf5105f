"""Holds: a generation takes no writes for a moment, because it is copied.

Writes that meet a hold are tried again, and searches go on. A process can be killed while it holds
a generation; then whoever writes to it lifts the hold.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

from core.telemetry import logger
from indexer.errors import TemporarilyUnavailableError
from indexer.generation import Generation
from indexer.generations import Generations

LONGEST_HOLD = 10.0  # seconds after which who holds a generation gives up
# Seconds after which nobody holds it any more; with time to spare for lifting it.
OVERDUE = LONGEST_HOLD + 5.0

log = logger("holds")


@asynccontextmanager
async def held(generations: Generations, generation: Generation) -> AsyncIterator[None]:
    """Meanwhile the generation takes no writes, but for no longer than `LONGEST_HOLD`.

    Raises `TemporarilyUnavailableError` after that.
    """
    try:
        async with asyncio.timeout(LONGEST_HOLD):
            await generations.hold(generation)
            yield
    except TimeoutError as error:
        late = f"{generation.index} was not copied within {LONGEST_HOLD:.0f} s"
        raise TemporarilyUnavailableError("Elasticsearch", late) from error
    finally:
        await generations.lift(generation)


class Watch:
    """Notices holds that nobody lifts any more."""

    def __init__(self) -> None:
        self._since: dict[str, float] = {}  # by index, when it was first seen as held

    def overdue(self, generations: Iterable[Generation], now: float) -> list[Generation]:
        """Those that were seen as held for too long; `now` is monotonic seconds."""
        held_now = [one for one in generations if one.is_held]
        self._since = {one.index: self._since.get(one.index, now) for one in held_now}
        return [one for one in held_now if now - self._since[one.index] > OVERDUE]

    async def lift_overdue(
        self, generations: Generations, known: Iterable[Generation], now: float
    ) -> None:
        """Lift the holds that nobody else will."""
        for one in self.overdue(known, now):
            await generations.lift(one)
            log.warning("hold_lifted", index=one.index)
