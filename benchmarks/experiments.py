"""Experiments on simulated users: does the analysis find what is known to be there, and no more?

The tests, the draft and the click model are those of the product; the users alone are made up.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from benchmarks import simulated_users
from benchmarks.environment import Say
from benchmarks.report import Bar, Report, medians
from benchmarks.simulated_users import SHOWN, Interleaver, Sessions, World
from evaluation.experiments import sequential
from evaluation.experiments.sequential import Sequential
from evaluation.online import click_model
from evaluation.online.click_model import Sightings

#: Runs in which two arms are answered by the same variant.
SAME_ARMS: Final = 200
_MOST: Final = 100_000  # sessions of an experiment
_LOOK_EVERY: Final = 100  # sessions of all arms
_SAME_SESSIONS: Final = 10_000  # of a run with the same arms
_BIAS_SESSIONS: Final = 100_000
_EQUAL_SHARES: Final = {"first": 0.5, "second": 0.5}


def measure(*, runs: int, say: Say) -> Report:
    """Run every experiment `runs` times, each in another world."""
    found = []
    for number in range(runs):
        say(f"run {number + 1} of {runs}")
        found.append(_run(number))
    figures = medians(found)
    # Of the medians: how soon a single experiment is decided is luck, too.
    figures["interleaving_share"] = figures["interleaving_sessions"] / figures["ab_sessions"]
    say(f"{SAME_ARMS} runs with the same arms")
    figures |= false_alarms(simulated_users.world(0), runs=SAME_ARMS, seed=1)
    return Report(
        bench="experiments",
        corpus={
            "queries": simulated_users.QUERIES,
            "hits": simulated_users.HITS,
            "shown": SHOWN,
            "sessions": _MOST,
            "looked_at_every": _LOOK_EVERY,
        },
        figures=figures,
        bars={
            "interleaving_share_of_sessions": Bar(
                value=figures["interleaving_share"], bar=0.1, at_most=True
            ),
            "found_the_better": Bar(value=figures["found_the_better"], bar=1, at_most=False),
            "ab_false_alarms": Bar(value=figures["ab_false_alarms"], bar=0.05, at_most=True),
            "interleaving_false_alarms": Bar(
                value=figures["interleaving_false_alarms"], bar=0.05, at_most=True
            ),
            "examination_error": Bar(value=figures["examination_error"], bar=0.1, at_most=True),
        },
        details={"runs": found},
    )


def _run(number: int) -> dict[str, float]:
    world = simulated_users.world(number)
    rng = np.random.default_rng([number, 1])
    by_ab, ab = sessions_of_ab(world, rng)
    by_interleaving, interleaving = sessions_of_interleaving(world, rng)
    right = all(one is not None and one.difference > 0 for one in (ab, interleaving))
    return {
        "ab_sessions": by_ab,
        "interleaving_sessions": by_interleaving,
        "found_the_better": float(right),
        "examination_error": examination_error(world, rng),
    }


def sessions_of_ab(world: World, rng: np.random.Generator) -> tuple[int, Sequential | None]:
    """Sessions until an A/B test decides, and how; None: it does not."""
    arms = [
        simulated_users.reciprocal_ranks(simulated_users.searched(world, rankings, _MOST // 2, rng))
        for rankings in (world.worse, world.better)
    ]
    return _decided(
        lambda looked: sequential.two_arms(*(arm[: looked // 2] for arm in arms)), _MOST
    )


def sessions_of_interleaving(
    world: World, rng: np.random.Generator
) -> tuple[int, Sequential | None]:
    """The same of an interleaved experiment."""
    credit = Interleaver(world, world.worse, world.better).credits(_MOST, rng)
    return _decided(lambda looked: sequential.one_arm(credit[:looked]), _MOST)


def false_alarms(world: World, *, runs: int, seed: int) -> dict[str, float]:
    """The share of runs in which a test decides although both arms are alike.

    Each run is looked at every hundred sessions, and ends as soon as it alarms.
    """
    rng = np.random.default_rng(seed)
    interleaver = Interleaver(world, world.better, world.better)
    alarms = {"ab": 0, "interleaving": 0, "sample_ratio": 0}
    for _ in range(runs):
        arms = [
            simulated_users.reciprocal_ranks(
                simulated_users.searched(world, world.better, _SAME_SESSIONS // 2, rng)
            )
            for _ in range(2)
        ]
        _, found = _decided(
            lambda looked, arms=arms: sequential.two_arms(*(arm[: looked // 2] for arm in arms)),  # type: ignore[misc]
            _SAME_SESSIONS,
        )
        alarms["ab"] += found is not None
        credit = interleaver.credits(_SAME_SESSIONS, rng)
        _, found = _decided(
            lambda looked, credit=credit: sequential.one_arm(credit[:looked]),  # type: ignore[misc]
            _SAME_SESSIONS,
        )
        alarms["interleaving"] += found is not None
        first = int(rng.binomial(_SAME_SESSIONS, 0.5))
        observed = {"first": first, "second": _SAME_SESSIONS - first}
        alarms["sample_ratio"] += not sequential.sample_ratio(observed, _EQUAL_SHARES).holds
    return {f"{name}_false_alarms": count / runs for name, count in alarms.items()}


def examination_error(world: World, rng: np.random.Generator) -> float:
    """By how much the fitted examination of a position is off at most, relative to the truth.

    Fitted on what two variants in equal shares showed, as the log of an experiment has it.
    """
    sessions = [
        simulated_users.searched(world, rankings, _BIAS_SESSIONS // 2, rng)
        for rankings in (world.worse, world.better)
    ]
    model = click_model.fit(_sightings(sessions), positions=SHOWN)
    true = simulated_users.EXAMINATION
    return float(np.max(np.abs(model.examination / true - 1)))


def _decided(look: Callable[[int], Sequential | None], most: int) -> tuple[int, Sequential | None]:
    """Look again and again; the sessions until the first decision, and what it was."""
    for looked in range(_LOOK_EVERY, most + 1, _LOOK_EVERY):
        found = look(looked)
        if found is not None and found.decided:
            return looked, found
    return most, None


def _sightings(some: list[Sessions]) -> Sightings:
    hits = np.concatenate([one.query[:, None] * simulated_users.HITS + one.hits for one in some])
    clicked = np.concatenate([one.clicked for one in some])
    keys = hits * SHOWN + np.arange(SHOWN)
    key, inverse = np.unique(keys.ravel(), return_inverse=True)
    _, dense = np.unique(key // SHOWN, return_inverse=True)
    return Sightings(
        pair=dense,
        position=key % SHOWN,
        shown=np.bincount(inverse).astype(np.float64),
        clicked=np.bincount(inverse, clicked.ravel()).astype(np.float64),
    )
