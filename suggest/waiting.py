"""What waits: entities that are to be looked at, in two lanes, each entity once."""

import asyncio
import time
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain

from suggest.overlay import Key


class Waiting:
    """Entities whose phrases are to be read, and parents whose dependents are to be found."""

    def __init__(self) -> None:
        self.woken = asyncio.Event()  # something waits
        # With when they came; the urgent are taken first: what may have to vanish.
        self._urgent: dict[Key, float] = {}
        self._ordinary: dict[Key, float] = {}
        self._parents: dict[Key, bool] = {}  # whether their dependents are urgent

    def __len__(self) -> int:
        return len(self._urgent) + len(self._ordinary) + len(self._parents)

    def add(self, keys: Iterable[Key], *, urgent: bool) -> None:
        """Have entities wait; one that waits already keeps its place."""
        now = time.monotonic()
        lane = self._urgent if urgent else self._ordinary
        for key in keys:
            lane.setdefault(key, now)
        self._wake()

    def add_parents(self, keys: Mapping[Key, bool]) -> None:
        """Have entities wait for their dependents to be found; whether these are urgent."""
        for key, urgent in keys.items():
            self._parents[key] = urgent or self._parents.get(key, False)
        self._wake()

    def take(self, most: int) -> dict[Key, float]:
        """Take entities out, with when they came. What comes of them now waits anew."""
        taken: dict[Key, float] = {}
        for key, moment in chain(self._urgent.items(), self._ordinary.items()):
            if len(taken) == most:
                break
            taken.setdefault(key, moment)
        for key in taken:
            self._urgent.pop(key, None)
            self._ordinary.pop(key, None)
        self._wake()
        return taken

    def put_back(self, keys: Mapping[Key, float]) -> None:
        """Have entities wait that could not be looked at."""
        self._urgent = {**keys, **self._urgent}
        self._wake()

    def parents(self, *, urgent: bool) -> Sequence[Key]:
        """The entities whose dependents are to be found."""
        return [key for key, is_urgent in self._parents.items() if is_urgent == urgent]

    def remove_parents(self, keys: Iterable[Key]) -> None:
        """Forget parents: their dependents wait by now."""
        for key in keys:
            self._parents.pop(key, None)
        self._wake()

    def _wake(self) -> None:
        if len(self):
            self.woken.set()
        else:
            self.woken.clear()
