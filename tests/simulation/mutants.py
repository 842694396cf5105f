"""Mutants: the product with one guard of the version rule (ADR 0001) switched off.

Each is a world of its own that replaces a part of the product, or breaks a promise that the
database or the engine makes. Nothing in the product knows of them. `replaced` are functions that
`indexer.pipeline` uses, and what stands in for them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar

from indexer import changes
from indexer.changes import Answer, Change, Key, Outcome, Write
from indexer.coalescer import Pending
from indexer.errors import TemporarilyUnavailableError
from indexer.lane import Lane
from indexer.pipeline import Pipeline, Results
from tests.simulation.agents import Agent
from tests.simulation.database import Database, Record, State
from tests.simulation.engine import Document, Generation
from tests.simulation.ports import ModelCascade, ModelHydrator, NoDependents
from tests.simulation.world import World

# Kinds of trouble, by the order of `happenings.TROUBLES`; then one key or two; then no more.
FORGETTING = bytes([1 << 2, 3, 0])
RESTARTS = bytes([1 << 3, 3, 0])
LATE_REQUESTS = bytes([1 << 5, 0, 0])


class Mutant(World):
    """A world without one guard."""

    replaced: ClassVar[Mapping[str, Callable[..., Any]]] = {}
    # How the schedules of a hunt begin: which kinds of trouble and how many keys (see
    # `World._choose_kind`). What is rare among all schedules is common among the right ones.
    beginning: ClassVar[bytes] = b""


# Rule 1: one clock


class TransactionClock(Database):
    """Stamps rows as `now()` does: some transactions began before others that are done."""

    def stamp(self, old: Record | None) -> int:  # noqa: ARG002
        """The time of a statement."""
        stamp = super().stamp(None)
        return stamp - 3 * (stamp % 2)


class TransactionTime(Mutant):
    """Rule 1: `updated_at` is the start of the transaction, and may run backwards."""

    database_type = TransactionClock


def believe(version: int, now: int, tolerance: int) -> int:
    """Stands in for `clamp`."""
    return version


class NoClamp(Mutant):
    """Rule 1: a clock that is far ahead is believed."""

    replaced: ClassVar = {"clamp": believe}


# Rule 2: the fence


class UnfencedHydrator(ModelHydrator):
    """Reads the replica as it is."""

    async def state(self) -> State:
        """Some state of the database."""
        self._world.running.is_impatient = True
        await super().state()
        return self._world.database.replica


class NoFence(Mutant):
    """Rule 2: hydration does not wait for the replica."""

    hydrator_type = UnfencedHydrator


# Rule 3: the version of a write


class LastWriteWins(Generation):
    """Counts versions by itself."""

    def accepts(self, write: Write, held: Document) -> bool:  # noqa: ARG002
        """Always."""
        return True


class InternalVersions(Mutant):
    """Rule 3: no external version; the last write wins."""

    generation_type = LastWriteWins


# Rule 4: a missing row is a deletion


class NoDeletionPipeline(Pipeline):
    """Leaves documents without a row where they are."""

    async def _write(self, writes: list[Write], results: Results) -> None:
        results.outcomes |= {write.key: Outcome.ABSENT for write in writes if write.row is None}
        await super()._write([write for write in writes if write.row is not None], results)


class NoDeletion(Mutant):
    """Rule 4: a missing row is ignored."""

    pipeline_type = NoDeletionPipeline


# Rule 5: joined data


class SilentCascade(ModelCascade):
    """Tells no dependents."""

    async def publish(self, keys: Sequence[Key], now: int) -> None:
        """Publish nothing."""


class NoCascade(Mutant):
    """Rule 5: dependents are not told."""

    cascade_type = SilentCascade


class EarlyStampPipeline(Pipeline):
    """Stamps refresh events with the time of the event that caused them."""

    async def process(self, changes: Sequence[Change]) -> Results:
        """As the product's, but for the stamps."""
        cascade, self.cascade = self.cascade, NoDependents()
        results = await super().process(changes)
        for change in changes:
            if change.cascades:
                await cascade.publish([change.key], change.version)
        return results


class EarlyStamps(Mutant):
    """Rule 5: a refresh event carries its cause's time, which is before the commit."""

    pipeline_type = EarlyStampPipeline


# Rule 6: doubtful writes


def trust_conflicts(write: Write, answer: Answer) -> bool:
    """Stands in for `is_doubtful`."""
    return answer.outcome is not Outcome.CONFLICT and changes.is_doubtful(write, answer)


class NoSettlingOfConflicts(Mutant):
    """Rule 6: a conflict is taken as proof that something newer is there."""

    replaced: ClassVar = {"is_doubtful": trust_conflicts}


def trust_what_was_taken(write: Write, answer: Answer) -> bool:
    """Stands in for `is_doubtful`."""
    return answer.outcome is Outcome.CONFLICT


class NoSettlingOfOthers(Mutant):
    """Rule 6: a write that was accepted is trusted, whoever's time it carries."""

    replaced: ClassVar = {"is_doubtful": trust_what_was_taken}


class UnannouncedCascade(ModelCascade):
    """Publishes no event of a settlement."""

    async def announce(self, writes: Sequence[Write]) -> None:
        """Publish nothing."""


class NoAnnouncement(Mutant):
    """Rule 6: a settlement goes out under a version that no event carries."""

    cascade_type = UnannouncedCascade
    beginning = LATE_REQUESTS


# Rule 7: a retry starts at hydration


class StubbornPipeline(Pipeline):
    """Sends the same documents until they are taken."""

    async def _write(self, writes: list[Write], results: Results) -> None:
        while True:
            try:
                answers = await self.store.write(writes)
                break
            except TemporarilyUnavailableError:
                continue
        await super()._write(
            await self._settle(self._sort(writes, answers, results), results), results
        )


class RetryWithoutHydration(Mutant):
    """Rule 7: after a failure the same documents are sent again."""

    pipeline_type = StubbornPipeline
    beginning = RESTARTS


# Rule 8: acknowledge last


class HastyLane(Lane):
    """Acknowledges what it takes."""

    async def _attempt(self, batch: dict[Key, Pending]) -> dict[Key, Pending]:
        await self._consumer.finish([d for one in batch.values() for d in one.deliveries])
        return await super()._attempt(batch)


class AcknowledgedFirst(Mutant):
    """Rule 8: events are acknowledged before they are written."""

    lane_type = HastyLane


class CarelessPipeline(Pipeline):
    """Takes a 429 as an outcome."""

    async def process(self, changes: Sequence[Change]) -> Results:
        """As the product's, but nothing is tried again."""
        results = await super().process(changes)
        results.outcomes |= dict.fromkeys(results.again, Outcome.UNAVAILABLE)
        results.again.clear()
        return results


class AcknowledgedUnavailable(Mutant):
    """Rule 8: what the engine had no room for is acknowledged."""

    pipeline_type = CarelessPipeline


# Rule 9: tombstones


class ShortTombstones(Mutant):
    """Rule 9: deletions are forgotten while older documents are still under way."""

    beginning = FORGETTING

    def oldest_unseen(self) -> float:
        """Pretend that nothing is under way."""
        return float("inf")


class RestartsUnnoticed(Mutant):
    """Rule 9: a node forgets its tombstones, and cuts nobody off."""

    beginning = RESTARTS

    def cut_off(self, agents: Iterable[Agent]) -> None:
        """Leave them alone."""


# Rule 10: a new generation


class NoLease(Mutant):
    """Rule 10: the scan begins before every worker must know the generation."""

    waits_for_lease = False


class NoParity(Mutant):
    """Rule 10: a generation is live after its scan, without a comparison."""

    has_parity = False


MUTANTS = tuple(Mutant.__subclasses__())
