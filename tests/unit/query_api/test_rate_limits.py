"""Rate limits: buckets that fill, and never take more memory than they may."""

import pytest

from query_api.rate_limits import BURST, Buckets, _address


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def granted(buckets: Buckets, name: str, times: int) -> int:
    taken = [buckets.take(name) for _ in range(times)]
    return sum(one is not None and one.granted for one in taken)


def test_a_burst_is_granted_and_then_the_rate() -> None:
    clock = Clock()
    buckets = Buckets(10.0, clock=clock)
    assert granted(buckets, "a", 1000) == 10 * BURST
    assert granted(buckets, "b", 1) == 1, "others have their own"
    clock.now += 0.5
    assert granted(buckets, "a", 1000) == 5
    clock.now += 1000
    assert granted(buckets, "a", 1000) == 10 * BURST, "no more is saved up than a bucket holds"


def test_it_says_what_is_left_and_when_to_come_back() -> None:
    clock = Clock()
    buckets = Buckets(0.5, clock=clock)
    first, second, third = (buckets.take("a") for _ in range(3))
    assert first
    assert second
    assert third
    assert (first.granted, first.limit, first.remaining) == (True, 2, 1)
    assert (second.granted, second.remaining) == (True, 0)
    assert (third.granted, third.retry) == (False, 1)
    clock.now += third.retry
    again = buckets.take("a")
    assert again
    assert again.granted


def test_a_rate_of_nothing_is_no_limit() -> None:
    assert Buckets(0.0).take("a") is None


def test_memory_is_bounded_and_those_who_are_active_are_kept() -> None:
    buckets = Buckets(1.0, most=100, clock=Clock())
    granted(buckets, "busy", 10)
    for number in range(1_000):
        buckets.take(f"passer-by {number}")
        assert granted(buckets, "busy", 1) == 0
    assert len(buckets) == 100


@pytest.mark.parametrize(
    ("client", "name"),
    [
        (("192.0.2.7", 1234), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("2001:db8:1:2::9", 2), "2001:db8:1:2::/64"),
        (("unix", 0), "unix"),
        (None, ""),
    ],
)
def test_whom_a_request_comes_from(client: object, name: str) -> None:
    assert _address({"client": client}) == name
