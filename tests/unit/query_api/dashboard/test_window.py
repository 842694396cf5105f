"""Windows: rates, shares and percentiles out of two looks at counters."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

from query_api.dashboard import exposition
from query_api.dashboard.exposition import Exposition
from query_api.dashboard.window import Window

BOUNDS = (0.01, 0.1, 1.0)


def look(at: float, **counters: float) -> Exposition:
    """Values of `disco_done_total` by outcome at a time."""
    samples = {frozenset({("outcome", name)}): value for name, value in counters.items()}
    return Exposition(at=at, samples={"disco_done_total": samples})


def window(*looks: tuple[Exposition, Exposition]) -> Window:
    return Window(looks=looks)


def test_rates_are_summed_over_processes() -> None:
    both = window((look(0, good=0), look(10, good=50)), (look(3, good=7), look(5, good=9)))
    assert both.rate("disco_done_total") == pytest.approx(5 + 1)
    assert both.increase("disco_done_total") == 52


def test_a_process_that_began_anew_counts_from_nothing() -> None:
    assert window((look(0, good=100), look(10, good=30))).increase("disco_done_total") == 30


def test_a_label_that_is_new_counts_from_nothing() -> None:
    later = look(10, good=5, bad=5)
    assert window((look(0, good=5), later)).share("disco_done_total", {"outcome": ["bad"]}) == 1.0


def test_a_share_of_nothing_is_unknown() -> None:
    still = window((look(0, good=5), look(10, good=5)))
    assert still.share("disco_done_total", {"outcome": ["good"]}) is None
    assert still.quantile(0.5, "disco_done_seconds") is None
    assert not still.knows("disco_undone_total")


def test_what_another_process_tells_is_read_as_ours_is() -> None:
    registry = CollectorRegistry()
    Counter("disco_done", "Done.", ("outcome",), registry=registry).labels("good").inc(3)
    Counter("other_done", "Not ours.", registry=registry).inc()
    told = exposition.parse(generate_latest(registry).decode())
    assert told.samples["disco_done_total"] == {frozenset({("outcome", "good")}): 3.0}
    assert not any(name.startswith("other") for name in told.samples)
    with pytest.raises(ValueError, match=r"."):
        exposition.parse("<html>not metrics</html>")


@given(st.lists(st.floats(0, 0.999), min_size=1, max_size=50), st.sampled_from([0.5, 0.95, 0.99]))
def test_a_percentile_lies_in_the_bucket_of_the_true_one(values: list[float], q: float) -> None:
    registry = CollectorRegistry()
    histogram = Histogram("disco_done_seconds", "Time.", registry=registry, buckets=BOUNDS)
    before = exposition.parse(generate_latest(registry).decode())
    for value in values:
        histogram.observe(value)
    after = exposition.parse(generate_latest(registry).decode())
    found = window((before, after)).quantile(q, "disco_done_seconds")
    assert found is not None
    place = min(int(q * len(values)), len(values) - 1)
    true = sorted(values)[place if place < q * len(values) else max(place - 1, 0)]
    upper = next(bound for bound in BOUNDS if true <= bound)
    lower = max((bound for bound in (0.0, *BOUNDS) if bound < upper), default=0.0)
    assert lower <= found <= upper


def test_beyond_the_last_bound_the_bound_is_told() -> None:
    registry = CollectorRegistry()
    histogram = Histogram("disco_done_seconds", "Time.", registry=registry, buckets=BOUNDS)
    before = exposition.parse(generate_latest(registry).decode())
    histogram.observe(30)
    after = exposition.parse(generate_latest(registry).decode())
    assert window((before, after)).quantile(0.99, "disco_done_seconds") == 1.0
