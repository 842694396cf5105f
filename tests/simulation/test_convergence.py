"""Random schedules: whatever happens in whichever order, at rest the index equals the database."""

import os

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.simulation.tally import TALLY
from tests.simulation.world import World

SCHEDULE_BYTES = 128
# `make check` runs a few, `make test` ten thousand.
SCHEDULES = int(os.environ.get("SIMULATION_SCHEDULES", "300"))


@settings(
    max_examples=SCHEDULES,
    deadline=None,
    database=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(st.binary(min_size=SCHEDULE_BYTES, max_size=SCHEDULE_BYTES))
def test_the_world_converges(schedule: bytes) -> None:
    world = World(schedule)
    world.run()
    TALLY.add("the product", steps=world.moment)
