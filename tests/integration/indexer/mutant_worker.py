"""A worker with one guard of the version rule switched off, to see whether the tests notice.

    python tests/integration/indexer/mutant_worker.py MUTATION [--jitter=S] [--failures=P]

The product has no switches for this: the guard is replaced in this process, then `disco work
indexer` runs. `none` is the control. `--jitter` delays half of all batches up to that many seconds
between reading the truth and writing it; `--failures` is the share of bulk requests that fail as if
the engine were away, before they are sent. Both are bad luck that the product must survive.
"""

import argparse
import asyncio
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from cli.main import run
from indexer import pipeline, writer
from indexer.cascade import DatabaseCascade
from indexer.changes import Answer, Change, Key, Outcome, Row, Write
from indexer.deliveries import Acknowledger, Consumer, Delivery
from indexer.errors import TemporarilyUnavailableError
from indexer.fence import Position, ReplicaFence
from indexer.hydrator import DatabaseHydrator
from indexer.lane import Lane
from indexer.pipeline import Hydration, Pipeline, Results
from indexer.writer import EngineStore

Mutation = Callable[[], None]


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


def repeat_old_hydration() -> None:
    """Try again with what was read the first time."""
    original = DatabaseHydrator.hydrate
    kept: dict[tuple[Key, ...], Hydration] = {}

    async def hydrate(self: DatabaseHydrator, keys: Sequence[Key]) -> Hydration:
        known = kept.get(tuple(keys))
        if known is None:
            known = kept[tuple(keys)] = await original(self, keys)
        return known

    process = Pipeline.process

    async def remember_until_done(self: Pipeline, changes: Sequence[Change]) -> Results:
        results = await process(self, changes)
        kept.clear()
        return results

    replace(DatabaseHydrator, "hydrate", hydrate)
    replace(Pipeline, "process", remember_until_done)


def acknowledge_first() -> None:
    """Acknowledge what was taken, then write it."""
    process = Lane._process

    async def acknowledge_then_process(self: Lane, batch: dict[Key, Any]) -> None:
        await self._consumer.finish([d for pending in batch.values() for d in pending.deliveries])
        await process(self, batch)

    replace(Lane, "_process", acknowledge_then_process)


def acknowledge_up_to() -> None:
    """Acknowledge everything up to the newest delivery that is finished."""

    def finish(self: Acknowledger, tags: list[int]) -> int:
        newest = max(tags, default=0)
        if newest < self._front:
            return 0
        self._front = newest + 1
        return newest

    replace(Acknowledger, "finish", finish)


def only_event_times() -> None:
    """Version a write by its event alone, however new the row is."""

    def plan_write(change: Change, row: Row | None) -> Write:
        return Write(change.key, change.version, row)

    replace(pipeline, "plan_write", plan_write)


def ignore_pushback() -> None:
    """Take an item that the engine had no room for as done."""
    original = writer._answer

    def answer(operation: str, item: Mapping[str, Any]) -> Answer:
        given = original(operation, item)
        return Answer(Outcome.INDEXED, "", 0) if given.outcome is Outcome.UNAVAILABLE else given

    replace(writer, "_answer", answer)


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
        repeat_old_hydration,
        acknowledge_first,
        acknowledge_up_to,
        only_event_times,
        ignore_pushback,
        die_before_acknowledging,
    )
}


def hesitate(longest: float) -> None:
    """Let time pass between reading the truth and writing it, for half of all batches."""
    original = EngineStore.write

    async def write(self: EngineStore, writes: Sequence[Write]) -> list[Answer]:
        if random.random() < 0.5:
            await asyncio.sleep(random.uniform(0, longest))
        return await original(self, writes)

    replace(EngineStore, "write", write)


def fail_sometimes(share: float) -> None:
    """Let the engine be away now and then."""
    original = EngineStore.write

    async def write(self: EngineStore, writes: Sequence[Write]) -> list[Answer]:
        if random.random() < share:
            raise TemporarilyUnavailableError("Elasticsearch", "bad luck")
        return await original(self, writes)

    replace(EngineStore, "write", write)


def main(arguments: Iterable[str]) -> int:
    """Mutate, then work; the exit code."""
    parser = argparse.ArgumentParser()
    parser.add_argument("mutation", choices=["none", *MUTATIONS])
    parser.add_argument("--jitter", type=float, default=0.0)
    parser.add_argument("--failures", type=float, default=0.0)
    options = parser.parse_args(list(arguments))
    if options.mutation != "none":
        MUTATIONS[options.mutation]()
    if options.failures:
        fail_sometimes(options.failures)
    if options.jitter:
        hesitate(options.jitter)
    return run(["work", "indexer", "--metrics-port", "0"])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
