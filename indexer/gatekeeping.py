"""Gatekeeping: gates are asked about a generation, and what they say stays with it."""

from collections.abc import Sequence

from indexer import examination
from indexer.gates import Examination, decode
from indexer.gates import encode as examination_document
from indexer.generation import Generation, State
from indexer.promotion import Exchange, named, plan_promotion
from indexer.recording import document_of, log_of, subject_of
from indexer.retention import superseded
from indexer.retiring import retire
from indexer.services import Services


async def examine(services: Services, index: str, *, dry_run: bool = False) -> Examination:
    """Ask all gates about a generation, and note what they say: it is ready then, or has failed.

    With `dry_run` they are asked, and nothing is noted. Raises `UnknownGenerationError`, and
    `NotPromotableError` when it is not complete.
    """
    if dry_run:
        return await _ask(services, _plan(await services.generations.list(), index))
    async with log_of(services).record("index.gates", subject_of(index)) as entry:
        generations = await services.generations.list()
        plan = _plan(generations, index)
        await entry.plan(before=document_of(plan.after), after=None)
        found = await _ask(services, plan)
        noted = await services.generations.note_gates(plan.after, examination_document(found))
        await entry.plan(before=document_of(plan.after), after=document_of(noted))
    if found.failed:
        for former in superseded(generations, index):
            await retire(services, former.index)
    return found


async def last_examination(services: Services, index: str) -> Examination | None:
    """What the gates said of a generation when they were asked last; None: they never were.

    Raises `UnknownGenerationError`.
    """
    found = named(await services.generations.list(), index)
    return None if found.gates is None else decode(found.gates)


def _plan(generations: Sequence[Generation], index: str) -> Exchange:
    """What is examined, and in place of what it would go live."""
    return plan_promotion(generations, index, override="to be examined")


async def _ask(services: Services, plan: Exchange) -> Examination:
    assert services.prober is not None, "open the indexer with a prober"
    live = plan.before if plan.changes_anything else None
    return await examination.examine(services, plan.after, live, services.prober)


async def examine_if_ready(services: Services, index: str) -> None:
    """The same, if it is ready and they were not asked yet."""
    for one in await services.generations.list():
        if one.index == index and one.state is State.READY and one.gates is None:
            await examine(services, index)
