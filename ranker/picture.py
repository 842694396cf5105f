"""A picture of an edition, as SVG: how the scores converged, and how they are distributed."""

import math
from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

import numpy as np

from ranker.editions import Ranked

_WIDTH, _HEIGHT = 460, 340  # of one chart, pixels
_LEFT, _RIGHT, _TOP, _BOTTOM = 62, 14, 40, 46
_COLOURS: Final = ("#1f6feb", "#d1242f", "#1a7f37", "#9a6700", "#8250df", "#57606a")
_POINTS: Final = 200  # of a curve
_STYLE: Final = (
    "text{font:12px sans-serif;fill:#24292f}.title{font-weight:600;font-size:14px}"
    ".grid{stroke:#d0d7de;stroke-width:1}.curve{fill:none;stroke-width:1.8}"
)

Points = Sequence[tuple[float, float]]


def draw(name: str, residuals: Sequence[float], ranked: Ranked) -> str:
    """An SVG document with two charts side by side."""
    convergence: dict[str, Points] = {
        "residual": [(float(at), value) for at, value in enumerate(residuals, start=1) if value > 0]
    }
    distributions = {kind: _distribution(ranked, kind) for kind in ranked.entities.types}
    charts = (
        _chart("L1 change in each iteration", "iteration", convergence, log_x=False),
        _chart("Entities with at least a score (1: the average)", "score", distributions),
    )
    body = "".join(
        f'<g transform="translate({at * _WIDTH} 24)">{chart}</g>' for at, chart in enumerate(charts)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{2 * _WIDTH}" height="{_HEIGHT + 24}" '
        f'role="img" aria-label="Rank edition {escape(name)}"><style>{_STYLE}</style>'
        f'<rect width="100%" height="100%" fill="#fff"/>'
        f'<text class="title" x="{_LEFT}" y="20">Rank edition {escape(name)}</text>{body}</svg>\n'
    )


def _distribution(ranked: Ranked, kind: str) -> Points:
    """Score (in averages), and how many entities of the type have at least as much."""
    scores = np.sort(ranked.of(kind))[::-1] * len(ranked.entities)
    scores = scores[scores > 0]
    if not len(scores):
        return []
    places = np.unique(np.geomspace(1, len(scores), _POINTS).astype(np.int64)) - 1
    return [(float(scores[at]), float(at + 1)) for at in places]


def _chart(title: str, x_name: str, curves: dict[str, Points], *, log_x: bool = True) -> str:
    curves = {name: points for name, points in curves.items() if points}
    if not curves:
        return f'<text x="{_LEFT}" y="{_TOP}">{escape(title)}: nothing to show</text>'
    x_axis = _Axis([x for points in curves.values() for x, _ in points], _LEFT, _WIDTH - _RIGHT,
                   log=log_x)  # fmt: skip
    y_axis = _Axis([y for points in curves.values() for _, y in points], _HEIGHT - _BOTTOM, _TOP,
                   log=True)  # fmt: skip
    parts = [f'<text x="{_LEFT}" y="{_TOP - 14}">{escape(title)}</text>']
    parts += _grid(x_axis, y_axis)
    for number, (name, points) in enumerate(curves.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        path = " ".join(f"{x_axis.at(x):.1f},{y_axis.at(y):.1f}" for x, y in points)
        parts.append(f'<polyline class="curve" stroke="{colour}" points="{path}"/>')
        if len(curves) > 1:
            parts.append(
                f'<text x="{_WIDTH - _RIGHT - 60}" y="{_TOP + 14 + 16 * number}" '
                f'style="fill:{colour}">{escape(name)}</text>'
            )
    parts.append(f'<text x="{_WIDTH // 2}" y="{_HEIGHT - 10}">{escape(x_name)}</text>')
    return "".join(parts)


class _Axis:
    """Where values lie between two pixels."""

    def __init__(self, values: Iterable[float], first: float, last: float, *, log: bool) -> None:
        self._log = log
        scaled = [self._scaled(value) for value in values]
        self.low, self.high = min(scaled), max(scaled)
        if log:
            self.low, self.high = math.floor(self.low), math.ceil(self.high)
        if self.low == self.high:
            self.high += 1.0
        self._first, self._last = first, last

    def at(self, value: float) -> float:
        """The pixel of a value."""
        share = (self._scaled(value) - self.low) / (self.high - self.low)
        return self._first + share * (self._last - self._first)

    @property
    def marks(self) -> list[tuple[float, str]]:
        """Pixels and texts of the marks."""
        if not self._log:
            step = max(1, math.ceil((self.high - self.low) / 6))
            values = [float(one) for one in range(round(self.low), round(self.high) + 1, step)]
            return [(self.at(value), f"{value:g}") for value in values]
        step = max(1, math.ceil((self.high - self.low) / 6))
        powers = range(round(self.low), round(self.high) + 1, step)
        return [(self.at(10.0**power), f"1e{power}") for power in powers]

    def _scaled(self, value: float) -> float:
        return math.log10(value) if self._log else value


def _grid(x_axis: _Axis, y_axis: _Axis) -> list[str]:
    parts = []
    for x, text in x_axis.marks:
        parts.append(f'<line class="grid" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" '
                     f'y2="{_HEIGHT - _BOTTOM}"/>')  # fmt: skip
        parts.append(
            f'<text text-anchor="middle" x="{x:.1f}" y="{_HEIGHT - _BOTTOM + 16}">{text}</text>'
        )
    for y, text in y_axis.marks:
        parts.append(f'<line class="grid" y1="{y:.1f}" y2="{y:.1f}" x1="{_LEFT}" '
                     f'x2="{_WIDTH - _RIGHT}"/>')  # fmt: skip
        parts.append(f'<text text-anchor="end" x="{_LEFT - 6}" y="{y + 4:.1f}">{text}</text>')
    return parts
