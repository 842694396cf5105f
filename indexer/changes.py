"""The records that travel through the pipeline, and the pure rules between them (ADR 0001)."""

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

Key = tuple[str, int]  # entity type and id


class Change(NamedTuple):
    """One entity that changed, coalesced from all of its events that wait."""

    key: Key
    version: int  # newest event's time, microseconds by the database's clock
    cascades: bool  # whether documents that join it must be indexed too


class Row(NamedTuple):
    """What hydration read of one entity: the truth at some moment after the fence."""

    updated_at: int  # the row's own time, microseconds
    document: bytes  # JSON object
    digest: int  # signed 64 bits of the document's MD5


class Write(NamedTuple):
    """A document, or a deletion, on its way to every generation."""

    key: Key
    version: int  # external version
    row: Row | None  # None: delete

    @property
    def is_own(self) -> bool:
        """Whether the version is the row's own time.

        Then no state of the row that is newer can have an older version. Any other version
        (a dependent's, a deletion's, a clamped one) may overtake a transaction that stamped the
        row earlier and commits later; such a write is settled afterwards.
        """
        return self.row is not None and self.row.updated_at == self.version


class Outcome(StrEnum):
    """What became of a write. Every item of every bulk answer ends in exactly one."""

    INDEXED = "indexed"  # the document was written
    DELETED = "deleted"  # the document was there and is gone
    ABSENT = "absent"  # there was nothing to delete
    UNINDEXED = "unindexed"  # no generation takes it; the scan of a later one will read it
    CONFLICT = "conflict"  # the engine holds an equal or newer version
    REJECTED = "rejected"  # the engine refuses this document for good
    UNAVAILABLE = "unavailable"  # the engine could not take it now


_SEVERITY = tuple(Outcome)


class Answer(NamedTuple):
    """The engine's answer to one write, the worst of all generations."""

    outcome: Outcome
    reason: str  # the engine's words; empty if it took the write
    version: int  # version the engine holds, as far as the answer tells; 0: unknown


_UNINDEXED = Answer(Outcome.UNINDEXED, "", 0)


class Stored(NamedTuple):
    """What a generation holds of one entity."""

    version: int  # external version; 0: nothing there
    digest: int | None  # None: nothing there


def worst(answers: Iterable[Answer]) -> Answer:
    """One answer for a write that went to several generations, or to none.

    Its version is the newest that any of them told of.
    """
    given = list(answers)
    if len(given) == 1:
        return given[0]
    found = max(given, key=lambda answer: _SEVERITY.index(answer.outcome), default=_UNINDEXED)
    return found._replace(version=max((answer.version for answer in given), default=0))


def clamp(version: int, now: int, tolerance: int) -> int:
    """An event's time, or the database's clock when the event is further ahead than `tolerance`.

    All in microseconds. Without this one wrong clock would make a document refuse every genuine
    change until that clock's day has come.
    """
    return now if version > now + tolerance else version


def plan_write(change: Change, row: Row | None) -> Write:
    """The write of a change, given what hydration found.

    A row newer than its event is written as what it is, under its own time: later events up to
    that time then change nothing.
    """
    if row is None:
        return Write(change.key, change.version, None)
    return Write(change.key, max(change.version, row.updated_at), row)


def is_doubtful(write: Write, answer: Answer) -> bool:
    """Whether the engine must be read back before the write's events may be acknowledged."""
    if answer.outcome is Outcome.CONFLICT:
        return True
    if answer.outcome is Outcome.UNINDEXED:
        return False
    return not write.is_own


def plan_settlement(
    key: Key, row: Row | None, stored: Iterable[Stored], *, floor: int
) -> Write | None:
    """The write that makes every generation equal to the row; None if they are.

    `floor` is a version that is known to be stamped by now (the database's clock, or what the
    engine said in a conflict). The new version is above it and above all that is stored.
    """
    wanted = None if row is None else row.digest
    held = tuple(stored)
    if all(one.digest == wanted for one in held):
        return None
    return Write(key, max([floor, *(one.version + 1 for one in held)]), row)
