"""The convergence test can fail: with any guard of the version rule switched off, it does.

Shorter storms than that test's, each hostile to some guards, over workers that lack one guard
(`mutant_worker.py`). Workers that lack none survive every one of them.
"""

from collections.abc import Container, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from core.broker import INTERACTIVE_QUEUE
from core.settings import Settings
from demo import writes
from indexer.verification import Difference
from stack.assembly import Stack
from tests.integration.indexer.mutant_worker import MUTATIONS
from tests.integration.indexer.scene import Scene
from tests.integration.indexer.storm import Aftermath, rage
from tests.integration.indexer.storm_profiles import (
    BY_TRANSACTION_TIME,
    DELETIONS_OVERTAKE,
    FAMILIES_CROSS,
    REPLICA_LAGS,
    RIVALS_RACE,
    ROWS_VANISH,
    SERVICES_FAIL,
    SHORT_MEMORY,
    Profile,
)
from tests.integration.indexer.worker_process import launcher
from tests.services import place
from tests.simulation.mutants import MUTANTS as SIMULATED

PROFILES = {
    "rivals_race": RIVALS_RACE,
    "families_cross": FAMILIES_CROSS,
    "rows_vanish": ROWS_VANISH,
    "deletions_overtake": DELETIONS_OVERTAKE,
    "services_fail": SERVICES_FAIL,
    "replica_lags": REPLICA_LAGS,
}
# What each mutant is made of stands in `mutant_worker.py`.
LETHAL: Mapping[str, str] = {
    "no_fence": "replica_lags",
    "no_version": "rivals_race",
    "newest_version": "rivals_race",
    "ignore_missing_rows": "rows_vanish",
    "no_cascade": "families_cross",
    "early_stamps": "families_cross",
    "trust_conflicts": "families_cross",
    "trust_foreign_times": "families_cross",
    "trust_memory": "families_cross",
    "repeat_old_hydration": "rows_vanish",
    "acknowledge_first": "services_fail",
    "acknowledge_up_to": "services_fail",
    "ignore_pushback": "services_fail",
}
# One of each family: these die soon on any machine, and have to in every run of the tests. All of
# them, and what takes luck, are for `make mutants`; the simulation kills each in every run.
SURE = {"no_version", "no_cascade", "ignore_missing_rows", "acknowledge_first"}
# Guards that are kept by the database and by the index.
LETHAL_PLACES: Mapping[str, Profile] = {
    "by_transaction_time": BY_TRANSACTION_TIME,
    "short_memory": SHORT_MEMORY,
}
# Without these nothing differs at rest, because other guards make up for them; each has a test
# below that sees what it is for.
# - no_clamp: the next change is refused, hence read back and repeated above the false version. Only
#   the version itself stays wrong.
# - only_event_times: a state that was written under an older event's time than its own is written
#   again when its own event comes, which it does before the queue is empty. Only work is saved.
ECONOMICAL = {"no_clamp", "only_event_times"}
# Crashes at a chosen moment, for other tests.
NO_GUARDS = {"die_before_acknowledging"}
# Guards that no mutant here lacks, and the mutants of the simulation that do:
# - a settlement is announced before it is sent (NoAnnouncement): that shows only if the engine
#   applies a request long after its sender gave up on it, between two certain steps of two others;
#   no real engine does so when asked.
# - a scan waits for the lease and is compared afterwards (NoLease, NoParity): no scan runs here.
ONLY_SIMULATED = {"NoAnnouncement", "NoLease", "NoParity"}

STORMS = 3  # that a mutant has to survive
# Races have to be lost, which takes luck and a quick machine. So many may survive, and are shown as
# expected failures; the simulation kills each of them for certain.
LUCKY = 3

pytestmark = pytest.mark.timeout(600)


def _spared(names: Iterable[str], kept: Container[str]) -> list[Any]:
    """Parameters of which only those that are kept run every time."""
    spared = [pytest.mark.exhaustive]
    return [pytest.param(name, marks=() if name in kept else spared) for name in names]


async def _differences(
    stack: Stack, folder: Path, profile: Profile, mutation: str
) -> list[Difference]:
    """What the first storm of a few leaves that leaves any.

    A race that has to be lost is a matter of luck: who survives one storm has not survived yet.
    """
    differences: list[Difference] = []
    for seed in range(profile.weather.seed, profile.weather.seed + STORMS):
        own = folder / str(seed)
        own.mkdir()
        with place(stack) as settings:
            aftermath = await _rage(stack, settings, own, profile.changed(seed=seed), mutation)
        if differences := aftermath.differences:
            break
    return differences


async def _rage(
    stack: Stack, settings: Settings, folder: Path, profile: Profile, mutation: str
) -> Aftermath:
    aftermath = await rage(stack, settings, folder, profile.against(mutation))
    print(f"{mutation}: {aftermath}")  # noqa: T201 - shown when the test fails
    return aftermath


@pytest.mark.parametrize("profile", _spared(PROFILES, {LETHAL[mutation] for mutation in SURE}))
async def test_a_worker_with_all_guards_survives(
    stack: Stack, fresh_settings: Settings, tmp_path: Path, profile: str
) -> None:
    aftermath = await _rage(stack, fresh_settings, tmp_path, PROFILES[profile], "none")
    assert aftermath.differences == []
    assert aftermath.ahead == []
    assert aftermath.dead_letters == []


@pytest.fixture(scope="module")
def survivors() -> Iterator[list[str]]:
    """Mutants that no storm gave away; an error at the end if they are too many."""
    found: list[str] = []
    yield found
    assert len(found) <= LUCKY, f"too many mutants survive: {', '.join(found)}"


@pytest.mark.parametrize("mutation", _spared(LETHAL, SURE))
async def test_a_worker_without_one_guard_does_not(
    stack: Stack, tmp_path: Path, survivors: list[str], mutation: str
) -> None:
    if not await _differences(stack, tmp_path, PROFILES[LETHAL[mutation]], mutation):
        assert mutation not in SURE
        survivors.append(mutation)
        pytest.xfail(f"{mutation} survived {STORMS} storms")


@pytest.mark.exhaustive
@pytest.mark.parametrize("promise", LETHAL_PLACES)
async def test_a_worker_with_all_guards_does_not_where_a_promise_is_broken(
    stack: Stack, tmp_path: Path, promise: str
) -> None:
    assert await _differences(stack, tmp_path, LETHAL_PLACES[promise], "none") != []


async def test_a_worker_that_believes_every_clock_leaves_versions_of_the_future(
    stack: Stack, fresh_settings: Settings, tmp_path: Path
) -> None:
    aftermath = await _rage(stack, fresh_settings, tmp_path, RIVALS_RACE, "no_clamp")
    assert aftermath.ahead != []


@pytest.mark.parametrize(("mutation", "written"), [("none", 1), ("only_event_times", 2)])
async def test_a_state_is_written_once_though_an_older_event_brought_it(
    scene: Scene, mutation: str, written: int
) -> None:
    (user,) = await scene.application.commit(writes.create_user("Ana"))
    (created,) = await scene.application.commit(writes.create_sound(user.id, "Rain"))
    (renamed,) = await scene.application.commit(writes.rename("sound", created.id, "Snow"))
    await scene.index.take(("user", user.id))
    async with scene.worker(command=launcher(mutation)) as worker:
        for number, change in enumerate((created, renamed), 1):
            await scene.publish(change.event)
            await worker.counted(number, "events_total", queue=INTERACTIVE_QUEUE)
        assert (await worker.metrics())("writes_total", outcome="indexed") == written
        await scene.agrees(worker)


def test_every_mutant_is_accounted_for() -> None:
    assert MUTATIONS.keys() == LETHAL.keys() | ECONOMICAL | NO_GUARDS
    assert {mutant.__name__ for mutant in SIMULATED} >= ONLY_SIMULATED
