"""Storms of several kinds, each hostile to other guards of the version rule.

In all of them two workers compete, most events come once and soon (a late or second one would mend
what the first one missed), and every document has its races early and is then left alone. The
product survives each of them (`test_mutants.py`).
"""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.integration.indexer.weather import Weather
from tests.integration.indexer.worker_process import launcher


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A storm, and the bad luck of its workers (options of `mutant_worker.py`)."""

    weather: Weather
    luck: Mapping[str, float] = field(default_factory=dict)

    def against(self, mutation: str) -> Weather:
        """The weather with workers of that mutation."""
        return dataclasses.replace(self.weather, command=launcher(mutation, **self.luck))

    def changed(self, **changes: Any) -> "Profile":
        """The same storm but for these fields of its weather."""
        return dataclasses.replace(self, weather=dataclasses.replace(self.weather, **changes))


_SQUALL = Weather(
    seed=4,
    changes=2_000,
    producers=3,
    sessions=20,
    connections=20,
    delays=((1.0, 0.03),),
    duplicates=0.0,
    workers=(2,),
    settings={"batch_linger": 0.005},
    patience=0.5,
)

# Transactions on one row follow each other while batches are late between reading and writing.
RIVALS_RACE = Profile(
    weather=dataclasses.replace(
        _SQUALL, encounters={"rivalry": 2, "belated": 1}, from_the_future=0.02
    ),
    luck={"jitter": 2.0},
)
# Users and what is theirs change at once; transactions are longer than it takes to tell dependents.
FAMILIES_CROSS = Profile(
    weather=dataclasses.replace(
        _SQUALL,
        changes=1_000,
        sessions=4,
        connections=28,
        encounters={"crossing": 1, "hiding": 1},
    ),
    luck={"jitter": 1.0},
)
# Rows come and go, deletions are soon forgotten, and at times a worker has no way to the engine.
ROWS_VANISH = Profile(
    weather=dataclasses.replace(
        _SQUALL,
        changes=3_000,
        sessions=30,
        encounters={"vanishing": 1},
        settings={"tombstone_retention": "1500ms", "interactive_linger": 0.2},
    ),
    luck={"outages": 4.0},
)
# The same, but what is late is on its way to the engine, and deletions are remembered.
DELETIONS_OVERTAKE = Profile(
    weather=dataclasses.replace(_SQUALL, encounters={"vanishing": 1}),
    luck={"jitter": 2.0},
)
# Workers are killed, the replica lags, the engine pushes back.
SERVICES_FAIL = Profile(
    weather=dataclasses.replace(
        _SQUALL,
        encounters={"rivalry": 1},
        kills=4,
        lags=(0.0, 0.7),
        lag_lasts=1.5,
        pushbacks=3,
    ),
    luck={"jitter": 0.3},
)

# The replica is late all the time, by more than a change waits for anything else.
REPLICA_LAGS = Profile(
    weather=dataclasses.replace(_SQUALL, encounters={"rivalry": 1}, lags=(2.0,)),
)

# Rule 1 is kept by the database, rule 9 by the index: places without them, for good workers.
BY_TRANSACTION_TIME = RIVALS_RACE.changed(
    encounters={"belated": 1},
    from_the_future=0.0,
    sql="""
    create or replace function keep_updated_at() returns trigger language plpgsql as $$
    begin
        new.updated_at := now();
        return new;
    end
    $$
    """,
)
SHORT_MEMORY = DELETIONS_OVERTAKE.changed(settings={"tombstone_retention": "100ms"})
