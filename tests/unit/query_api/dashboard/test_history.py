"""The history keeps an hour, and no more however long a process runs."""

from query_api.dashboard.history import LENGTH, History


def test_what_is_older_than_an_hour_is_forgotten() -> None:
    history = History()
    for minute in range(120):
        history.record(minute * 60.0, {"searches": float(minute)})
    points = history.series("searches")
    assert points[0][0] == 119 * 60.0 - LENGTH
    assert points[-1] == (119 * 60.0, 119.0)


def test_a_figure_that_ended_is_forgotten_whole() -> None:
    history = History()
    history.record(0.0, {"searches of an experiment": 1.0})
    history.record(LENGTH + 1, {"searches": 2.0})
    assert list(history.names("searches")) == ["searches"]


def test_it_is_bounded() -> None:
    history = History()
    for step in range(5_000):
        history.record(step / 100, {f"figure {step}": 1.0, "searches": 1.0})
    assert len(list(history.names(""))) <= 100
    assert len(history.series("searches")) <= 1_200
