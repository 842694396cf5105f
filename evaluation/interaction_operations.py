"""The evaluation's door to searches and interactions: taking, storing, keeping and forgetting them.

It loads little: the query API enters by it.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Final

from core import own_schema
from core.database import UNAVAILABLE_ERRORS, Pool, open_pool
from core.errors import DiscoError
from core.operation_log import Actor, OperationLog
from core.settings import Settings
from core.telemetry import logger
from evaluation.experiments.interleaving import team_draft
from evaluation.interactions.consumer import Consumer
from evaluation.interactions.outbox import Outbox
from evaluation.interactions.records import Interaction, Kind, Pseudonyms, ShownSearch

if TYPE_CHECKING:
    from evaluation.interactions.upkeep import Forgotten, Upkeep

__all__ = [
    "Interaction",
    "Kind",
    "Outbox",
    "Pseudonyms",
    "ShownSearch",
    "forget",
    "keep_up",
    "team_draft",
    "work",
]

_UPKEEP_SECONDS: Final = 3_600.0

log = logger("interactions")


async def work(settings: Settings, stop: asyncio.Event) -> None:
    """Store searches and interactions until `stop` is set, and look after them once an hour.

    Raises `ServiceUnavailableError` if the broker or the database is away at first, and
    `OwnSchemaError`.
    """
    async with _opened(settings) as primary:
        upkeep = asyncio.create_task(_keep_up_for_ever(settings, primary))
        try:
            await Consumer(settings, primary).run(stop)
        finally:
            upkeep.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await upkeep


async def keep_up(settings: Settings, *, dry_run: bool = False) -> "Upkeep":
    """Write the files of days that are over, and delete days that are kept no longer.

    With `dry_run` say which would be deleted. Raises as `work`.
    """
    from evaluation.interactions.upkeep import Upkeep, outdated  # noqa: PLC0415 - loads Arrow

    async with _opened(settings) as primary:
        if dry_run:
            return Upkeep(archived=(), dropped=await outdated(settings, primary))
        return await _kept_up(settings, primary)


async def forget(
    settings: Settings,
    actor: Actor,
    *,
    user: str | None = None,
    session: str | None = None,
    dry_run: bool = False,
) -> "Forgotten":
    """Delete what there is of a user or a session, by the id that a front end sent.

    Raises `InteractionsError` without the secret that ids were hashed with, and as `work`.
    """
    from evaluation.interactions import upkeep  # noqa: PLC0415 - loads Arrow

    async with _opened(settings) as primary:
        operations = OperationLog(primary, actor)
        return await upkeep.forget(
            settings, primary, operations, user=user, session=session, dry_run=dry_run
        )


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[Pool]:
    async with open_pool(settings.database_url, application="disco interactions") as primary:
        await own_schema.migrate(primary)
        yield primary


async def _kept_up(settings: Settings, primary: Pool) -> "Upkeep":
    from evaluation.interactions import upkeep  # noqa: PLC0415 - loads Arrow

    dropped = await upkeep.drop_outdated(settings, primary)
    archived = await upkeep.archive_days(settings, primary)
    return upkeep.Upkeep(archived=archived, dropped=dropped)


async def _keep_up_for_ever(settings: Settings, primary: Pool) -> None:
    while True:
        try:
            await _kept_up(settings, primary)
        except (*UNAVAILABLE_ERRORS, DiscoError) as error:
            log.warning("interactions_upkeep_failed", error=repr(error))
        await asyncio.sleep(_UPKEEP_SECONDS)
