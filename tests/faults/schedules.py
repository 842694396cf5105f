"""Schedules: which faults happen, in which order and for how long; a seed says it all."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.faults.happenings import Happening

LENGTH = 5  # faults of a schedule
_SHORTEST, _LONGEST = 2.0, 5.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Step:
    """One fault of a schedule."""

    happening: Happening
    seconds: float


def schedules(
    happenings: Sequence[Happening], *, seed: int, length: int
) -> Iterator[Sequence[Step]]:
    """Schedules without end. Each fault comes once before any comes again."""
    chance = random.Random(seed)
    deck: list[Happening] = []
    while True:
        steps = []
        for _ in range(length):
            if not deck:
                deck = chance.sample(happenings, len(happenings))
            steps.append(Step(happening=deck.pop(), seconds=chance.uniform(_SHORTEST, _LONGEST)))
        yield steps
