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

    def counts(self) -> list[tuple[str, int, int]]:
        """Subject, schedules and steps: plain values, which another process can be sent."""
        return [(subject, count, self.steps[subject]) for subject, count in self.schedules.items()]

    def lines(self) -> list[str]:
        """A line for each subject."""
        return [
            f"{subject}: {schedules:,} schedules, {steps:,} steps"
            for subject, schedules, steps in self.counts()
        ]


TALLY = Tally()
