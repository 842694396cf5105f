"""The pipeline: changes in, every generation equal to the database out.

It awaits nothing but its ports, one after the other, so that a test can drive it through every
interleaving of several pipelines. Why it is safe is told in ADR 0001.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from indexer.changes import (
    Answer,
    Change,
    Key,
    Outcome,
    Row,
    Stored,
    Write,
    clamp,
    is_doubtful,
    plan_settlement,
    plan_write,
)
from indexer.errors import DependentsUnknownError
from indexer.recent_writes import RecentWrites

SETTLE_ROUNDS = 8


class Hydration(NamedTuple):
    """What the database gave for a set of keys. A key in neither mapping has no row."""

    now: int  # the database's clock, microseconds; all that was committed before it was seen
    rows: Mapping[Key, Row]
    failures: Mapping[Key, str]  # why a key cannot be hydrated, in the database's words


class Hydrator(Protocol):
    """Reads the truth."""

    async def hydrate(self, keys: Sequence[Key]) -> Hydration:
        """Rows of the keys, no older than the moment of the call."""
        ...


class Store(Protocol):
    """Every generation that takes live writes."""

    async def write(self, writes: Sequence[Write]) -> list[Answer]:
        """Answers in the order of the writes."""
        ...

    async def read(self, keys: Sequence[Key]) -> dict[Key, list[Stored]]:
        """What each generation holds, not only what is searchable already."""
        ...


class Cascade(Protocol):
    """Publishes the indexer's own events."""

    async def publish(self, keys: Sequence[Key], now: int) -> None:
        """Publish, and have confirmed, a refresh event stamped `now` for each dependent."""
        ...

    async def announce(self, writes: Sequence[Write]) -> None:
        """Publish, and have confirmed, a refresh event of each write under its version."""
        ...


@dataclass(kw_only=True)
class Results:
    """How a batch of changes ended: each key is settled, poison, or left to be tried again."""

    outcomes: dict[Key, Outcome] = field(default_factory=dict)  # settled
    poison: dict[Key, str] = field(default_factory=dict)  # reason, for the dead letters
    again: set[Key] = field(default_factory=set)  # the engine had no room for these
    now: int = 0  # the database's clock at hydration, microseconds
    clamped: int = 0  # events whose time was ahead of the database's clock
    resettled: int = 0  # writes that had to be repeated under a newer version


@dataclass(kw_only=True)
class Pipeline:
    """Event time in, external version out. One instance may run several batches at once."""

    hydrator: Hydrator
    store: Store
    cascade: Cascade
    clock_tolerance: int  # microseconds
    recent: RecentWrites = field(default_factory=RecentWrites)

    async def process(self, changes: Sequence[Change]) -> Results:
        """Make the engine hold the truth of each change; keys must be distinct.

        Raises `indexer.errors.TemporarilyUnavailableError` when a service cannot take the batch at
        all: nothing is lost, call again with the same changes.
        """
        hydration = await self.hydrator.hydrate([change.key for change in changes])
        now = hydration.now
        ahead = sum(change.version > now + self.clock_tolerance for change in changes)
        results = Results(now=now, clamped=ahead, poison=dict(hydration.failures))
        sound = [change for change in changes if change.key not in hydration.failures]
        writes = [
            plan_write(self._clamped(change, now), hydration.rows.get(change.key))
            for change in sound
        ]
        await self._write(self._unknown(writes, results), results)
        if parents := [change.key for change in sound if change.cascades]:
            try:
                await self.cascade.publish(parents, now)
            except DependentsUnknownError as error:
                results.poison |= error.reasons  # it was written all the same
        return results

    def _clamped(self, change: Change, now: int) -> Change:
        return change._replace(version=clamp(change.version, now, self.clock_tolerance))

    def _unknown(self, writes: list[Write], results: Results) -> list[Write]:
        """The writes but those whose very version and content the engine took from us already.

        It could only refuse them. Duplicates, and events of changes that an earlier hydration
        had seen, then cost the engine nothing.
        """
        unknown = []
        for write in writes:
            if write.row and self.recent.has(write.key, write.version, write.row.digest):
                results.outcomes[write.key] = Outcome.CONFLICT
            else:
                unknown.append(write)
        return unknown

    async def _write(self, writes: list[Write], results: Results) -> None:
        """Write, then settle what is in doubt until the engine and the database agree."""
        for _ in range(SETTLE_ROUNDS):
            if not writes:
                return
            doubtful = self._sort(writes, await self.store.write(writes), results)
            writes = await self._settle(doubtful, results)
        # Somebody keeps changing these faster than we can look; their own events will come.
        results.again.update(write.key for write in writes)

    def _sort(self, writes: list[Write], answers: list[Answer], results: Results) -> dict[Key, int]:
        """File each answer; return the doubtful keys with the versions the engine told of."""
        doubtful: dict[Key, int] = {}
        for write, answer in zip(writes, answers, strict=True):
            if answer.outcome is Outcome.REJECTED:
                results.poison[write.key] = answer.reason
            elif answer.outcome is Outcome.UNAVAILABLE:
                results.again.add(write.key)
            else:
                results.outcomes.setdefault(write.key, answer.outcome)
                self._note(write, answer)
                if is_doubtful(write, answer) and not self._is_known(write, answer):
                    doubtful[write.key] = max(answer.version, write.version)
        return doubtful

    def _note(self, write: Write, answer: Answer) -> None:
        if write.row is not None and answer.outcome is Outcome.INDEXED:
            self.recent.note(write.key, write.version, write.row.digest)

    def _is_known(self, write: Write, answer: Answer) -> bool:
        """Whether the write met what this process itself had written, with the same content."""
        return (
            write.row is not None
            and answer.outcome is Outcome.CONFLICT
            and self.recent.has(write.key, answer.version, write.row.digest)
        )

    async def _settle(self, doubtful: dict[Key, int], results: Results) -> list[Write]:
        """Read engine and truth again, in this order; the writes that make them equal."""
        if not doubtful:
            return []
        keys = list(doubtful)
        stored = await self.store.read(keys)
        hydration = await self.hydrator.hydrate(keys)
        results.poison.update(hydration.failures)
        planned = (
            plan_settlement(
                key,
                hydration.rows.get(key),
                stored[key],
                floor=max(hydration.now, doubtful[key] + 1),
            )
            for key in keys
            if key not in hydration.failures
        )
        writes = [write for write in planned if write is not None]
        if writes:
            # No event carries these versions yet. If such a write outlives its sender and lands
            # after all else, this event finds it.
            await self.cascade.announce(writes)
            results.resettled += len(writes)
        return writes
