"""The coalescer: many events of one entity, one change."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from indexer.changes import Change, Key
from indexer.deliveries import Delivery


@dataclass(slots=True)
class Pending:
    """All events of one entity that wait together."""

    arrived: float  # monotonic seconds of the first
    version: int = 0  # newest event's time, microseconds
    cascades: bool = False
    deliveries: list[Delivery] = field(default_factory=list)

    def change(self, key: Key) -> Change:
        """What the pipeline is asked to do."""
        return Change(key, self.version, self.cascades)


class Coalescer:
    """Changes in order of arrival, each entity once. Two batches never hold the same entity."""

    def __init__(self) -> None:
        self._waiting: dict[Key, Pending] = {}
        self._taken: set[Key] = set()

    def __len__(self) -> int:
        return len(self._waiting) + len(self._taken)

    @property
    def is_waiting(self) -> bool:
        """Whether anything waits to be taken."""
        return bool(self._waiting)

    def add(
        self, key: Key, delivery: Delivery, *, version: int, cascades: bool, now: float
    ) -> None:
        """Merge one event into its entity's change. `now` is in monotonic seconds."""
        pending = self._waiting.get(key)
        if pending is None:
            pending = self._waiting[key] = Pending(now)
        pending.version = max(pending.version, version)
        pending.cascades = pending.cascades or cascades
        pending.deliveries.append(delivery)

    def ready(self, size: int, linger: float, now: float) -> float | None:
        """Seconds until a batch should be taken; 0: it is full or has waited; None: no news."""
        oldest = next(self._available(), None)
        if oldest is None:
            return None
        if len(self._waiting) >= size:
            return 0.0
        return max(0.0, self._waiting[oldest].arrived + linger - now)

    def take(self, size: int) -> dict[Key, Pending]:
        """The oldest changes, at most `size`, without those that another batch holds."""
        keys = [key for key, _ in zip(self._available(), range(size), strict=False)]
        self._taken.update(keys)
        return {key: self._waiting.pop(key) for key in keys}

    def release(self, done: Iterable[Key]) -> None:
        """Nobody works on these entities any more; they may be taken again."""
        self._taken.difference_update(done)

    def _available(self) -> Iterator[Key]:
        return (key for key in self._waiting if key not in self._taken)
