"""The evaluation's door to what the log says: online measures, and queries.

Each reads the log of a period, from files and rows, in a thread: what it takes does not hold up a
server. It loads DuckDB and Arrow: import it where it is needed.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

import duckdb

from core import own_schema
from core.database import open_pool
from core.settings import Settings
from evaluation.online import measures, queries
from evaluation.online.log import opened
from evaluation.online.measures import (
    Dimension,
    OnlineFigures,
    OnlineMeasures,
    PositionFigures,
)
from evaluation.online.queries import LongTail, QueryFigures, Reformulation

__all__ = [
    "Dimension",
    "LongTail",
    "OnlineFigures",
    "OnlineMeasures",
    "PositionFigures",
    "QueryFigures",
    "Reformulation",
    "failing_queries",
    "long_tail",
    "online_measures",
    "reformulated_queries",
    "top_queries",
]

T = TypeVar("T")


async def online_measures(
    settings: Settings, since: datetime, until: datetime, by: Sequence[Dimension] = ()
) -> OnlineMeasures:
    """What people did with the searches of a period (aware datetimes), told apart by dimensions.

    Without dimensions there is one row of figures, or none if nothing was searched for. Raises
    `ServiceUnavailableError`, and `OwnSchemaError`.
    """
    return await _asked(settings, since, until, lambda log: measures.measure(log, since, until, by))


async def top_queries(
    settings: Settings, since: datetime, until: datetime, limit: int
) -> list[QueryFigures]:
    """The texts that are searched for most. Raises as `online_measures`, as do the others."""
    return await _asked(settings, since, until, lambda log: queries.top(log, limit))


async def failing_queries(
    settings: Settings, since: datetime, until: datetime, limit: int, *, least: int
) -> list[QueryFigures]:
    """Texts that were searched for `least` times or more, and that nobody clicked for."""
    return await _asked(
        settings, since, until, lambda log: queries.failing(log, limit, least=least)
    )


async def reformulated_queries(
    settings: Settings, since: datetime, until: datetime, limit: int
) -> list[Reformulation]:
    """Texts that nobody clicked for, with what was tried next in the same session."""
    return await _asked(settings, since, until, lambda log: queries.reformulated(log, limit))


async def long_tail(
    settings: Settings, since: datetime, until: datetime, limit: int, *, most: int
) -> LongTail:
    """How much of all is searched for `most` times or less."""
    return await _asked(
        settings, since, until, lambda log: queries.long_tail(log, limit, most=most)
    )


async def _asked(
    settings: Settings,
    since: datetime,
    until: datetime,
    ask: Callable[[duckdb.DuckDBPyConnection], T],
) -> T:
    async with open_pool(settings.database_url, application="disco log", size=1) as primary:
        await own_schema.migrate(primary)

    def call() -> T:
        with opened(settings, since, until) as log:
            return ask(log)

    return await asyncio.to_thread(call)
