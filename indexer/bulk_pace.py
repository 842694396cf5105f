"""The pace: how large bulk bodies are, and how many are under way at a time.

Both are found by trying: one of them is changed, and the change is kept if the engine takes more
bytes a second with it. Once nothing helps, the trying becomes rare. When the engine refuses work,
both shrink at once. The rules are pure: time is given, nothing is awaited.
"""

from dataclasses import dataclass

_FIRST_BYTES = 1_500_000
_SMALLEST_BYTES = 250_000
_LARGEST_BYTES = 8_000_000
_FIRST_IN_FLIGHT = 2
_MOST_IN_FLIGHT = 8
_TRIAL_SECONDS = 3.0  # that one setting is measured for
_TRIAL_BODIES = 8
_GAIN = 1.05  # a larger setting must earn this much, or it only makes queues longer
_FIRST_REST = 10.0  # seconds without trying, after nothing helped
_LONGEST_REST = 120.0
_MOMENT = 1.0  # seconds
_TIME_OUT = 10.0  # seconds without trying, after a refusal


@dataclass(frozen=True)
class _Setting:
    body_bytes: int
    in_flight: int

    def neighbours(self) -> list["_Setting"]:
        """What to try next, in turn."""
        tried = [
            _Setting(self.body_bytes, self.in_flight + 1),
            _Setting(self.body_bytes * 3 // 2, self.in_flight),
            _Setting(self.body_bytes * 2 // 3, self.in_flight),
        ]
        if self.in_flight > _FIRST_IN_FLIGHT:  # with one alone, the engine would wait for us
            tried.append(_Setting(self.body_bytes, self.in_flight - 1))
        return [one for one in tried if one.is_allowed]

    @property
    def is_allowed(self) -> bool:
        return (
            _SMALLEST_BYTES <= self.body_bytes <= _LARGEST_BYTES
            and 1 <= self.in_flight <= _MOST_IN_FLIGHT
        )

    def is_larger(self, other: "_Setting") -> bool:
        return self.body_bytes * self.in_flight > other.body_bytes * other.in_flight


class Pace:
    """Size and number of bulk bodies, by what the engine made of those before."""

    def __init__(self) -> None:
        self._setting = self._best = _Setting(_FIRST_BYTES, _FIRST_IN_FLIGHT)
        self._best_rate = 0.0  # bytes a second; 0: to be measured
        self._untried: list[_Setting] = []
        self._rest = _FIRST_REST
        self._trying_from = 0.0
        self._refused_at = -_MOMENT
        self._began: float | None = None
        self._bytes = 0
        self._bodies = 0

    @property
    def body_bytes(self) -> int:
        """Least bytes of a body; what is cut is a little more."""
        return self._setting.body_bytes

    @property
    def in_flight(self) -> int:
        """Bodies that may be under way at a time."""
        return self._setting.in_flight

    def taken(self, size: int, now: float, *, is_waited_for: bool) -> None:
        """The engine took a body. `is_waited_for`: the next was ready before this was answered.

        Where it was not, the engine is not what limits the rate, and nothing can be learnt.
        """
        if not is_waited_for or self._began is None:
            self._begin(now)
            return
        self._bytes += size
        self._bodies += 1
        seconds = now - self._began
        if seconds >= _TRIAL_SECONDS and self._bodies >= _TRIAL_BODIES:
            self._judge(self._bytes / seconds, now)
            self._begin(now)

    def refused(self, now: float) -> None:
        """The engine had no room for a body.

        What it refuses in the same moment was sent before this was known, and counts once.
        """
        if now < self._refused_at + _MOMENT:
            return
        self._refused_at = now
        setting = self._setting
        self._setting = self._best = _Setting(
            max(_SMALLEST_BYTES, setting.body_bytes * 3 // 4), max(1, setting.in_flight // 2)
        )
        self._best_rate, self._untried = 0.0, []
        self._trying_from = now + _TIME_OUT
        self._begin(now)

    def _begin(self, now: float) -> None:
        self._began, self._bytes, self._bodies = now, 0, 0

    def _judge(self, rate: float, now: float) -> None:
        if self._setting == self._best:
            self._best_rate = rate
        else:
            needed = _GAIN if self._setting.is_larger(self._best) else 1.0
            if rate > self._best_rate * needed:
                self._best, self._best_rate = self._setting, rate
                self._untried, self._rest = [], _FIRST_REST
        self._choose(now)

    def _choose(self, now: float) -> None:
        """The setting of the next trial: a neighbour of the best, or the best itself."""
        if now < self._trying_from:
            self._setting = self._best
            return
        if not self._untried:
            self._untried = self._best.neighbours()
        self._setting = self._untried.pop(0)
        if not self._untried:
            # After this one nothing is left to try for a while.
            self._trying_from = now + self._rest
            self._rest = min(self._rest * 2, _LONGEST_REST)
