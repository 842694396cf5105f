"""The acknowledger: one frame for the longest unbroken run of finished deliveries."""

import random

from hypothesis import given
from hypothesis import strategies as st

from indexer.deliveries import Acknowledger


@given(st.integers(0, 60), st.randoms(use_true_random=False), st.data())
def test_it_acknowledges_exactly_what_is_finished(
    count: int, chance: random.Random, data: st.DataObject
) -> None:
    acknowledger = Acknowledger()
    left = list(range(1, count + 1))
    chance.shuffle(left)
    finished: set[int] = set()
    acknowledged = 0
    while left:
        size = data.draw(st.integers(0, len(left)))
        tags, left = left[:size], left[size:]
        finished.update(tags)
        tag = acknowledger.finish(tags)
        run = next(n for n in range(count + 1) if n + 1 not in finished)
        assert tag == (run if run > acknowledged else 0)
        acknowledged = max(acknowledged, tag)
        if not size:
            left.append(left.pop(0)) if left else None
            tags, left = left[:1], left[1:]
            finished.update(tags)
            acknowledged = max(acknowledged, acknowledger.finish(tags))
    assert acknowledged == count


def test_what_is_not_finished_holds_back_what_comes_after() -> None:
    acknowledger = Acknowledger()
    assert acknowledger.finish([2, 3]) == 0
    assert acknowledger.finish([5]) == 0
    assert acknowledger.finish([1]) == 3
    assert acknowledger.finish([]) == 0
    assert acknowledger.finish([4]) == 5
