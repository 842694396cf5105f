"""The scan: the source that synthesises a creation event for every row.

It feeds a new generation through the same hydration and the same writer as live events, with each
row's own time as version, so that every live event wins over it.
"""

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

import asyncpg

from core.database import UNAVAILABLE_ERRORS, Pool
from core.definitions import Recipe
from core.telemetry import logger
from indexer.changes import Answer, Outcome, Write
from indexer.errors import IndexerError, TemporarilyUnavailableError
from indexer.generations import LEASE_SECONDS, Generation
from indexer.hydrator import documents_by_range, row_of
from indexer.services import Services
from indexer.windows import Window, count_rows, windows
from indexer.writer import EngineStore

_WINDOW_ROWS = 2_000
_IN_FLIGHT = 2
_FIRST_BACKOFF = 0.2
_LONGEST_BACKOFF = 10.0

log = logger("scan")


class ScanRejectedError(IndexerError):
    """The engine refuses documents of this definition; the message has the first reason.

    Mend the mapping or the SQL, check them with `disco index check`, and build again.
    """


@dataclass(kw_only=True)
class Progress:
    """How far a scan is."""

    entity: str
    index: str
    expected: int  # rows of the table, as the planner estimates
    read: int = 0  # documents hydrated
    outcomes: Counter[Outcome] = field(default_factory=Counter)


async def scan(services: Services, generation: Generation) -> AsyncIterator[Progress]:
    """Fill a generation; yields after each window. The generation must be older than a lease.

    Raises `ScanRejectedError` at the first document that the engine refuses.
    """
    recipe = generation.recipe
    # From now on every worker writes to the generation; the scan reads what was before.
    await asyncio.sleep(LEASE_SECONDS)
    _, pool = await services.fence.wait()
    store = EngineStore(services.engine, {recipe.entity: [generation.index]})
    progress = Progress(
        entity=recipe.entity,
        index=generation.index,
        expected=await count_rows(pool, recipe),
    )
    running: deque[asyncio.Task[Counter[Outcome]]] = deque()
    try:
        async for window in windows(pool, recipe, rows=_WINDOW_ROWS):
            running.append(asyncio.create_task(_copy(pool, recipe, store, window)))
            if len(running) == _IN_FLIGHT:
                yield _add(progress, await running.popleft())
        while running:
            yield _add(progress, await running.popleft())
    finally:
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)


def _add(progress: Progress, outcomes: Counter[Outcome]) -> Progress:
    progress.read += outcomes.total()
    progress.outcomes += outcomes
    return progress


async def _copy(pool: Pool, recipe: Recipe, store: EngineStore, window: Window) -> Counter[Outcome]:
    """Hydrate and write one window, again from the start while a service is away."""
    backoff = _FIRST_BACKOFF
    while True:
        try:
            outcomes = await _attempt(pool, recipe, store, window)
            if not outcomes[Outcome.UNAVAILABLE]:
                return outcomes
            reason = f"the engine had no room for {outcomes[Outcome.UNAVAILABLE]} documents"
        except TemporarilyUnavailableError as error:
            reason = str(error)
        log.warning("scan_postponed", entity=recipe.entity, reason=reason, retry_in=backoff)
        await asyncio.sleep(backoff)
        backoff = min(backoff * 2, _LONGEST_BACKOFF)


async def _attempt(
    pool: Pool, recipe: Recipe, store: EngineStore, window: Window
) -> Counter[Outcome]:
    try:
        records = await pool.fetch(documents_by_range(recipe), *window)
    except UNAVAILABLE_ERRORS as error:
        raise TemporarilyUnavailableError("PostgreSQL", repr(error)) from error
    except asyncpg.PostgresError as error:
        raise ScanRejectedError(
            f"hydration of {recipe.entity} ids {window.start} to {window.end} failed: {error}"
        ) from error
    writes = [_write(recipe.entity, record) for record in records]
    if not writes:
        return Counter()
    answers = await store.write(writes)
    _refuse_poison(recipe.entity, writes, answers)
    return Counter(answer.outcome for answer in answers)


def _write(entity: str, record: asyncpg.Record) -> Write:
    key, row = row_of(entity, record)
    return Write(key, row.updated_at, row)


def _refuse_poison(entity: str, writes: Sequence[Write], answers: Sequence[Answer]) -> None:
    for write, answer in zip(writes, answers, strict=True):
        if answer.outcome is Outcome.REJECTED:
            raise ScanRejectedError(
                f"the engine refuses {entity} {write.key[1]}: {answer.reason}; "
                f"mend the definition (`disco index check {entity}`) and build again"
            )
