"""What variants reached by sets of judgments: the last result of each, and how it came there. Pure.

One measure stands for a set: nDCG@10, or where that was not measured, the first by its name.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from markupsafe import Markup

from query_api.dashboard import quantities, sparkline
from query_api.dashboard.history import Point
from query_api.variants import LIVE

if TYPE_CHECKING:
    from evaluation.judgment_operations import KeptValue

_FIRST: Final = "nDCG@10"
_JUDGED: Final = "Judged@10"
_MOST_ROWS: Final = 20
_BASE: Final = 0.9  # of the lowest value: where lines begin, for what differs is small


@dataclass(frozen=True, kw_only=True)
class JudgedRow:
    """What one variant reached by one set."""

    set: str
    variant: str
    measure: str
    value: str
    floor: str  # what it must not be below
    below: bool  # whether the value is below it
    change: str  # since the result before
    judged: str  # share of the first ten hits that somebody has judged
    queries: str
    age: str
    line: Markup


@dataclass(frozen=True, kw_only=True)
class JudgedPanel:
    """The newest results, and how many are not shown."""

    rows: Sequence[JudgedRow]
    older: int


def judged_panel(values: "Sequence[KeptValue]", clock: float) -> JudgedPanel:
    """A row a set and variant, newest sets first; `values` are ordered by time."""
    results: dict[tuple[str, str], list[KeptValue]] = defaultdict(list)
    newest: dict[str, float] = {}
    for one in values:
        results[one.set, one.variant].append(one)
        newest[one.set] = one.made_at.timestamp()
    ordered = sorted(results, key=lambda of: (-newest[of[0]], of[0], of[1] != LIVE, of[1]))
    rows = [_row(results[one], clock) for one in ordered[:_MOST_ROWS]]
    return JudgedPanel(rows=rows, older=len(ordered) - len(rows))


def _row(values: "Sequence[KeptValue]", clock: float) -> JudgedRow:
    """The row of one variant and set."""
    last = values[-1].made_at
    latest = {one.measure: one for one in values if one.made_at == last}
    shown = latest.get(_FIRST) or latest[min(latest)]
    before = [one for one in values if one.measure == shown.measure and one.made_at < last]
    return JudgedRow(
        set=shown.set,
        variant=shown.variant,
        measure=shown.measure,
        value=quantities.measure(shown.value),
        floor=quantities.measure(shown.floor),
        below=shown.floor is not None and shown.value < shown.floor,
        change=quantities.change(shown.value - before[-1].value if before else None),
        judged=quantities.share(_value_of(latest, _JUDGED)),
        queries=f"{shown.queries:,}",
        age=quantities.age(clock - last.timestamp()),
        line=_line([*before, shown], clock),
    )


def _line(values: "Sequence[KeptValue]", clock: float) -> Markup:
    """The values, and the floors that they had."""
    if len(values) < 2:
        return Markup()
    reached: list[Point] = [(one.made_at.timestamp(), one.value) for one in values]
    floors: list[Point] = [
        (at, one.floor)
        for (at, _), one in zip(reached, values, strict=True)
        if one.floor is not None
    ]
    newest = values[-1]
    return sparkline.draw(
        [reached, floors],
        now=clock,
        about=f"{newest.measure} of {newest.variant} by {newest.set}",
        words=quantities.measure,
        span=sparkline.LAST_QUARTER,
        base=_BASE * min(value for _, value in (*reached, *floors)),
    )


def _value_of(latest: "Mapping[str, KeptValue]", measure: str) -> float | None:
    return latest[measure].value if measure in latest else None
