"""Promoting: queries are led to another generation, or back, and what that outdates is deleted."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace

from core.operation_log import OperationInProgressError
from indexer.gatekeeping import examine_if_ready
from indexer.gates import decode
from indexer.gates import encode as examination_document
from indexer.generation import Generation, State
from indexer.promotion import (
    Exchange,
    LiveGenerationError,
    UnknownGenerationError,
    plan_promotion,
    plan_rollback,
)
from indexer.recording import document_of, log_of, subject_of
from indexer.retention import outdated_by
from indexer.retiring import retire
from indexer.services import Services


async def promote(
    services: Services, index: str, *, dry_run: bool = False, override: str | None = None
) -> Exchange:
    """Make queries reach this index in place of the live one of its type; what was done.

    Gates that were not asked yet are asked first, where there is a prober. When it goes live for
    the first time, what is outdated by that is deleted (`indexer.retention`). Raises
    `GateFailedError` if one has failed, unless `override` says why it shall go live all the same;
    `UnknownGenerationError`, `NotPromotableError`, `ConcurrentPromotionError` or
    `OperationInProgressError`.
    """
    if services.prober is not None and not dry_run:
        await examine_if_ready(services, index)
    builds = await services.journal.builds(services.definitions)
    building = [one.index for one in builds if one.is_under_way]

    def plan(generations: Sequence[Generation]) -> Exchange:
        exchange = plan_promotion(generations, index, override=override)
        keep = services.settings.standby_generations
        outdated = outdated_by(exchange, generations, keep=keep, under_way=building)
        return replace(exchange, outdated=outdated)

    exchange = await _exchange(
        services,
        "index.promote",
        subject_of(index),
        plan,
        dry_run=dry_run,
        override=override,
    )
    said = exchange.after.gates
    if override and said and not dry_run:
        overridden = decode(said).overridden(override)
        await services.generations.note_gates(
            replace(exchange.after, state=State.LIVE), examination_document(overridden)
        )
    if not dry_run:
        await _delete_outdated(services, exchange)
    return exchange


async def _delete_outdated(services: Services, exchange: Exchange) -> None:
    for one in exchange.outdated:
        # Whoever is at it now was quicker; what stays is outdated by the next promotion as well.
        with suppress(UnknownGenerationError, LiveGenerationError, OperationInProgressError):
            await retire(services, one.index)


async def rollback(services: Services, entity: str, *, dry_run: bool = False) -> Exchange:
    """Make queries reach what was live last; raises as `promote`.

    It is up to date: a standby receives every change.
    """
    return await _exchange(
        services,
        "index.rollback",
        entity,
        lambda generations: plan_rollback(generations, entity),
        dry_run=dry_run,
    )


async def _exchange(
    services: Services,
    action: str,
    subject: str,
    plan: Callable[[Sequence[Generation]], Exchange],
    *,
    dry_run: bool,
    override: str | None = None,
) -> Exchange:
    if dry_run:
        return plan(await services.generations.list())
    # Alone: a plan is only good as long as nobody else changes what it was made from.
    record = log_of(services).record(action, subject, alone=True, override=override)
    async with record as entry:
        exchange = plan(await services.generations.list())
        before = document_of(exchange.before) if exchange.before else None
        await entry.plan(before=before, after=document_of(exchange.after))
        if exchange.changes_anything:
            await services.generations.promote(exchange.after, before=exchange.before)
    return exchange
