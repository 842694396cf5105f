"""Gatekeeping: gates are asked about a generation, and what they say stays with it."""

from indexer import examination
from indexer.gates import Examination
from indexer.gates import encode as examination_document
from indexer.generation import State
from indexer.promotion import plan_promotion
from indexer.recording import document_of, log_of, subject_of
from indexer.retention import superseded
from indexer.retiring import retire
from indexer.services import Services


async def examine(services: Services, index: str) -> Examination:
    """Ask all gates about a generation, and note what they say: it is ready then, or has failed.

    Raises `UnknownGenerationError`, and `NotPromotableError` when it is not complete.
    """
    async with log_of(services).record("index.gates", subject_of(index)) as entry:
        generations = await services.generations.list()
        plan = plan_promotion(generations, index, override="to be examined")
        await entry.plan(before=document_of(plan.after), after=None)
        live = plan.before if plan.changes_anything else None
        assert services.prober is not None, "open the indexer with a prober"
        found = await examination.examine(services, plan.after, live, services.prober)
        noted = await services.generations.note_gates(plan.after, examination_document(found))
        await entry.plan(before=document_of(plan.after), after=document_of(noted))
    if found.failed:
        for former in superseded(generations, index):
            await retire(services, former.index)
    return found


async def examine_if_ready(services: Services, index: str) -> None:
    """The same, if it is ready and they were not asked yet."""
    for one in await services.generations.list():
        if one.index == index and one.state is State.READY and one.gates is None:
            await examine(services, index)
