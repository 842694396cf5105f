"""The gate keeps to a limit that changes, and forgets nobody."""

import asyncio

from indexer.bulk_gate import Gate


async def test_no_more_are_inside_than_the_limit_says_and_all_get_their_turn() -> None:
    limit = 2
    gate = Gate(lambda: limit)
    most = done = 0

    async def pass_through() -> None:
        nonlocal most, done
        await gate.enter()
        most = max(most, gate.inside)
        await asyncio.sleep(0)
        gate.leave()
        done += 1

    await asyncio.gather(*(pass_through() for _ in range(20)))
    assert (most, done, gate.inside) == (2, 20, 0)
    limit = 5
    await asyncio.gather(*(pass_through() for _ in range(20)))
    assert (most, done, gate.inside) == (5, 40, 0)


async def test_who_gives_up_waiting_takes_nobodys_turn() -> None:
    gate = Gate(lambda: 1)
    await gate.enter()
    first, second = (asyncio.create_task(gate.enter()) for _ in range(2))
    await asyncio.sleep(0)
    assert gate.is_waited_for
    first.cancel()
    await asyncio.wait([first])
    gate.leave()
    await second
    assert gate.inside == 1


async def test_a_turn_that_was_given_as_its_waiter_gave_up_goes_to_the_next() -> None:
    gate = Gate(lambda: 1)
    await gate.enter()
    first, second = (asyncio.create_task(gate.enter()) for _ in range(2))
    await asyncio.sleep(0)
    gate.leave()  # the first one's turn, of which it does not know yet
    first.cancel()
    await asyncio.wait([first])
    await asyncio.wait_for(second, 1)
    assert gate.inside == 1
