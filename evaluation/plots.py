"""Plots of a result, as SVG that stands in the page; colours come from the page's classes."""

from collections.abc import Iterable
from typing import Final

from markupsafe import Markup, escape

from evaluation.side_by_side import Result

_WIDTH: Final = 720
_LABEL: Final = 110  # what stands before the axis
_VALUE: Final = 64  # what stands behind it
_BAR: Final = 16
_GAP: Final = 14
_ROW: Final = 34  # of a forest plot
_SERIES: Final = 4  # colours of systems; see `.system-0` and on in the template


def bars(result: Result) -> Markup:
    """Each measure of each system, from 0 to 1; what is counted is left out."""
    names = [name for name in result.measures if _is_share(result, name)]
    height = len(names) * (len(result.systems) * _BAR + _GAP) + 24
    room = _WIDTH - _LABEL - _VALUE
    parts = list(_grid(height - 24, ((x / 4, f"{x / 4:g}") for x in range(5)), room))
    top = 0.0
    for name in names:
        middle = top + len(result.systems) * _BAR / 2 + 5
        parts.append(_text(_LABEL - 10, middle, name, "end"))
        for place, system in enumerate(result.systems.values()):
            value = system.measures[name]
            y = top + place * _BAR
            size = f'width="{max(value * room, 1):.1f}" height="{_BAR - 3}"'
            parts += [
                f'<rect class="system-{place % _SERIES}" x="{_LABEL}" y="{y:.1f}" {size} rx="3"/>',
                _text(_LABEL + value * room + 6, y + 11, f"{value:.3f}", "start", "small"),
            ]
        top += len(result.systems) * _BAR + _GAP
    return _svg(height, parts, "Measures of all systems")


def forest(result: Result, system: str) -> Markup:
    """The differences to the base, with their confidence intervals; right is better."""
    differences = result.differences[system]
    reach = max((abs(x) for one in differences.values() for x in (one.low, one.high)), default=0)
    reach = _rounded(reach)
    room = _WIDTH - _LABEL - _VALUE
    height = len(differences) * _ROW + 24

    def at(value: float) -> float:
        return _LABEL + (value / reach + 1) / 2 * room

    marks = ((step / 4, (step / 2 - 1) * reach) for step in range(5))
    ticks = ((share, f"{value:+.3g}" if value else "0") for share, value in marks)
    parts = list(_grid(height - 24, ticks, room))
    parts.append(_line(at(0), 0, at(0), height - 24, "zero"))
    for place, (name, one) in enumerate(differences.items()):
        y = place * _ROW + _ROW / 2
        tone = "better" if one.low > 0 else "worse" if one.high < 0 else "even"
        parts += [
            _text(_LABEL - 10, y + 4, name, "end"),
            _line(at(one.low), y, at(one.high), y, f"interval {tone}"),
            f'<circle class="{tone}" cx="{at(one.difference):.1f}" cy="{y:.1f}" r="5"/>',
            _text(_WIDTH - _VALUE + 8, y + 4, f"{one.difference:+.3f}", "start", "small"),
        ]
    return _svg(height, parts, f"Differences of {system} to {result.base}")


def changes(result: Result, system: str) -> Markup:
    """What each query gained or lost by the first measure, in the order of it."""
    measure = result.measures[0]
    base, other = result.systems[result.base].queries, result.systems[system].queries
    gains = sorted((other[query][measure] - base[query][measure] for query in base), reverse=True)
    reach = _rounded(max(map(abs, gains), default=0))
    height, room = 200, _WIDTH - _LABEL
    step = room / max(len(gains), 1)

    def at(value: float) -> float:
        return 8 + (1 - value / reach) / 2 * (height - 16)

    parts = []
    for value in (reach, 0.0, -reach):
        parts += [
            _line(_LABEL, at(value), _WIDTH, at(value), "zero" if value == 0 else "grid"),
            _text(_LABEL - 10, at(value) + 4, f"{value:+.3g}" if value else "0", "end", "small"),
        ]
    for place, gain in enumerate(gains):
        y, tall = min(at(gain), at(0)), abs(at(gain) - at(0))
        parts.append(
            f'<rect class="{"better" if gain > 0 else "worse"}" x="{_LABEL + place * step:.2f}" '
            f'y="{y:.1f}" width="{max(step - 1, step * 0.7):.2f}" height="{tall:.1f}"/>'
        )
    return _svg(height, parts, f"{measure} of each query, {system} against {result.base}")


def _is_share(result: Result, name: str) -> bool:
    return all(0 <= one.measures[name] <= 1 for one in result.systems.values())


def _rounded(reach: float) -> float:
    """The end of an axis: the next of 0.01, 0.02, 0.04, 0.06, 0.1 … that has room for it."""
    steps = (step * 10.0**power for power in range(-2, 6) for step in (1, 2, 4, 6))
    return next((step for step in steps if step >= reach), reach)


def _grid(height: float, ticks: Iterable[tuple[float, str]], room: float) -> Iterable[str]:
    for share, label in ticks:
        x = _LABEL + share * room
        yield _line(x, 0, x, height, "grid")
        yield _text(x, height + 18, label, "middle", "small")


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def _text(x: float, y: float, text: str, anchor: str, kind: str = "label") -> str:
    return (
        f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>'
    )


def _svg(height: float, parts: Iterable[str], title: str) -> Markup:
    # Numbers are ours and texts are escaped by `_text`.
    return Markup(  # noqa: S704
        f'<svg viewBox="0 0 {_WIDTH} {height:.0f}" role="img" aria-label="{escape(title)}">'
        f"{''.join(parts)}</svg>"
    )
