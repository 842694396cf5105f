"""Outcomes: what people did with what they found, and what judges said of it, in the background.

The log is read with DuckDB, which takes longer than anybody waits for a page: what was found last
is shown, and asked for anew now and then, one reading at a time.
"""

import asyncio
import contextlib
import math
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from core.errors import UsageError
from core.settings import Settings
from query_api.dashboard import readings
from query_api.dashboard.readings import Reading
from query_api.trials import FollowedTrials

if TYPE_CHECKING:
    from evaluation.experiment_operations import Standing
    from evaluation.judgment_operations import KeptValue
    from evaluation.online_operations import OnlineFigures

PERIOD: Final = timedelta(hours=24)
QUARTER: Final = timedelta(days=90)  # of results by judgments: they are made seldom
_EVERY: Final = 120.0  # seconds between two readings
_DEADLINE: Final = 60.0  # seconds that one may take

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True)
class Clicks:
    """What people did with the searches of the last `PERIOD`."""

    variants: "Sequence[OnlineFigures]"  # by variant
    hours: "Sequence[OnlineFigures]"  # by variant and hour
    standing: "Standing | None"  # of the experiment that runs


class Background(Generic[T]):
    """A reading that is renewed now and then, while somebody asks for it."""

    def __init__(self, what: str, asking: Callable[[], Awaitable[T]]) -> None:
        self._what = what
        self._asking = asking
        self._latest: Reading[T] = readings.nothing("being asked for; known in a moment")
        self._asked_at = -math.inf
        self._task: asyncio.Task[None] | None = None

    def latest(self) -> Reading[T]:
        """What is known, at once; it is asked for anew if that is some time ago."""
        idle = self._task is None or self._task.done()
        if idle and time.monotonic() - self._asked_at >= _EVERY:
            self._asked_at = time.monotonic()
            self._task = asyncio.create_task(self._renew())
        return self._latest

    async def close(self) -> None:
        """Give up what is being asked."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _renew(self) -> None:
        self._latest = await readings.read(self._what, self._asking(), deadline=_DEADLINE)


def clicks_of(settings: Settings, trials: FollowedTrials) -> Background[Clicks]:
    """The clicks of an installation, and how what it tries stands by them."""

    async def ask() -> Clicks:
        # DuckDB and Arrow are loaded when somebody first watches.
        from evaluation.online_operations import Dimension, online_measures  # noqa: PLC0415
        from query_api import experiment_operations  # noqa: PLC0415

        if settings.interactions != "on":
            raise UsageError("searches are not logged: the setting interactions is off")
        until = datetime.now(UTC)
        asked = (settings, until - PERIOD, until)
        by_variant = await online_measures(*asked, [Dimension.VARIANT])
        by_hour = await online_measures(*asked, [Dimension.VARIANT, Dimension.HOUR])
        running = trials.current().experiment
        standing = (
            await experiment_operations.standing(settings, running, "reciprocal_rank")
            if running
            else None
        )
        return Clicks(variants=by_variant.figures, hours=by_hour.figures, standing=standing)

    return Background("the log of searches", ask)


def judged_of(settings: Settings) -> "Background[Sequence[KeptValue]]":
    """What variants reached by sets of judgments in the last `QUARTER`, oldest first."""

    async def ask() -> "Sequence[KeptValue]":
        from evaluation.judgment_operations import open_results  # noqa: PLC0415 - as above

        async with open_results(settings) as results:
            return await results.since(datetime.now(UTC) - QUARTER)

    return Background("what disco eval run has kept", ask)
