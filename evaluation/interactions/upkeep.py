"""Upkeep: days that are over become files, days that are too old go, and so does whoever asks."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Final

from core.database import Pool
from core.operation_log import OperationLog
from core.settings import Settings
from core.telemetry import logger
from evaluation.interactions import archive, store
from evaluation.interactions.archive import Archive
from evaluation.interactions.errors import InteractionsError
from evaluation.interactions.records import Pseudonyms

# Of who is meant, and of whoever was nobody in the same sessions.
_THEIRS: Final = """
WITH known AS (
    SELECT DISTINCT session_hash FROM disco.searches
    WHERE user_hash = $1 AND session_hash IS NOT NULL
)
SELECT DISTINCT day, query_id FROM disco.searches
WHERE user_hash = $1 OR session_hash = $2
   OR (user_hash IS NULL AND session_hash IN (SELECT session_hash FROM known))
"""
_DELETE: Final = """
DELETE FROM disco.{table} AS t
USING unnest($1::date[], $2::text[]) AS gone (day, query_id)
WHERE t.day = gone.day AND t.query_id = gone.query_id
"""

log = logger("interactions")


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """What was done, or is to be done."""

    archived: Sequence[date]  # days that became files
    dropped: Sequence[date]  # days that were deleted, rows and files


@dataclass(frozen=True, kw_only=True)
class Forgotten:
    """What there was of somebody."""

    pseudonym: str
    searches: int  # each with what was done in it
    archived: Sequence[date]  # days whose files were written anew


async def archive_days(settings: Settings, primary: Pool) -> list[date]:
    """Write the files of days that are over; those that were written."""
    now = datetime.now(UTC)
    over = [day for day in await store.days(primary) if archive.is_over(day, now)]
    return await asyncio.to_thread(archive.write_days, settings, over)


async def outdated(settings: Settings, primary: Pool) -> list[date]:
    """The days that are kept no longer."""
    oldest = datetime.now(UTC).date() - timedelta(days=settings.interactions_retention)
    known = {*await store.days(primary), *Archive(Path(settings.interactions_store)).days()}
    return sorted(day for day in known if day < oldest)


async def drop_outdated(settings: Settings, primary: Pool) -> list[date]:
    """Delete the days that are kept no longer; which they were."""
    gone = await outdated(settings, primary)
    for day in gone:
        await store.drop(primary, day)
        Archive(Path(settings.interactions_store)).remove(day)
    if gone:
        log.info("interactions_dropped", days=[str(day) for day in gone])
    return gone


async def forget(
    settings: Settings,
    primary: Pool,
    operations: OperationLog,
    *,
    user: str | None,
    session: str | None,
    dry_run: bool,
) -> Forgotten:
    """Delete what there is of a user or a session, rows and files.

    What is still on its way through the broker is not found. Raises `InteractionsError` without
    the secret that their ids were hashed with.
    """
    if not settings.interactions_secret:
        raise InteractionsError(
            "without DISCO_INTERACTIONS_SECRET nobody's searches can be found; set the one that "
            "the query API has"
        )
    pseudonyms = Pseudonyms(settings.interactions_secret)
    theirs = pseudonyms.user(user), pseudonyms.session(session)
    pseudonym = next(one for one in theirs if one)
    found = await primary.fetch(_THEIRS, *theirs)
    if dry_run:
        return Forgotten(pseudonym=pseudonym, searches=len(found), archived=())
    async with operations.record("interactions.forget", pseudonym) as entry:
        await entry.plan(before={"searches": len(found)}, after=None)
        keys = [row["day"] for row in found], [row["query_id"] for row in found]
        async with primary.acquire() as connection, connection.transaction():
            for table in store.TABLES:
                await connection.execute(_DELETE.format(table=table), *keys)
        archived = await archive_days(settings, primary)
    return Forgotten(pseudonym=pseudonym, searches=len(found), archived=archived)
