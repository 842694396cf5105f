"""The breaker: open after calls without an answer, closed again by one that has one."""

import asyncio

import pytest

from query_api.breaker import FAILURES, REST, Breaker, BreakerOpenError


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def breaker(clock: Clock) -> Breaker:
    return Breaker("test", (ConnectionError,), clock=clock)


def fail(breaker: Breaker) -> None:
    with pytest.raises(ConnectionError), breaker.call():
        raise ConnectionError


def opened(breaker: Breaker) -> None:
    for _ in range(FAILURES):
        assert not breaker.is_open
        fail(breaker)
    assert breaker.is_open


def test_calls_without_an_answer_open_it_and_then_none_is_made(breaker: Breaker) -> None:
    opened(breaker)
    made = False
    with pytest.raises(BreakerOpenError, match="test did not answer"), breaker.call():
        made = True
    assert not made


def test_an_answer_in_between_begins_the_count_anew(breaker: Breaker) -> None:
    for _ in range(FAILURES - 1):
        fail(breaker)
    with breaker.call():
        pass
    for _ in range(FAILURES - 1):
        fail(breaker)
    assert not breaker.is_open


def test_an_error_that_is_an_answer_does_not_open_it(breaker: Breaker) -> None:
    for _ in range(2 * FAILURES):
        with pytest.raises(LookupError), breaker.call():
            raise LookupError
    assert not breaker.is_open


def test_after_a_rest_one_call_tries_and_its_answer_closes_it(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += REST
    with breaker.call():
        with pytest.raises(BreakerOpenError), breaker.call():
            pass  # one at a time
        assert breaker.is_open
    assert not breaker.is_open


def test_a_try_without_an_answer_opens_it_for_another_rest(breaker: Breaker, clock: Clock) -> None:
    opened(breaker)
    clock.now += REST
    fail(breaker)
    with pytest.raises(BreakerOpenError), breaker.call():
        pass
    clock.now += REST
    with breaker.call():
        pass
    assert not breaker.is_open


def test_a_try_that_is_cancelled_says_nothing_and_leaves_the_next_to_try(
    breaker: Breaker, clock: Clock
) -> None:
    opened(breaker)
    clock.now += REST
    with pytest.raises(asyncio.CancelledError), breaker.call():
        raise asyncio.CancelledError
    assert breaker.is_open
    with breaker.call():
        pass
    assert not breaker.is_open
