"""Agents: coroutines of the product that the schedule advances, one at a time.

No event loop: a port of the model suspends by yielding what it waits for, and whoever drives the
coroutine decides when, and in which order with others, it goes on.
"""

import types
from collections.abc import Callable, Coroutine, Generator, Sequence
from enum import StrEnum
from typing import Any

from indexer.changes import Key
from tests.simulation.engine import Request, Snapshot

Ready = Callable[[], bool]


class Step(StrEnum):
    """What a suspended coroutine will do next."""

    START = "start"
    HYDRATE = "hydrate"  # read the database
    PUBLISH = "publish"  # a refresh event
    WRITE = "write"  # have a bulk request applied
    READ = "read"  # a multi-get
    FINISH = "finish"  # acknowledge or bury
    RETRY = "retry"  # begin again


def _always() -> bool:
    return True


@types.coroutine
def suspend(step: Step, ready: Ready = _always) -> Generator[tuple[Step, Ready], None, None]:
    """Let others go first, at least until `ready`; `step` is what comes then."""
    yield step, ready


class Agent:
    """One batch of a worker, or the making of a generation, under way."""

    def __init__(
        self, name: str, coroutine: Coroutine[Any, Any, None], keys: Sequence[Key] = ()
    ) -> None:
        self.name = name
        self.keys = keys  # what it is about
        self.next = Step.START
        # What the documents come from that are still to be written.
        self.hydrated: Snapshot | None = None
        self.request: Request | None = None  # a bulk request that is about to be sent
        self.is_cut_off = False  # the next request to the engine fails
        self.is_impatient = False  # the replica is not waited for any longer
        self.has_ended = False
        self._coroutine = coroutine
        self._ready: Ready = _always

    @property
    def is_ready(self) -> bool:
        """Whether it could go on now."""
        return self._ready()

    def advance(self) -> None:
        """Run up to the next suspension, or to the end."""
        try:
            self.next, self._ready = self._coroutine.send(None)
        except StopIteration:
            self.has_ended = True

    def __str__(self) -> str:
        return self.name

    def kill(self) -> None:
        """End it where it stands."""
        self._coroutine.close()
        self.has_ended = True
