"""A model of the engine: documents with external versions, in one generation or two.

Its semantics are measured on the real one: a write under an equal or lower version answers 409; a
deletion leaves a tombstone with a version, also for an id that was never there; tombstones are
forgotten in time, and when the node restarts; a multi-get sees what is not yet searchable.
"""

from collections.abc import Sequence
from typing import NamedTuple

from indexer.changes import Answer, Key, Outcome, Stored, Write

_POISON = b", 9, "  # a title of 9: see `database.POISON`


class Document(NamedTuple):
    """What a generation holds of a key."""

    version: int
    digest: int | None  # None: a tombstone
    moment: int  # when it was written, in steps of the schedule


class Generation:
    """One index."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.documents: dict[Key, Document] = {}

    def apply(self, write: Write, moment: int) -> Answer:
        """What the engine does with one item of a bulk request."""
        held = self.documents.get(write.key)
        if write.row is not None and _POISON in write.row.document:
            return Answer(Outcome.REJECTED, "the mapping does not take it", 0)
        if held is not None and not self.accepts(write, held):
            return Answer(Outcome.CONFLICT, "an equal or newer version is there", held.version)
        digest = None if write.row is None else write.row.digest
        self.documents[write.key] = Document(write.version, digest, moment)
        if write.row is not None:
            return Answer(Outcome.INDEXED, "", 0)
        is_there = held is not None and held.digest is not None
        return Answer(Outcome.DELETED if is_there else Outcome.ABSENT, "", 0)

    def accepts(self, write: Write, held: Document) -> bool:
        """The rule of `version_type=external`."""
        return write.version > held.version

    def read(self, key: Key) -> Stored:
        """One item of a multi-get: the version of a tombstone is not told."""
        held = self.documents.get(key)
        if held is None or held.digest is None:
            return Stored(0, None)
        return Stored(held.version, held.digest)

    def forget_tombstones(self, before: float) -> int:
        """Forget the deletions that are older than a moment; returns how many."""
        old = [k for k, d in self.documents.items() if d.digest is None and d.moment < before]
        for key in old:
            del self.documents[key]
        return len(old)


class Item(NamedTuple):
    """One item of a bulk request."""

    number: int  # of the write
    write: Write
    generation: Generation


class Snapshot(NamedTuple):
    """What a hydration saw of the database."""

    moment: int  # when it was read, in steps of the schedule
    unseen_since: int  # when the oldest transaction began that was still open then


class Request(NamedTuple):
    """A bulk request on its way."""

    items: Sequence[Item]
    hydrated: Snapshot | None  # what its documents come from


class Engine:
    """All generations, and requests that nobody waits for any more."""

    def __init__(self) -> None:
        self.generations: list[Generation] = []
        self.late: list[Request] = []  # given up on by their senders, yet still to be applied

    def apply(self, items: Sequence[Item], moment: int) -> list[Answer]:
        """Apply the items in order."""
        return [item.generation.apply(item.write, moment) for item in items]

    def forget_tombstones(self, before: float) -> int:
        """Forget old deletions in every generation; returns how many."""
        return sum(one.forget_tombstones(before) for one in self.generations)
