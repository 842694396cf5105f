"""Parity: one generation against the database, and what it takes to make them equal."""

import contextlib
from collections.abc import AsyncIterator, Sequence

from core.telemetry import logger
from indexer.builds import Range, Tally
from indexer.changes import Change, Key, Write
from indexer.errors import IndexerError, NoGenerationError, TemporarilyUnavailableError
from indexer.generation import Generation
from indexer.services import Services, route_to
from indexer.verification import Compared, Comparison, Difference, confirm
from indexer.windows import Window

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
        recipe=generation.recipe,
        index=generation.index,
        pool=pool,
        engine=services.engine,
        ranks=services.ranks,
    )
    async for compared in comparison.run():
        confirmed = await confirm(
            compared.differences, pipeline.hydrator, pipeline.store, patience=patience
        )
        yield compared, confirmed


async def compare_range(services: Services, generation: Generation, ids: Range) -> Tally:
    """Compare one range of a generation that is being built, and mend what differs.

    What the live generation lacks as well is late, not lost: its events wait in a queue, for both
    of them. It is mended, but does not count. Raises `NoParityError` for what cannot be mended.
    """
    _, pool = await services.fence.wait()
    pipeline = services.pipeline(route_to(generation), _NoCascade())
    comparison = Comparison(
        recipe=generation.recipe,
        index=generation.index,
        pool=pool,
        engine=services.engine,
        ranks=services.ranks,
    )
    compared = await comparison.compare(Window(ids.start, ids.end))
    differences = await confirm(
        compared.differences, pipeline.hydrator, pipeline.store, patience=_PATIENCE
    )
    if not differences:
        return Tally()
    late = await _differing(services, await _live(services, generation), differences)
    # Looked at after the live one: what reached that one reaches this one in the same request.
    suspects = [one for one in differences if one.key not in late]
    lost = await _differing(services, generation, suspects)
    await _mend(services, generation, [difference.key for difference in differences])
    log.info("parity_mended", index=generation.index, lost=len(lost), late=len(late))
    return Tally(differences=len(lost), mended=len(differences))


async def _live(services: Services, generation: Generation) -> Generation | None:
    """The live generation of the same entity type, if there is one."""
    with contextlib.suppress(NoGenerationError):
        return await services.generations.live(generation.name.entity)
    return None


async def _differing(
    services: Services, generation: Generation | None, suspects: Sequence[Difference]
) -> set[Key]:
    """Those of the suspects that differ in a generation now."""
    if generation is None or not suspects:
        return set()
    pipeline = services.pipeline(route_to(generation), _NoCascade())
    found = await confirm(suspects, pipeline.hydrator, pipeline.store, patience=0)
    return {difference.key for difference in found}


async def _mend(services: Services, generation: Generation, keys: Sequence[Key]) -> None:
    """Write what the database has now, under versions stamped now."""
    if not keys:
        return
    pipeline = services.pipeline(route_to(generation), _NoCascade())
    now, _ = await services.fence.wait()
    results = await pipeline.process([Change(key, now, cascades=False) for key in keys])
    if results.again:
        refused = f"{generation.index} did not take {len(results.again)} documents"
        raise TemporarilyUnavailableError("Elasticsearch", refused)
    if results.poison:
        (entity, one), reason = next(iter(results.poison.items()))
        raise NoParityError(f"{generation.index}: {entity} {one}: {reason}")


class _NoCascade:
    """What is compared or mended has not changed, so nobody need be told."""

    async def publish(self, keys: Sequence[Key], now: int) -> None:
        """Publish nothing."""

    async def announce(self, writes: Sequence[Write]) -> None:
        """Publish nothing: a build that dies takes its generation along."""
