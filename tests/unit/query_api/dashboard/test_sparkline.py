"""Sparklines: where a line goes, where it is broken, and that it is plain SVG."""

import re
from xml.etree import ElementTree as ET

from query_api.dashboard import quantities, sparkline
from query_api.dashboard.history import LENGTH


def paths(svg: str) -> list[str]:
    return re.findall(r' d="([^"]+)"', svg)


def drawn(*lines: list[tuple[float, float]], now: float = 300.0) -> str:
    return sparkline.draw(lines, now=now, about="Lag <of live>", words=quantities.duration)


def test_a_line_goes_from_the_past_to_now_and_up_with_the_value() -> None:
    (path,) = paths(drawn([(0.0, 0.0), (30.0, 0.5), (60.0, 1.0)], now=300.0))
    places = [tuple(map(float, point.split())) for point in re.split("[ML]", path)[1:]]
    assert [x for x, _ in places] == [0.0, 16.0, 32.0]
    assert [y for _, y in places] == [34.5, 18.0, 1.5]


def test_a_scale_that_begins_higher_shows_what_differs_little() -> None:
    lines = [[(0.0, 0.8), (30.0, 0.9)]]
    svg = sparkline.draw(lines, now=300.0, about="nDCG", words=quantities.measure, base=0.7)
    (path,) = paths(svg)
    assert re.findall(r" (\S+?)(?:L|$)", path) == ["18.0", "1.5"]
    assert "at most 0.900" in svg


def test_a_gap_breaks_the_line() -> None:
    (path,) = paths(drawn([(0.0, 1.0), (10.0, 1.0), (100.0, 1.0), (110.0, 1.0)]))
    assert re.sub("[^ML]", "", path) == "MLML"


def test_a_peak_is_not_lost_among_many_points() -> None:
    line = [(float(at), 1.0 if at == 1_803 else 0.0) for at in range(int(LENGTH))]
    (path,) = paths(drawn(line, now=LENGTH))
    assert path.count("L") < 150
    assert " 1.5" in path


def test_it_is_well_formed_and_says_in_words_what_it_shows() -> None:
    svg = ET.fromstring(drawn([(0.0, 0.1), (60.0, 0.2)], [(0.0, 0.05), (60.0, 0.1)]))  # noqa: S314 - our own
    assert len(svg) == 2
    assert svg.attrib["aria-label"] == "Lag <of live>, last 5 minutes: at most 200 ms"
    assert not any("style" in one.attrib for one in svg.iter())


def test_nothing_is_drawn_of_nothing() -> None:
    assert drawn([]) == drawn([(0.0, 1.0)]) == ""
    assert sparkline.draw_decay([0.1], about="Change") == ""


def test_a_decay_falls_evenly_on_its_scale() -> None:
    (path,) = paths(sparkline.draw_decay([1e-1, 1e-3, 1e-5], about="Change"))
    assert path == "M0.0 1.5L80.0 18.0L160.0 34.5"
