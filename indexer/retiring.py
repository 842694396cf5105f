"""Retiring: a generation is deleted by an operator, or because another took its place."""

from dataclasses import replace

from indexer.generation import Generation, State
from indexer.promotion import plan_retirement
from indexer.recording import document_of, log_of, subject_of
from indexer.services import Services


async def retire(services: Services, index: str, *, dry_run: bool = False) -> Generation:
    """Delete an index that is not live; it, as it was.

    Raises `UnknownGenerationError`, `LiveGenerationError` or `OperationInProgressError`.
    """
    if dry_run:
        return plan_retirement(await services.generations.list(), index)
    # Alone: what is not live now could be promoted before it is gone.
    async with log_of(services).record("index.retire", subject_of(index), alone=True) as entry:
        generation = plan_retirement(await services.generations.list(), index)
        gone = replace(generation, state=State.RETIRED)
        await entry.plan(before=document_of(generation), after=document_of(gone))
        await services.generations.delete(generation)
    return generation
