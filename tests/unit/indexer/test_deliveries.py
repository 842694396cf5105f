"""The acknowledger: few frames, and none before its time."""

import random

from hypothesis import given
from hypothesis import strategies as st

from indexer.deliveries import Acknowledgement, Acknowledger


class _Broker:
    """What the broker makes of frames; it does not forgive a tag that it does not know."""

    def __init__(self, count: int) -> None:
        self.outstanding = set(range(1, count + 1))

    def take(self, frames: list[Acknowledgement]) -> None:
        for tag, multiple in frames:
            assert tag in self.outstanding, f"unknown delivery tag {tag}"
            meant = {one for one in self.outstanding if one <= tag} if multiple else {tag}
            self.outstanding -= meant


@given(st.integers(0, 60), st.sets(st.integers(1, 60)), st.randoms(use_true_random=False))
def test_it_acknowledges_exactly_what_is_finished(
    count: int, apart: set[int], chance: random.Random
) -> None:
    acknowledger, broker = Acknowledger(), _Broker(count)
    for tag in apart:
        acknowledger.set_apart(tag)
    left = list(range(1, count + 1))
    chance.shuffle(left)
    finished: set[int] = set()
    while left:
        size = chance.randint(1, 5)
        tags, left = left[:size], left[size:]
        finished.update(tags)
        frames = acknowledger.finish(tags)
        broker.take(frames)
        # What is finished waits for ordinary deliveries before it, never for one set apart.
        unfinished = set(range(1, count + 1)) - finished
        first = min(unfinished - apart, default=count + 1)
        assert not {tag for tag in finished if tag < first} & broker.outstanding
        assert unfinished <= broker.outstanding
    assert not broker.outstanding


def test_what_is_not_finished_holds_back_what_comes_after() -> None:
    acknowledger = Acknowledger()
    assert acknowledger.finish([2, 3]) == []
    assert acknowledger.finish([5]) == []
    assert acknowledger.finish([1]) == [(3, True)]
    assert acknowledger.finish([]) == []
    assert acknowledger.finish([4]) == [(5, True)]


def test_one_that_takes_long_holds_back_nothing() -> None:
    acknowledger = Acknowledger()
    acknowledger.set_apart(2)
    assert acknowledger.finish([3]) == []  # it waits for 1, which is a matter of moments
    assert acknowledger.finish([1]) == [(1, True), (3, False)]
    assert acknowledger.finish([5, 4]) == [(4, False), (5, False)]
    assert acknowledger.finish([2, 6]) == [(6, True)]
