"""Recent writes: what this process itself wrote last, so that it need not be read back.

A conflict tells which version the engine holds. If that version is one that we wrote, we know its
content without asking; and a write of what we wrote already need not be sent. Duplicates and late
events, the usual cause of conflicts, then cost next to nothing.
"""

from indexer.changes import Key

_CAPACITY = 200_000  # about 40 MB


class RecentWrites:
    """The last writes that the engine took, the oldest forgotten first."""

    def __init__(self, capacity: int = _CAPACITY) -> None:
        self._capacity = capacity
        self._written: dict[Key, int] = {}

    def note(self, key: Key, version: int, digest: int) -> None:
        """The engine took this version, with this content, in every generation."""
        self._written.pop(key, None)
        self._written[key] = hash((version, digest))
        if len(self._written) > self._capacity:
            del self._written[next(iter(self._written))]

    def has(self, key: Key, version: int, digest: int) -> bool:
        """Whether the engine's content at this version is known to be this one."""
        return self._written.get(key) == hash((version, digest))
