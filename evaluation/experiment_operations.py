"""The evaluation's door to experiments: how one stands.

It loads DuckDB and Arrow: import it where it is needed.
"""

import asyncio
from datetime import UTC, datetime

from core import own_schema
from core.database import open_pool
from core.operation_log import Actor, OperationLog, Outcome
from core.settings import Settings
from evaluation.experiments.outcomes import Measure
from evaluation.experiments.standing import Comparison, Design, Standing, standing_of
from evaluation.online.log import opened

__all__ = ["Comparison", "Design", "Measure", "Standing", "begun_at", "standing"]

#: What the operation log calls the beginning of an experiment.
START = "experiment.start"
STOP = "experiment.stop"


async def begun_at(settings: Settings, name: str) -> datetime | None:
    """When an experiment was last started by its command; None: it never was."""
    async with open_pool(settings.database_url, application="disco experiment", size=2) as primary:
        history = await OperationLog(primary, Actor.of_this_process()).history(
            subject=name, area="experiment"
        )
    found = (
        one.started_at for one in history if (one.action, one.outcome) == (START, Outcome.DONE)
    )
    return next(found, None)


async def standing(
    settings: Settings, design: Design, since: datetime, measure: Measure
) -> Standing:
    """How an experiment stands, by searches from `since` on.

    Raises `ServiceUnavailableError`, and `OwnSchemaError`.
    """
    async with open_pool(settings.database_url, application="disco experiment", size=1) as primary:
        await own_schema.migrate(primary)

    def call() -> Standing:
        with opened(settings, since, datetime.now(UTC)) as log:
            return standing_of(log, design, measure)

    return await asyncio.to_thread(call)
