"""The weather of a storm: how much is changed, and all that goes wrong meanwhile."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.integration.indexer.worker_process import PRODUCT


@dataclass(frozen=True, kw_only=True)
class Weather:
    """One storm. Shares are between 0 and 1, times in seconds."""

    seed: int
    changes: int  # of all producers together
    producers: int = 3
    sessions: int = 5  # encounters that a producer has at a time
    connections: int = 5  # transactions that a producer may have open at a time
    # Kinds of `storm_encounters.py`, with their weights
    encounters: Mapping[str, float] = field(default_factory=lambda: {"anything": 1.0})

    sql: str = ""  # what is done to the schema before anything else

    # Transactions of `anything`
    held: float = 0.3  # share that stay open between the stamp and the commit
    longest_hold: float = 0.05
    announced_early: float = 0.0  # share whose events are published before the commit: a bad idea

    # Delivery of events: (share, longest delay); each is published after a random delay
    delays: Sequence[tuple[float, float]] = ((0.6, 0.05), (0.3, 0.5), (0.1, 4.0))
    duplicates: float = 0.08  # share that comes a second time, after another delay
    from_the_future: float = 0.0  # share that comes a second time, dated in the year 9999

    # Services
    kills: int = 0  # SIGKILLs of workers, each in the middle of something
    workers: Sequence[int] = (1,)  # how many there are, in turn, after each kill
    lags: Sequence[float] = ()  # of the replica, in turn
    lag_lasts: float = 3.0
    pushbacks: int = 0  # how often the engine takes no writes for a moment

    # Workers
    command: Sequence[str] = PRODUCT
    settings: Mapping[str, Any] = field(default_factory=dict)
    patience: float = 5.0  # of the verification at the end
    deadline: float = 120.0  # for what is left once all events are published
