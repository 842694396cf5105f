"""Processes: the metrics of this one, and of others at their `/metrics`."""

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import aiohttp

from query_api.dashboard import exposition, readings
from query_api.dashboard.exposition import STARTED, Exposition
from query_api.dashboard.readings import Reading
from query_api.dashboard.window import Window

THIS: Final = "this process"
#: Seconds over which rates and percentiles are told.
WINDOW: Final = 30.0
_MOST_BYTES: Final = 4_000_000  # of an exposition


@dataclass(frozen=True, kw_only=True)
class Process:
    """A process as the dashboard lists it."""

    address: str  # of its metrics; `THIS` for this one
    latest: Exposition | None
    missing: str = ""  # why there is no latest one


class Processes:
    """Looks at the metrics of some processes again and again."""

    def __init__(self, addresses: Sequence[str]) -> None:
        self._addresses = addresses
        self._looks: dict[str, deque[Exposition]] = {}
        self._missing: dict[str, str] = {}
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        """Close what was opened."""
        if self._session is not None:
            await self._session.close()

    async def look(self, *, others: bool) -> None:
        """Take the metrics of this process, and of the others if wanted."""
        self._keep(THIS, exposition.own())
        if others and self._addresses:
            found = await asyncio.gather(*(self._ask(address) for address in self._addresses))
            for address, reading in zip(self._addresses, found, strict=True):
                self._missing[address] = reading.missing
                if reading.value is None:
                    self._looks.pop(address, None)
                else:
                    self._keep(address, reading.value)

    def window(self) -> Window:
        """What was done in the last `WINDOW` seconds, as far as it is known."""
        own = self._started(THIS)
        return Window(
            looks=[
                (looks[0], looks[-1])
                for address, looks in self._looks.items()
                # Who lists this process among the others is not counted twice.
                if len(looks) > 1 and (address == THIS or self._started(address) != own)
            ]
        )

    def listed(self) -> list[Process]:
        """All processes, this one first."""
        return [
            Process(
                address=address,
                latest=looks[-1] if (looks := self._looks.get(address)) else None,
                missing=self._missing.get(address, ""),
            )
            for address in (THIS, *self._addresses)
        ]

    def _keep(self, address: str, latest: Exposition) -> None:
        looks = self._looks.setdefault(address, deque())
        looks.append(latest)
        # The first one that stays is as old as the window, or the one before that.
        while len(looks) > 2 and latest.at - looks[1].at >= WINDOW:
            looks.popleft()

    def _started(self, address: str) -> float | None:
        looks = self._looks.get(address)
        return looks[-1].value(STARTED) if looks else None

    async def _ask(self, address: str) -> Reading[Exposition]:
        return await readings.read(address, self._fetch(address))

    async def _fetch(self, address: str) -> Exposition:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                timeout=aiohttp.ClientTimeout(total=readings.DEADLINE)
            )
        async with self._session.get(address, allow_redirects=False) as response:
            response.raise_for_status()
            content = await response.content.read(_MOST_BYTES)
        return exposition.parse(content.decode("utf-8", "replace"))


def metric_of(process: Process, name: str) -> float | None:
    """The value of a metric without labels, if the process tells of it."""
    return process.latest.value(name) if process.latest else None


def told_addresses(setting: str) -> Sequence[str]:
    """The addresses in the setting `dashboard_metrics`."""
    return [address for part in setting.split(",") if (address := part.strip())]
