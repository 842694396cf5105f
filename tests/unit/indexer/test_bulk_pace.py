"""The pace finds what an engine can take, and backs off when it is refused."""

import itertools
from collections.abc import Callable
from statistics import median

from indexer.bulk_pace import Pace

# Bytes a second that a modelled engine takes, by body size and bodies under way.
Engine = Callable[[int, int], float]


def _run(pace: Pace, engine: Engine, *, seconds: float, limit: int = 1_000) -> list[int]:
    """Send bodies to a modelled engine that refuses more than `limit` at a time; in flight."""
    now, seen = 0.0, []
    while now < seconds:
        size, in_flight = pace.body_bytes, pace.in_flight
        seen.append(in_flight)
        if in_flight > limit:
            now += 0.05
            pace.refused(now)
            continue
        now += size / engine(size, in_flight)
        pace.taken(size, now, is_waited_for=True)
    return seen


def test_it_finds_how_many_bodies_the_engine_can_take_at_a_time() -> None:
    seen = _run(Pace(), lambda _, n: 10e6 * min(n, 4), seconds=300)
    assert median(seen[len(seen) // 2 :]) == 4


def test_it_does_not_lengthen_queues_that_gain_nothing() -> None:
    seen = _run(Pace(), lambda _, n: 10e6 * min(n, 2), seconds=300)
    assert median(seen[len(seen) // 2 :]) == 2
    assert max(seen) <= 3


def test_it_finds_larger_bodies_where_they_pay() -> None:
    pace = Pace()
    first = pace.body_bytes
    _run(pace, lambda size, n: min(n, 2) * 20e6 * size / (size + 2_000_000), seconds=300)
    assert pace.body_bytes > 2 * first


def test_a_refusal_halves_at_once_and_the_limit_is_kept_mostly() -> None:
    pace = Pace()
    seen = _run(pace, lambda _, n: 10e6 * n, seconds=300, limit=5)
    refused = sum(n > 5 for n in seen)
    assert refused / len(seen) < 0.02
    assert median(seen[len(seen) // 2 :]) >= 3


def test_what_is_refused_in_one_moment_counts_once() -> None:
    pace = Pace()
    pace.refused(10.0)
    after_one = pace.body_bytes, pace.in_flight
    pace.refused(10.1)
    assert (pace.body_bytes, pace.in_flight) == after_one
    pace.refused(11.5)
    assert pace.body_bytes < after_one[0]


def test_what_the_engine_waits_for_teaches_nothing() -> None:
    pace = Pace()
    before = pace.body_bytes, pace.in_flight
    for second in range(1_000):
        pace.taken(pace.body_bytes, float(second), is_waited_for=False)
    assert (pace.body_bytes, pace.in_flight) == before


def test_it_never_leaves_its_bounds() -> None:
    pace = Pace()
    for now in range(100):
        pace.refused(float(now))
    assert pace.in_flight == 1
    assert pace.body_bytes >= 250_000
    rates = itertools.cycle([1e6, 2e6, 4e6, 8e6, 16e6])
    _run(pace, lambda *_: next(rates) * 10, seconds=600)
    assert 1 <= pace.in_flight <= 8
    assert 250_000 <= pace.body_bytes <= 8_000_000
