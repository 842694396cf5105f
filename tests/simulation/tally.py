"""The tally: how many schedules and steps ran, so that a green run says what it has seen."""

from collections import Counter


class Tally:
    """Counts of this session, by what was under test."""

    def __init__(self) -> None:
        self.schedules: Counter[str] = Counter()
        self.steps: Counter[str] = Counter()

    def add(self, subject: str, *, schedules: int = 1, steps: int) -> None:
        """Count schedules and their steps."""
        self.schedules[subject] += schedules
        self.steps[subject] += steps

    def lines(self) -> list[str]:
        """A line for each subject."""
        return [
            f"{subject}: {count:,} schedules, {self.steps[subject]:,} steps"
            for subject, count in self.schedules.items()
        ]


TALLY = Tally()
