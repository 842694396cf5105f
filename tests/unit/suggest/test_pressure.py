"""Pressure: high when what is due in the event loop comes late, and then people are told."""

import asyncio
import time
from pathlib import Path

import httpx

from suggest.app import SuggestApp
from suggest.current import Current
from suggest.pressure import TOO_LATE, Pressure
from suggest.store import Store
from tests.unit.suggest.conftest import Pieces


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


async def test_it_is_high_when_the_loop_is_late_and_only_then() -> None:
    clock = Clock()
    pressure = Pressure(clock=clock)
    seen = [pressure.is_high]
    pressure.start()
    try:
        await asyncio.sleep(0)  # it has its first look
        for later in (TOO_LATE / 2, TOO_LATE):
            clock.now += later
            seen.append(pressure.is_high)
        assert seen == [False, False, True]
        deadline = time.monotonic() + 10
        while pressure.is_high:  # until the next look
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)
    finally:
        await pressure.stop()


class High(Pressure):
    @property
    def is_high(self) -> bool:
        return True


async def test_people_are_told_and_probes_are_answered(folder: Path, pieces: Pieces) -> None:
    store = Store(folder)
    store.publish(store.put(pieces("Rain")))
    current = Current(store)
    await current.look()
    transport = httpx.ASGITransport(app=SuggestApp(current, High()))
    async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
        refused = await client.get("/v1/suggest", params={"q": "a"})
        assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
        assert int(refused.headers["retry-after"]) > 0
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/readyz")).status_code == 200
