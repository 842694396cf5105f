"""Sparklines: how a figure went, as a small SVG, with nothing that a strict policy forbids."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

from query_api.dashboard.history import LENGTH, Point

WIDTH: Final = 160
HEIGHT: Final = 36
_MOST_POINTS: Final = 120  # of a line
_MARGIN: Final = 1.5


@dataclass(frozen=True, kw_only=True)
class Span:
    """How much time a line shows, in seconds."""

    shortest: float  # that it is wide, however little there is
    longest: float
    gap: float  # without a value that breaks the line
    unit: tuple[str, float]  # what the time is told in, and how long that is


LAST_HOUR: Final = Span(shortest=300.0, longest=LENGTH, gap=45.0, unit=("minutes", 60.0))
LAST_DAY: Final = Span(
    shortest=6 * 3600.0, longest=24 * 3600.0, gap=2 * 3600.0, unit=("hours", 3600.0)
)
_DAY: Final = 24 * 3600.0
#: Of what is measured now and then, however long it is until the next time.
LAST_QUARTER: Final = Span(shortest=7 * _DAY, longest=90 * _DAY, gap=90 * _DAY, unit=("days", _DAY))


def draw(
    lines: Sequence[Sequence[Point]],
    *,
    now: float,
    about: str,
    words: Callable[[float], str],
    span: Span = LAST_HOUR,
    base: float = 0.0,
) -> Markup:
    """Lines on a common scale that begins at `base`; the first is drawn strongest.

    Empty where there is nothing to draw. `words` says a value in words, for those who do not see.
    """
    points = [point for line in lines for point in line]
    if len(points) < 2:
        return Markup()
    length = min(max(now - min(at for at, _ in points), span.shortest), span.longest)
    top = max(value for _, value in points)
    heights = [[(at, value - base) for at, value in line] for line in lines]
    paths = [_path(line, now - length, length, top - base, span.gap) for line in heights]
    name, unit = span.unit
    label = f"{about}, last {round(length / unit)} {name}: at most {words(top)}"
    return _svg(paths, label)


def draw_decay(values: Sequence[float], *, about: str) -> Markup:
    """Values of ever smaller magnitude, one a step, on a logarithmic scale."""
    heights = [math.log10(value) for value in values if value > 0]
    if len(heights) < 2:
        return Markup()
    low, high = min(heights), max(heights)
    path = "".join(
        f"{'L' if at else 'M'}{WIDTH * at / (len(heights) - 1):.1f} "
        f"{_height((value - low) / ((high - low) or 1)):.1f}"
        for at, value in enumerate(heights)
    )
    return _svg(
        [path], f"{about}: from {values[0]:.1e} to {values[-1]:.1e}, on a logarithmic scale"
    )


def _svg(paths: Sequence[str], label: str) -> Markup:
    drawn = Markup().join(
        Markup('<path class="line line-{}" d="{}" vector-effect="non-scaling-stroke"/>').format(
            number, path
        )
        for number, path in enumerate(paths)
        if path
    )
    return Markup(
        '<svg class="spark" viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" '
        'aria-label="{}">{}</svg>'
    ).format(WIDTH, HEIGHT, label, drawn)


def _height(part: float) -> float:
    """Where a value stands that is this part of the highest; y grows downwards."""
    return HEIGHT - _MARGIN - (HEIGHT - 2 * _MARGIN) * part


def _path(line: Sequence[Point], start: float, length: float, top: float, gap: float) -> str:
    parts, before = [], None
    for at, value in _thinned(line, length / _MOST_POINTS):
        x = WIDTH * max(0.0, at - start) / length
        y = _height(value / top if top > 0 else 0.0)
        command = "L" if before is not None and at - before <= gap else "M"
        parts.append(f"{command}{x:.1f} {y:.1f}")
        before = at
    return "".join(parts)


def _thinned(line: Sequence[Point], step: float) -> Sequence[Point]:
    """Of each step of time the last point with the highest value: what stands out is to be seen."""
    highest: dict[int, Point] = {}
    for at, value in line:
        kept = highest.get(place := int(at // step))
        highest[place] = (at, value if kept is None else max(value, kept[1]))
    return list(highest.values())
