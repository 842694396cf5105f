"""Parity: one generation against the database, and what it takes to make them equal."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime

from core.telemetry import logger
from indexer.changes import Change, Key, Write
from indexer.errors import IndexerError
from indexer.generations import LEASE_SECONDS, Generation
from indexer.services import Services, route_to
from indexer.verification import Compared, Comparison, Difference, confirm

_PASSES = 5
_LONGEST_WRITE = 5.0  # seconds from a hydration to the end of its write
_PATIENCE = 5.0  # seconds that a change may be on its way

log = logger("parity")


class NoParityError(IndexerError):
    """A generation cannot be made equal to the database; the message has examples and the reason.

    If the engine refuses documents, mend the definition; otherwise see whether workers run and
    keep up, and build again.
    """


async def compare(
    services: Services, generation: Generation, *, patience: float
) -> AsyncIterator[tuple[Compared, list[Difference]]]:
    """Each window of one generation, with the differences that are there after `patience`."""
    await services.generations.refresh(generation)
    _, pool = await services.fence.wait()
    pipeline = services.pipeline(route_to(generation), _NoCascade())
    comparison = Comparison(
        recipe=generation.recipe, index=generation.index, pool=pool, engine=services.engine
    )
    async for compared in comparison.run():
        confirmed = await confirm(
            compared.differences, pipeline.hydrator, pipeline.store, patience=patience
        )
        yield compared, confirmed


async def establish(services: Services, generation: Generation) -> int:
    """Make a generation equal to the database while both go on changing; how many were mended.

    Passes are repeated until one finds nothing. Raises `NoParityError`.
    """
    # A write that was hydrated before every worker knew the generation must have landed by now.
    age = datetime.now(UTC) - generation.name.created_at
    await asyncio.sleep(max(0.0, LEASE_SECONDS + _LONGEST_WRITE - age.total_seconds()))
    mended = 0
    found: list[Key] = []
    for _ in range(_PASSES):
        found = []
        async for _, differences in compare(services, generation, patience=_PATIENCE):
            keys = [difference.key for difference in differences]
            await _mend(services, generation, keys)
            found += keys
        if not found:
            return mended
        mended += len(found)
        log.info("parity_mended", index=generation.index, count=len(found))
    raise NoParityError(
        f"{generation.index} still differs from the database after {_PASSES} passes, "
        f"for example at {', '.join(f'{entity} {one}' for entity, one in found[:5])}"
    )


async def _mend(services: Services, generation: Generation, keys: Sequence[Key]) -> None:
    """Write what the database has now, under versions stamped now."""
    if not keys:
        return
    pipeline = services.pipeline(route_to(generation), _NoCascade())
    now, _ = await services.fence.wait()
    results = await pipeline.process([Change(key, now, cascades=False) for key in keys])
    if results.poison:
        (entity, one), reason = next(iter(results.poison.items()))
        raise NoParityError(f"{generation.index}: {entity} {one}: {reason}")


class _NoCascade:
    """What is compared or mended has not changed, so nobody need be told."""

    async def publish(self, keys: Sequence[Key], now: int) -> None:
        """Publish nothing."""

    async def announce(self, writes: Sequence[Write]) -> None:
        """Publish nothing: a build that dies takes its generation along."""
