"""Quantities are short, and have a unit."""

from collections.abc import Callable

import pytest

from query_api.dashboard import quantities


@pytest.mark.parametrize(
    ("words", "value", "text"),
    [
        (quantities.number, None, "–"),
        (quantities.number, 0.2, "0.20"),
        (quantities.number, 14.25, "14.2"),
        (quantities.number, 1234.4, "1,234"),
        (quantities.number, 7.0, "7"),
        (quantities.duration, 0.00004, "40 µs"),
        (quantities.duration, 0.0042, "4.2 ms"),
        (quantities.duration, 0.121, "121 ms"),
        (quantities.duration, 1.304, "1.30 s"),
        (quantities.share, 0.0, "0 %"),
        (quantities.share, 0.0034, "0.34 %"),
        (quantities.share, 0.1254, "12.5 %"),
        (quantities.share, 1.0, "100 %"),
        (quantities.measure, 0.8534, "0.853"),
        (quantities.measure, None, "–"),
        (quantities.change, 0.0121, "+0.012"),
        (quantities.change, -0.0034, "-0.003"),
        (quantities.size, 812, "812 bytes"),
        (quantities.size, 12_400, "12 kB"),
        (quantities.size, 1_240_000_000, "1.2 GB"),
        (quantities.age, 0.2, "0 s"),
        (quantities.age, 330, "6 min"),
        (quantities.age, 200_000, "2 d"),
    ],
)
def test_in_words(words: Callable[[float | None], str], value: float | None, text: str) -> None:
    assert words(value) == text
