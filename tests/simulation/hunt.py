"""The hunt: a schedule that a mutant fails at."""

import random
from typing import NamedTuple

import pytest

from indexer import pipeline
from tests.simulation.mutants import Mutant

SCHEDULE_BYTES = 64


class Prey(NamedTuple):
    """A schedule that shows what a missing guard does."""

    schedules: int  # that ran until then
    steps: int
    story: str


def failure(mutant: type[Mutant], schedule: bytes) -> Prey | None:
    """The story of a schedule that a mutant fails at; None if it does not."""
    with pytest.MonkeyPatch.context() as patch:
        for name, function in mutant.replaced.items():
            patch.setattr(pipeline, name, function)
        world = mutant(schedule)
        try:
            world.run()
        except AssertionError as error:
            return Prey(1, world.moment, str(error))
    return None


def hunt(mutant: type[Mutant], *, limit: int, seed: int = 0) -> Prey | None:
    """The first of `limit` random schedules that a mutant fails at."""
    chance = random.Random(seed)
    steps = 0
    with pytest.MonkeyPatch.context() as patch:
        for name, function in mutant.replaced.items():
            patch.setattr(pipeline, name, function)
        for number in range(1, limit + 1):
            world = mutant(mutant.beginning + chance.randbytes(SCHEDULE_BYTES))
            try:
                world.run()
            except AssertionError as error:
                return Prey(number, steps + world.moment, str(error))
            steps += world.moment
    return None
