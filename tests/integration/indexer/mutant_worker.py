"""A worker with one guard of the version rule switched off, to see whether the tests notice.

    python tests/integration/indexer/mutant_worker.py MUTATION [--jitter=S] [--outages=S]

The product has no switches for this: the guard is replaced in this process, then `disco work
indexer` runs. `none` is the control. `--jitter` delays a third of all batches up to that many
seconds between reading the truth and writing it; with `--outages` all bulk requests fail for so
long, again and again, before they are sent. Both are bad luck that the product must survive.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

from cli.main import run
from indexer import pipeline, writer
from indexer.cascade import DatabaseCascade
from indexer.changes import Answer, Change, Key, Outcome, Row, Write
from indexer.deliveries import Acknowledgement, Acknowledger, Consumer, Delivery
from indexer.errors import TemporarilyUnavailableError
from indexer.fence import Position, ReplicaFence
from indexer.lane import Lane
from indexer.pipeline import Pipeline, Results
from indexer.recent_writes import RecentWrites
from indexer.writer import EngineStore

Mutation = Callable[[], None]
_STUBBORN_PAUSE = 0.1  # seconds


def replace(owner: Any, name: str, new: Any) -> Any:
    """Put something else in a place; what was there. A place that is not there is an error."""
    original = getattr(owner, name)
    setattr(owner, name, new)
    return original


def no_fence() -> None:
    """Hydrate from the replica as it is."""

    async def replayed(_self: ReplicaFence, _position: Position) -> bool:
        return True

    replace(ReplicaFence, "_replayed", replayed)


def no_version() -> None:
    """Write without a version: the last request wins."""

    def action(write: Write, index: str) -> bytes:
        head = f'"_index":"{index}","_id":"{write.key[1]}"'
        if write.row is None:
            return f'{{"delete":{{{head}}}}}\n'.encode()
        return b"".join((f'{{"index":{{{head}}}}}\n'.encode(), write.row.document, b"\n"))

    replace(writer, "_action", action)


def newest_version() -> None:
    """Write under the moment of the write, as if what is written last were newest."""
    original = writer._action

    def action(write: Write, index: str) -> bytes:
        return original(write._replace(version=time.time_ns() // 1000), index)

    replace(writer, "_action", action)


def no_clamp() -> None:
    """Believe every event's clock."""

    def clamp(version: int, _now: int, _tolerance: int) -> int:
        return version

    replace(pipeline, "clamp", clamp)


def ignore_missing_rows() -> None:
    """Where there is no row, there is nothing to do."""
    original = Pipeline._write

    async def write(self: Pipeline, writes: list[Write], results: Results) -> None:
        for one in writes:
            if one.row is None:
                results.outcomes[one.key] = Outcome.ABSENT
        await original(self, [one for one in writes if one.row is not None], results)

    replace(Pipeline, "_write", write)


def no_cascade() -> None:
    """Tell no dependent."""

    async def publish(_self: DatabaseCascade, _keys: Sequence[Key], _now: int) -> None:
        return

    replace(DatabaseCascade, "publish", publish)


def trust_conflicts() -> None:
    """A refused write is stale: what the engine holds is newer, hence right."""

    def is_doubtful(write: Write, answer: Answer) -> bool:
        harmless = answer.outcome in {Outcome.CONFLICT, Outcome.UNINDEXED}
        return not harmless and not write.is_own

    replace(pipeline, "is_doubtful", is_doubtful)


def trust_foreign_times() -> None:
    """A write that the engine took is right, whatever its version says."""

    def is_doubtful(_write: Write, answer: Answer) -> bool:
        return answer.outcome is Outcome.CONFLICT

    replace(pipeline, "is_doubtful", is_doubtful)


def trust_memory() -> None:
    """What this process wrote under that version is right, whatever was read since."""
    written: dict[Key, int] = {}

    def note(_self: RecentWrites, key: Key, version: int, _digest: int) -> None:
        written[key] = version

    def has(_self: RecentWrites, key: Key, version: int, _digest: int) -> bool:
        return written.get(key) == version

    replace(RecentWrites, "note", note)
    replace(RecentWrites, "has", has)


def early_stamps() -> None:
    """Stamp refresh events with the time of the event that caused them: before the commit."""
    process = Pipeline.process
    publish = DatabaseCascade.publish
    causes: ContextVar[Mapping[Key, int]] = ContextVar("causes")

    async def remember_causes(self: Pipeline, changes: Sequence[Change]) -> Results:
        causes.set({change.key: change.version for change in changes})
        return await process(self, changes)

    async def publish_early(self: DatabaseCascade, keys: Sequence[Key], _now: int) -> None:
        for key in keys:
            await publish(self, [key], causes.get()[key])

    replace(Pipeline, "process", remember_causes)
    replace(DatabaseCascade, "publish", publish_early)


def repeat_old_hydration() -> None:
    """Try again with what was read the first time."""
    original = EngineStore.write

    async def write(self: EngineStore, writes: Sequence[Write]) -> list[Answer]:
        while True:
            try:
                return await original(self, writes)
            except TemporarilyUnavailableError:
                await asyncio.sleep(_STUBBORN_PAUSE)

    replace(EngineStore, "write", write)


def acknowledge_first() -> None:
    """Acknowledge what was taken, then write it."""
    process = Lane._process

    async def acknowledge_then_process(self: Lane, batch: dict[Key, Any]) -> None:
        await self._consumer.finish([d for pending in batch.values() for d in pending.deliveries])
        await process(self, batch)

    replace(Lane, "_process", acknowledge_then_process)


def acknowledge_up_to() -> None:
    """Acknowledge everything up to the newest delivery that is finished."""

    def finish(self: Acknowledger, tags: list[int]) -> list[Acknowledgement]:
        newest = max(tags, default=0)
        if newest < self._front:
            return []
        self._front = newest + 1
        return [Acknowledgement(newest, multiple=True)]

    replace(Acknowledger, "finish", finish)


def only_event_times() -> None:
    """Version a write by its event alone, however new the row is."""

    def plan_write(change: Change, row: Row | None) -> Write:
        return Write(change.key, change.version, row)

    replace(pipeline, "plan_write", plan_write)


def ignore_pushback() -> None:
    """Take an item that the engine had no room for as done."""
    original = writer.answer_of

    def answer(operation: str, item: Mapping[str, Any]) -> Answer:
        given = original(operation, item)
        return Answer(Outcome.INDEXED, "", 0) if given.outcome is Outcome.UNAVAILABLE else given

    replace(writer, "answer_of", answer)


def die_before_acknowledging() -> None:
    """Not a guard: a crash at the worst moment, after the first write and before its ack."""

    async def finish(_self: Consumer, _deliveries: list[Delivery]) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    replace(Consumer, "finish", finish)


MUTATIONS: Mapping[str, Mutation] = {
    mutation.__name__: mutation
    for mutation in (
        no_fence,
        no_version,
        newest_version,
        no_clamp,
        ignore_missing_rows,
        no_cascade,
        trust_conflicts,
        trust_foreign_times,
        trust_memory,
        early_stamps,
        repeat_old_hydration,
        acknowledge_first,
        acknowledge_up_to,
        only_event_times,
        ignore_pushback,
        die_before_acknowledging,
    )
}


def hesitate(longest: float) -> None:
    """Let time pass between reading the truth and writing it, for a third of all batches."""
    original = EngineStore.write

    async def write(self: EngineStore, writes: Sequence[Write]) -> list[Answer]:
        if random.random() < 1 / 3:
            await asyncio.sleep(random.uniform(0, longest))
        return await original(self, writes)

    replace(EngineStore, "write", write)


def be_cut_off(seconds: float) -> None:
    """Have no way to the engine for so long, again and again, with as much time in between."""
    original = EngineStore.write
    began = time.monotonic() + random.uniform(0, 2 * seconds)

    async def write(self: EngineStore, writes: Sequence[Write]) -> list[Answer]:
        if (time.monotonic() - began) % (2 * seconds) < seconds:
            raise TemporarilyUnavailableError("Elasticsearch", "bad luck")
        return await original(self, writes)

    replace(EngineStore, "write", write)


def main(arguments: Iterable[str]) -> int:
    """Mutate, then work; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mutation", choices=["none", *MUTATIONS])
    parser.add_argument("--jitter", type=float, default=0.0)
    parser.add_argument("--outages", type=float, default=0.0)
    options = parser.parse_args(list(arguments))
    if options.outages:
        be_cut_off(options.outages)
    if options.jitter:
        hesitate(options.jitter)
    if options.mutation != "none":
        MUTATIONS[options.mutation]()
    return run(["work", "indexer", "--metrics-port", "0"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
