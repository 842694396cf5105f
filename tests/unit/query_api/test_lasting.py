"""Lasting work is waited for, and goes on when that takes too long."""

import asyncio

import pytest

from query_api.lasting import Lasting

_SOON = 10.0  # seconds; far more than anything here takes


class FailureError(Exception):
    """What some work here ends with."""


async def _when(event: asyncio.Event, done: asyncio.Event) -> str:
    await event.wait()
    done.set()
    return "done"


async def _fail(event: asyncio.Event) -> str:
    await event.wait()
    raise FailureError


async def test_what_is_soon_done_is_waited_for() -> None:
    lasting, at_once = Lasting(), asyncio.Event()
    at_once.set()
    assert await lasting.within(_SOON, _when(at_once, asyncio.Event())) == "done"
    with pytest.raises(FailureError):
        await lasting.within(_SOON, _fail(at_once))


async def test_what_takes_longer_goes_on() -> None:
    lasting, later, done = Lasting(), asyncio.Event(), asyncio.Event()
    assert await lasting.within(0, _when(later, done)) is None
    assert await lasting.within(0, _fail(later)) is None
    later.set()
    await asyncio.wait_for(done.wait(), _SOON)


async def test_who_goes_away_ends_nothing() -> None:
    lasting, later, done = Lasting(), asyncio.Event(), asyncio.Event()
    asking = asyncio.create_task(lasting.within(_SOON, _when(later, done)))
    await asyncio.sleep(0)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    later.set()
    await asyncio.wait_for(done.wait(), _SOON)


async def test_at_the_end_all_of_it_is_given_up() -> None:
    lasting, never, done = Lasting(), asyncio.Event(), asyncio.Event()
    assert await lasting.within(0, _when(never, done)) is None
    await asyncio.wait_for(lasting.close(), _SOON)
    never.set()
    await asyncio.sleep(0)
    assert not done.is_set()
