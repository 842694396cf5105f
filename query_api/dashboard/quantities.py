"""Quantities in words: short, with a unit, as they stand on the dashboard."""

from typing import Final

_NONE: Final = "–"
_BYTES: Final = ("bytes", "kB", "MB", "GB", "TB")
_AGES: Final = ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min"), (1.0, "s"))


def number(value: float | None) -> str:
    """Three digits that count, or all of a whole number: `0.21`, `14.2`, `1,234`."""
    if value is None:
        return _NONE
    if value >= 100 or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def duration(seconds: float | None) -> str:
    """`0.4 ms`, `21 ms`, `1.30 s`; µs below a tenth of a millisecond."""
    if seconds is None:
        return _NONE
    if seconds < 1e-4:
        return f"{seconds * 1e6:.0f} µs"
    if seconds < 1:
        return f"{seconds * 1e3:.{0 if seconds >= 0.01 else 1}f} ms"
    return f"{seconds:.2f} s"


def share(value: float | None) -> str:
    """A share from 0 to 1 in percent: `0 %`, `0.34 %`, `12.5 %`."""
    if value is None:
        return _NONE
    percent = value * 100
    return (
        f"{percent:.0f} %"
        if percent in {0.0, 100.0}
        else f"{percent:.{1 if percent >= 1 else 2}f} %"
    )


def measure(value: float | None) -> str:
    """A measure of quality, in the three decimals that people compare: `0.853`."""
    return _NONE if value is None else f"{value:.3f}"


def change(value: float | None) -> str:
    """How much a measure went up or down: `+0.012`, `-0.003`."""
    return _NONE if value is None else f"{value:+.3f}"


def size(count: float | None) -> str:
    """Bytes: `812 bytes`, `1.2 GB`."""
    if count is None:
        return _NONE
    unit = _BYTES[0]
    for unit in _BYTES:
        if count < 1000 or unit == _BYTES[-1]:
            break
        count /= 1000
    return f"{count:.0f} {unit}" if unit in _BYTES[:2] else f"{count:.1f} {unit}"


def age(seconds: float | None) -> str:
    """`12 s`, `5 min`, `3 h`, `2 d`."""
    if seconds is None:
        return _NONE
    for length, unit in _AGES:
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return "0 s"
