"""Admission: nobody waits long, goodput stays in overload, and a place is never lost."""

import asyncio
import contextlib
import random
import time

import pytest

from query_api.admission import Door, OverloadedError, Room, Shed

INSIDE, QUEUE = 4, 6
WORK = 0.02  # seconds of one request
SECONDS = 1.0


def door(**changes: float) -> Door:
    return Door(Room(**({"inside": INSIDE, "queue": QUEUE, "patience": 0.1} | changes)))  # type: ignore[arg-type]


async def work(through: Door) -> bool:
    """Whether a request was let in and answered."""
    try:
        async with through.inside():
            await asyncio.sleep(WORK)
    except OverloadedError:
        return False
    return True


async def hold(through: Door, until: asyncio.Event) -> None:
    async with through.inside():
        await until.wait()


async def at_saturation(through: Door) -> float:
    """Requests a second of as many people as there is room for."""

    async def person() -> int:
        answered, until = 0, time.monotonic() + SECONDS
        while time.monotonic() < until:
            answered += await work(through)
        return answered

    return sum(await asyncio.gather(*(person() for _ in range(INSIDE)))) / SECONDS


@pytest.mark.thorough
async def test_goodput_at_five_times_saturation() -> None:
    most = await at_saturation(door())
    through = door()
    async with asyncio.TaskGroup() as requests:
        asked: list[asyncio.Task[bool]] = []
        began = time.monotonic()
        while (elapsed := time.monotonic() - began) < SECONDS:
            while len(asked) < 5 * most * elapsed:
                asked.append(requests.create_task(work(through)))
            await asyncio.sleep(0.001)
    seconds = time.monotonic() - began
    answered = sum(one.result() for one in asked)
    assert answered / seconds >= 0.8 * most
    assert len(asked) - answered > answered, "there was no overload"


async def test_those_who_wait_are_let_in_in_order_and_the_rest_is_sent_away() -> None:
    through, order = door(patience=10.0), []

    async def request(number: int, release: asyncio.Event) -> None:
        async with through.inside():
            order.append(number)
            await release.wait()

    release = asyncio.Event()
    tasks = []
    for number in range(INSIDE + QUEUE):
        tasks.append(asyncio.create_task(request(number, release)))
        await asyncio.sleep(0)
    with pytest.raises(OverloadedError) as refused:
        async with through.inside():
            pass
    assert refused.value.why is Shed.QUEUE_FULL
    release.set()
    await asyncio.gather(*tasks)
    assert order == sorted(order)


async def test_who_waits_too_long_is_sent_away() -> None:
    through = door(inside=1, patience=0.02)
    async with through.inside():
        with pytest.raises(OverloadedError) as refused:
            async with through.inside():
                pass
    assert refused.value.why is Shed.WAITED
    assert await work(through)


async def test_what_nobody_waits_for_has_a_quarter_of_the_room() -> None:
    through = door()
    async with through.inside(background=True):
        with pytest.raises(OverloadedError) as refused:
            async with through.inside(background=True):
                pass
        assert refused.value.why is Shed.BACKGROUND
        assert await work(through)
    async with through.inside(background=True):
        pass


async def test_no_place_is_lost_however_requests_end() -> None:
    chance, through = random.Random(1), door(patience=0.005)

    async def request() -> None:
        async with through.inside(background=chance.random() < 0.2):
            await asyncio.sleep(chance.random() * 0.004)

    for _ in range(30):
        tasks = [asyncio.create_task(request()) for _ in range(20)]
        await asyncio.sleep(chance.random() * 0.004)
        for task in chance.sample(tasks, 10):
            task.cancel()
        ends = await asyncio.gather(*tasks, return_exceptions=True)
        assert {type(end) for end in ends} <= {type(None), OverloadedError, asyncio.CancelledError}
    # One who has waited for too long is passed over by who leaves in the same moment.
    async with asyncio.TaskGroup() as both:
        held = asyncio.Event()
        inside = [both.create_task(hold(through, held)) for _ in range(INSIDE)]
        await asyncio.sleep(0)
        late = both.create_task(work(through))
        await asyncio.sleep(0)
        held.set()
        through._queue[0].cancel()
        await asyncio.gather(*inside)
        with contextlib.suppress(asyncio.CancelledError):
            await late
    # As many get in as ever, at once.
    assert all(await asyncio.gather(*(work(through) for _ in range(INSIDE))))
    assert through._inside == through._background == len(through._queue) == 0
