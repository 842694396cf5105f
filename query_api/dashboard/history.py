"""History: some figures over the last hour, in memory, and never more of it."""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

LENGTH: Final = 3600.0  # seconds that are remembered
_MOST_POINTS: Final = 1_200  # of a figure: one every three seconds
_MOST_FIGURES: Final = 100

Point = tuple[float, float]  # when (seconds of a monotonic clock), and how much


class History:
    """Figures by name, each a value at a time."""

    def __init__(self) -> None:
        self._points: dict[str, deque[Point]] = {}

    def record(self, at: float, figures: Mapping[str, float]) -> None:
        """Note what is known at a time. A figure that is missing leaves a gap."""
        for name, value in figures.items():
            if name in self._points or len(self._points) < _MOST_FIGURES:
                self._points.setdefault(name, deque(maxlen=_MOST_POINTS)).append((at, value))
        self._forget(at - LENGTH)

    def series(self, name: str) -> Sequence[Point]:
        """The points of a figure, oldest first."""
        return tuple(self._points.get(name, ()))

    def names(self, prefix: str) -> Iterator[str]:
        """The names of figures that begin so."""
        return (name for name in self._points if name.startswith(prefix))

    def _forget(self, until: float) -> None:
        for name, points in list(self._points.items()):
            while points and points[0][0] < until:
                points.popleft()
            if not points:
                del self._points[name]
